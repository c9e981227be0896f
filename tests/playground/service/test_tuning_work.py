"""Real runs on a tiny model: what they leave can be asked like any model, on this server and after a restart of it."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from models.catalogue import Catalogue
from models.errors import Problem
from models.tuning import methods
from models.tuning.loop import Tuning
from models.tuning.task import Example, Examples, Label, Task
from playground.service.kept import Shelf
from playground.service.playground import Playground
from playground.service.runs import Plan
from playground.tasks import attend

TEXTS = ["She drank a cup of tea.", "The streets were still wet.", "He ordered coffee.", "It had been raining all night."] * 2
ROWS = tuple(Example(text=text, answer=("drink", "weather")[place % 2], line=place + 2) for place, text in enumerate(TEXTS))
TASK = Task(
    name="drinks",
    kind="classify",
    labels={"drink": Label(word="tea", en="a drink", zh="饮料"), "weather": Label(word="blue")},
    template="{text} It was [MASK].",
)
EXAMPLES = Examples(task=TASK, train=ROWS, dev=ROWS[:4], test=ROWS[4:])


def plan(*ways: str, **values) -> Plan:
    return Plan(**{"model": "tiny-bert", "methods": ways, "examples": EXAMPLES, "amount": 3, "length": 4} | values)


def run(playground: Playground, visitor: str, wish: Plan):
    playground.tune(visitor, wish)
    list(playground.runs.job(visitor).follow())
    return playground.runs.look(visitor)


@pytest.fixture
def opened(tiny_models: dict[str, Path], tmp_path: Path):
    """Opens a server with the same shelf as often as asked."""
    made = []

    def open_() -> Playground:
        catalogue = Catalogue(()).with_operator([f"tiny-bert={tiny_models['tiny-bert']}", f"tiny-marian={tiny_models['tiny-marian']}"])
        made.append(Playground(catalogue, "cpu", offline=True, kept=tmp_path / "kept"))
        return made[-1]

    yield open_
    for playground in made:
        playground.close()


@pytest.fixture
def playground(opened) -> Iterator[Playground]:
    return opened()


def test_a_comparison_leaves_models_that_every_tab_can_ask_also_after_a_restart(playground: Playground, opened) -> None:
    found = run(playground, "ada", plan("cloze", "prompt", "prefix"))
    assert found.state == "done" and [outcome.problem for outcome in found.outcomes] == [None] * 3
    assert [point.step for point in found.points if point.method == "prompt"] == [1, 2, 3]
    cloze, prompt, prefix = (outcome.kept for outcome in found.outcomes)
    assert cloze.trainable == 0 and prompt.trainable == 4 * 32 and 0 < prompt.share < 1 and prompt.n_bytes > 4 * 4 * 32
    assert sum(count for row in prompt.confusion.values() for count in row.values()) == prompt.own * 4 and prompt.test is not None
    assert len(prompt.prompt["words"]) == 4 and len(prompt.prompt["drift"]) == 3 and prompt.prompt["drift"][-1] > 0
    assert all(one.memory is None or one.memory >= 0 for one in (cloze, prompt, prefix))
    assert prefix.prompt is None and prefix.note is None and cloze.note is not None
    for server in (playground, opened()):
        rows = {row["name"]: row for row in server.models()}
        assert rows[prefix.name]["ready"] and "tune" not in rows[prefix.name]["tasks"] and "fill_mask" in rows[prefix.name]["tasks"]
        seen = server.ask(prefix.name, "attend", attend.Request(text="She drank tea."))
        assert seen.words_at("encoder.0.self")[1][:4] == ("[P1]", "[P2]", "[P3]", "[P4]")
        tried = server.try_out(prompt.name, "He ordered tea.")
        assert set(tried.before) == set(tried.after) == {"drink", "weather"} and sum(tried.after.values()) == pytest.approx(1, abs=1e-4)
        with pytest.raises(Problem, match="task_not_possible"):
            server.tune("bob", plan("prompt", model=prefix.name))
    assert server.try_out(prompt.name, "He ordered tea.").after == pytest.approx(playground.try_out(prompt.name, "He ordered tea.").after)


def test_with_several_seeds_the_middle_one_is_kept_and_all_are_told(playground: Playground, monkeypatch) -> None:
    accuracies = {5: 0.75, 6: 0.25, 7: 0.5}
    monkeypatch.setattr(Tuning, "accuracy", lambda tuning, items: accuracies[tuning.run.seed])
    found = run(playground, "ada", plan("prefix", seed=5, seeds=3))
    (outcome,) = found.outcomes
    assert outcome.problem is None and {(point.seed, point.step) for point in found.points} == {
        (s, n) for s in (5, 6, 7) for n in (1, 2, 3)
    }
    assert outcome.kept.seed == 7 and outcome.kept.dev == 0.5 and [one.seed for one in outcome.kept.seeds] == [5, 6, 7]
    assert outcome.kept.over_seeds("dev") == pytest.approx((0.5, 0.25)) and len(playground.shelf.of("ada")) == 1
    assert Shelf(playground.shelf.folder).get(outcome.kept.name) == replace(outcome.kept, wrong=())
    with pytest.raises(Problem, match="bad_seeds"):
        plan("prompt", seeds=4)


def test_what_goes_wrong_with_a_later_seed_leaves_what_earlier_ones_reached(playground: Playground, monkeypatch) -> None:
    learn = Tuning.learn

    def fails(tuning: Tuning) -> float:
        if tuning.run.seed == 2:
            raise Problem("tuning_diverged", step=1, rate=3.0)
        return learn(tuning)

    monkeypatch.setattr(Tuning, "learn", fails)
    found = run(playground, "ada", plan("prompt", seeds=3))
    reached, ended = found.outcomes
    assert reached.kept.seed == 1 and reached.problem is None and ended.kept is None and ended.problem.key == "tuning_diverged"


def test_memory_or_numbers_out_of_bounds_end_one_method_and_the_next_has_its_turn(playground: Playground, monkeypatch) -> None:
    learn = Tuning.learn

    def fails(tuning: Tuning) -> float:
        if tuning.method.name == "prompt":
            raise Problem("tuning_diverged", step=1, rate=3.0)
        if tuning.method.name == "lora":
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory")
        return learn(tuning)

    monkeypatch.setattr(Tuning, "learn", fails)
    found = run(playground, "ada", plan("prompt", "lora", "prefix"))
    assert [outcome.problem and outcome.problem.key for outcome in found.outcomes] == ["tuning_diverged", "tuning_memory", None]
    assert found.state == "done" and found.outcomes[2].kept.test is not None


def test_stopped_in_the_middle_it_keeps_what_was_learnt_until_then(playground: Playground) -> None:
    playground.tune("ada", plan("prefix", "prompt", amount=1000))
    steps = playground.runs.job("ada").follow()
    while not hasattr(next(steps), "loss"):
        pass
    playground.runs.stop("ada")
    list(steps)
    found = playground.runs.look("ada")
    assert found.state == "stopped" and [outcome.method for outcome in found.outcomes] == ["prefix"]
    assert 0 < found.outcomes[0].kept.steps < 1000


def test_only_models_that_can_learn_are_offered_for_it(playground: Playground) -> None:
    rows = {row["name"]: row["tasks"] for row in playground.models()}
    assert "tune" in rows["tiny-bert"] and "tune" not in rows["tiny-marian"]
    with pytest.raises(Problem, match="task_not_possible"):
        playground.tune("ada", plan("prompt", model="tiny-marian"))


def test_every_method_can_be_chosen_by_name_and_says_what_moves() -> None:
    boxes = {"input", "keys", "attention", "feedforward", "rest"}
    assert all(set(method.moves) <= boxes and (name == "cloze" or method.moves) for name, method in methods().items())
