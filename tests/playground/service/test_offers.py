import pytest

from models.catalogue import Catalogue
from models.errors import Problem
from models.sources import Folder
from playground.service.offers import Offers


def offers(*cards, loaded=None):
    return Offers(Catalogue(cards), loaded=lambda: loaded or {})


def test_a_row_says_what_the_card_says(new_card):
    card = new_card("a", family="bert", tasks=("fill_mask", "attend"), languages=("en",), parameters=7, licence="MIT", size_mb=3)
    assert offers(card).rows() == [
        {
            "name": "a",
            "family": "bert",
            "tasks": ["fill_mask", "attend", "tune"],
            "languages": ["en"],
            "parameters": 7,
            "licence": "MIT",
            "size_mb": 3,
            "ready": True,
        }
    ]


def test_a_model_is_ready_when_its_files_are_here_or_it_is_in_memory(new_card, tmp_path, fakes):
    here, away = new_card("here"), new_card("away", sources=(Folder(path=tmp_path / "nowhere"),))
    assert [row["ready"] for row in offers(here, away).rows()] == [True, False]
    loaded = {"away": fakes.Model(name="away", card=away)}
    assert [row["ready"] for row in offers(here, away, loaded=loaded).rows()] == [True, True]


def test_a_card_may_leave_its_tasks_open_until_its_model_was_loaded(new_card, fakes):
    card, loaded = new_card("mine", tasks=(), family=""), {}
    found = Offers(Catalogue([card]), loaded=lambda: loaded)
    assert [row["tasks"] for row in found.rows()] == [[]]
    found.check(card, "attend")  # loading will tell
    loaded["mine"] = fakes.Model(name="mine", card=card, family="bert", tasks=frozenset({"fill_mask", "attend"}))
    assert [(row["family"], row["tasks"], row["parameters"]) for row in found.rows()] == [("bert", ["attend", "fill_mask", "tune"], 25)]
    loaded.clear()
    assert [row["tasks"] for row in found.rows()] == [["attend", "fill_mask", "tune"]]
    with pytest.raises(Problem, match="task_nobody"):
        found.check(card, "translate")


def test_what_a_loaded_model_can_do_counts_more_than_its_card(new_card, fakes):
    card = new_card("a", tasks=("echo", "other"))
    found = offers(card)
    found.learn(fakes.Model(name="a", card=card, tasks=frozenset({"echo"})))
    assert [row["tasks"] for row in found.rows()] == [["echo"]]


def test_a_model_that_a_visitor_named_is_listed_while_it_is_in_memory(new_card, fakes):
    named = fakes.Model(name="org/model", card=new_card("org/model"))
    assert [row["name"] for row in offers(new_card("a"), loaded={"org/model": named}).rows()] == ["a", "org/model"]
