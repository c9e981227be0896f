"""Real runs on a tiny model: what they leave can be asked like any model, on this server and after a restart of it."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from transformers import BertModel

from models.catalogue import Catalogue
from models.errors import Problem
from models.tuning import methods
from models.tuning.loop import Tuning
from models.tuning.task import Example, Examples, Label, Task
from models.tuning.worded import reworded
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
PAIRS = tuple(Example(text=text, answer=other) for text, other in zip(TEXTS, TEXTS[1:]))
REWRITE = Examples(task=Task(name="say", kind="rewrite", template="Say: {text}"), train=PAIRS, dev=PAIRS[:2], test=PAIRS[2:4])
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
        catalogue = Catalogue(()).with_operator([f"{name}={tiny_models[name]}" for name in ("tiny-bert", "tiny-gpt2", "tiny-marian")])
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


def test_a_soup_broken_off_is_the_mean_of_the_runs_that_ended(playground: Playground, monkeypatch) -> None:
    whole = run(playground, "ada", plan("prefix", amount=6, soup=3))
    assert [point.step for point in whole.points] == [1, 2, 3, 4, 5, 6] and whole.outcomes[0].problem is None
    settled: list[int] = []
    settle, step = Tuning.settle, Tuning.step

    def watched(tuning: Tuning) -> None:
        settle(tuning)
        settled.append(tuning.soup.done)

    def late(tuning: Tuning):
        if tuning.step_number == 3:
            raise Problem("job_deadline", seconds=600.0)
        return step(tuning)

    monkeypatch.setattr(Tuning, "settle", watched)
    monkeypatch.setattr(Tuning, "step", late)
    broken = run(playground, "bob", plan("prefix", amount=6, soup=3))
    assert broken.outcomes[0].kept.steps == 3 and settled == [1]
    with pytest.raises(Problem, match="bad_soup"):
        plan("prefix", soup=11)


def test_an_encoder_without_a_head_for_words_learns_through_a_new_layer(tiny_models, tmp_path: Path) -> None:
    shutil.copytree(tiny_models["tiny-bert"], tmp_path / "bare")
    BertModel.from_pretrained(tmp_path / "bare", add_pooling_layer=False).save_pretrained(tmp_path / "bare")
    catalogue = Catalogue(()).with_operator([f"bare={tmp_path / 'bare'}"])
    with Playground(catalogue, "cpu", offline=True, kept=tmp_path / "kept") as playground:
        found = run(playground, "ada", plan("cloze", "prefix", model="bare"))
        assert playground.models()[0]["tasks"] == ["attend", "tune"]
        cloze, prefix = found.outcomes
        assert cloze.problem.key == "no_word_head" and prefix.problem is None and prefix.kept.test is not None
        told = json.loads((playground.shelf.place(prefix.kept) / "tuned.json").read_text())
        assert told["reading"] == "mean"
        slow = run(playground, "bob", plan("prefix", model="bare", head_rate=1e-4)).points
        assert [point.loss for point in slow][1:] != [point.loss for point in found.points if point.method == "prefix"][1:]
        tried = playground.try_out(prefix.kept.name, "A cup of tea.")
        assert tried.before is None and set(tried.after) == set(EXAMPLES.task.labels)


def test_what_was_learnt_until_the_deadline_is_kept(playground: Playground, monkeypatch) -> None:
    step = Tuning.step

    def late(tuning: Tuning):
        if tuning.step_number == 2:
            raise Problem("job_deadline", seconds=600.0)
        return step(tuning)

    monkeypatch.setattr(Tuning, "step", late)
    found = run(playground, "ada", plan("prefix", "prompt", amount=10))
    assert found.state == "failed" and found.problem.key == "job_deadline"
    assert [(outcome.method, outcome.kept.steps) for outcome in found.outcomes] == [("prefix", 2)]


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
    assert all("tune" in rows[name] for name in ("tiny-bert", "tiny-marian", "tiny-gpt2"))


@pytest.mark.parametrize("model", ["tiny-gpt2", "tiny-marian"])
def test_texts_are_rewritten_and_before_and_after_are_two_texts(playground: Playground, model: str) -> None:
    found = run(playground, "ada", plan("cloze", "prefix", "lora", model=model, examples=REWRITE))
    cloze, *others = found.outcomes
    assert cloze.kept is None and cloze.problem.key in ("cloze_classifies", "method_does_not_fit")
    for outcome in others:
        assert outcome.problem is None and outcome.kept.kind == "rewrite" and 0 <= outcome.kept.test <= 1 and not outcome.kept.confusion
        tried = playground.try_out(outcome.kept.name, "She drank tea.")
        assert isinstance(tried.before, str) and isinstance(tried.after, str)
        with pytest.raises(Problem, match="empty_text"):
            playground.try_out(outcome.kept.name, " ")


def test_a_translator_learns_classes_with_a_head_of_its_own(playground: Playground) -> None:
    prompt, lora = run(playground, "ada", plan("prompt", "lora", model="tiny-marian")).outcomes
    assert prompt.problem.key == "method_does_not_fit" and lora.problem is None and lora.kept.test is not None
    tried = playground.try_out(lora.kept.name, "He ordered tea.")
    assert tried.before is None and set(tried.after) == {"drink", "weather"}


def test_the_task_can_be_put_in_other_words_which_the_model_is_asked_about(playground: Playground) -> None:
    task = reworded(TASK, template="{text} A cup of [MASK].", words={"weather": "coffee tea"})
    first, second = playground.spell("tiny-bert", task)
    assert first.pieces == ("tea",) and len(second.pieces) == second.compared > 1
    assert playground.spell("tiny-gpt2", task)[1].compared == 1
    for other, key in (("{text} It was.", "no_mask_in_template"), ("[MASK]: {text} [MASK]", "no_mask_in_template")):
        with pytest.raises(Problem, match=key):
            playground.spell("tiny-bert", reworded(TASK, template=other))
    with pytest.raises(Problem, match="no_word_head"):
        playground.spell("tiny-marian", task)
    assert playground.spell("tiny-marian", REWRITE.task) == ()
    wish = {"template": task.template, "words": (("weather", "coffee tea"),), "shots": 2, "start": "labels", "place": "between"}
    found = run(playground, "ada", plan("cloze", "prompt", "prefix", **wish))
    assert [outcome.problem for outcome in found.outcomes] == [None] * 3
    told = json.loads((playground.shelf.place(found.outcomes[1].kept) / "tuned.json").read_text())
    assert told["task"]["template"] == task.template and told["task"]["labels"]["weather"]["word"] == "coffee tea"
    assert (told["settings"]["start"], told["settings"]["place"], told["reading"]) == ("labels", "between", "words")
    linear, mean = (run(playground, "ada", plan("cloze", "prefix", reading=reading)).outcomes for reading in ("linear", "mean"))
    told = [json.loads((playground.shelf.place(outcome.kept) / "tuned.json").read_text())["reading"] for outcome in (*linear, *mean)]
    assert told == ["words", "linear", "words", "mean"], "a cloze has nothing that could learn a layer"


def test_a_visitor_deletes_what_is_theirs_and_nothing_else(playground: Playground) -> None:
    kept = run(playground, "ada", plan("cloze")).outcomes[0].kept
    folder = playground.shelf.place(kept)
    with pytest.raises(Problem, match="unknown_result"):
        playground.forget("bob", kept.name)
    assert folder.is_dir()
    playground.forget("ada", kept.name)
    assert not folder.exists() and playground.shelf.all() == [] and kept.name not in {row["name"] for row in playground.models()}
    with pytest.raises(Problem, match="unknown_result"):
        playground.forget("ada", kept.name)


def test_a_result_is_refused_in_a_sentence_when_its_base_has_other_weights(opened, tiny_models, tmp_path: Path) -> None:
    kept = run(opened(), "ada", plan("prefix")).outcomes[0].kept
    facts = tmp_path / "kept" / kept.id / "tuned.json"
    told = json.loads(facts.read_text())
    facts.write_text(json.dumps(told | {"base_weights": "0" * 32}))
    later = opened()
    with pytest.raises(Problem, match="base_changed"):
        later.try_out(kept.name, "He ordered tea.")
    with pytest.raises(Problem, match="base_changed"):
        later.ask(kept.name, "attend", attend.Request(text="She drank tea."))


def test_data_sets_of_the_hub_are_fetched_only_where_the_operator_allows_it(playground: Playground, monkeypatch) -> None:
    with pytest.raises(Problem, match="hub_data_not_allowed"):
        playground.hub_rows("nobody/reviews")
    monkeypatch.setattr(playground.catalogue, "allow_hub", True)
    with pytest.raises(Problem, match="hub_data_unreachable"):
        playground.hub_rows("nobody/reviews")  # this server is offline


def test_every_method_can_be_chosen_by_name_and_says_what_moves() -> None:
    boxes = {"input", "keys", "attention", "feedforward", "rest"}
    assert all(set(method.moves) <= boxes and (name == "cloze" or method.moves) for name, method in methods().items())
