"""What is kept of a tuning, and how it answers; questions in their templates; tuned models in the other tasks."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tuning_helpers import DRINK, SAY, classes, rewritten

from models.errors import Problem
from models.model import Model
from models.tuning import methods
from models.tuning.loop import Run, Tuning
from models.tuning.rates import RATES
from models.tuning.reading.choose import demonstrations
from models.tuning.results import FACTS, Outcome, load_outcome
from models.tuning.task import Example, Label
from models.tuning.template import ask, closing, tail
from models.tuning.twin import twin
from models.tuning.vectors import cosines, drift, nearest
from playground.tasks import attend, fill_mask, generate

CLOSE = dict(rtol=1e-5, atol=2e-5)


def run(model: Model, method: str, *, reading: str = "words", steps: int = 3, rate: float | None = None, **given: object) -> Tuning:
    chosen = methods()[method]
    examples = rewritten() if reading == "text" else classes()
    made = Tuning(
        model,
        chosen,
        examples,
        settings=chosen.settings(**given),
        run=Run(steps=steps, rate=rate, measure=0),
        reading=reading,
        name="tuned",
    )
    list(made.steps())
    return made


@pytest.mark.parametrize(
    ("method", "model", "reading", "given"),
    [
        ("cloze", "bert", "words", {"shots": 2}),
        ("prompt", "gpt2", "words", {"length": 3, "place": "end"}),
        ("prefix", "bert", "linear", {"length": 3, "mlp": 8}),
        ("lora", "bert", "mean", {"rank": 2}),
        ("lora", "llama", "words", {"rank": 2}),
        ("ffn_only", "marian", "text", {"layers": (-1,)}),
        ("full", "bert", "words", {}),
    ],
)
def test_saved_and_loaded_answers_the_same(
    method: str, model: str, reading: str, given: dict, tuning_models: dict[str, Model], tmp_path: Path
) -> None:
    base = tuning_models[model]
    made = Outcome.of(run(base, method, reading=reading, **given))
    made.save(tmp_path)
    found = load_outcome(tmp_path, base)
    assert found.method == method and found.task == made.task and found.facts == made.facts and found.model.name == "tuned"
    assert found.numbers.keys() == made.numbers.keys()
    examples = rewritten() if reading == "text" else classes()
    with torch.no_grad():
        scores = [one.reading.scores(one.prepared.network, one.reading.items(examples.test)) for one in (made, found)]
    torch.testing.assert_close(*(one[0] if isinstance(one, tuple) else one for one in scores), rtol=0, atol=0)
    if reading == "text":
        assert found.write(["She drank tea."], most=5) == made.write(["She drank tea."], most=5)
    else:
        chances = found.classify(["A cup of coffee.", "Rain."])
        assert chances == made.classify(["A cup of coffee.", "Rain."]) and all(sum(one.values()) == pytest.approx(1) for one in chances)
    with pytest.raises(Problem, match="wrong_base"):
        load_outcome(tmp_path, replace(base, name="another"))


def test_a_result_is_refused_where_its_base_has_other_weights_or_nobody_knows(tuning_models: dict[str, Model], tmp_path: Path) -> None:
    base = tuning_models["bert"]
    Outcome.of(run(base, "prefix")).save(tmp_path)
    changed = twin(base.network)
    with torch.no_grad():
        changed.encoder.layers[-1].feedforward.down.weight.data = changed.encoder.layers[-1].feedforward.down.weight * 1.01
    with pytest.raises(Problem, match="base_changed"):
        load_outcome(tmp_path, replace(base, network=changed))
    assert load_outcome(tmp_path, replace(base, network=twin(base.network))).method == "prefix"
    told = json.loads((tmp_path / FACTS).read_text())
    del told["base_weights"]  # as written by versions that did not look
    (tmp_path / FACTS).write_text(json.dumps(told))
    with pytest.raises(Problem, match="base_changed"):
        load_outcome(tmp_path, base)


def test_the_rate_is_that_of_the_kind_of_model_unless_somebody_names_one(tuning_models: dict[str, Model]) -> None:
    lora = methods()["lora"]
    for name, examples in (("bert", classes()), ("gpt2", classes()), ("marian", rewritten())):
        made = Tuning(tuning_models[name], lora, examples)
        assert made.rate == RATES["lora"][tuning_models[name].config.architecture].value
    assert Tuning(tuning_models["bert"], lora, classes(), run=Run(rate=0.5)).rate == 0.5
    assert set(RATES) == {name for name, method in methods().items() if name != "cloze"}
    assert all(set(kinds) == methods()[name].fits and all(rate.source for rate in kinds.values()) for name, kinds in RATES.items())


def test_a_measurement_counts_what_is_right(tuning_models: dict[str, Model]) -> None:
    outcome = Outcome.of(run(tuning_models["gpt2"], "full", steps=30, rate=3e-3))
    found = outcome.measure(classes().train)
    assert found.count == 8 and found.accuracy >= 0.75  # it has learnt these eight
    assert sum(sum(row.values()) for row in found.confusion.values()) == 8 and len(found.wrong) == round(8 * (1 - found.accuracy))
    assert sum(found.confusion[label][label] for label in DRINK.labels) == 8 * found.accuracy
    with pytest.raises(ValueError, match="nothing to measure"):
        outcome.measure([])


def test_a_question_is_cut_in_its_text_and_never_in_its_template(tuning_models: dict[str, Model]) -> None:
    for name in ("bert", "gpt2", "llama"):
        model = tuning_models[name]
        for text in ("A cup.", "wet streets " * 60, "", "[MASK] tea [MASK]", "茶" * 90):
            question = ask(model, DRINK, text, limit=24)
            ending = tail(model, DRINK)
            assert len(question.row) <= 24 and question.row.ids[-len(ending) :] == ending
            assert (
                (question.row.ids[question.column] == model.tokenizer.mask_id) if name == "bert" else question.column == len(question.row)
            )
            read = model.tokenizer.decode(question.row.ids)
            assert text[:6].lower() in read.lower() or "[MASK]" in text or "茶" in text
            if len(text) > 80:
                assert len(question.row) >= 22
        with pytest.raises(Problem, match="template_too_long"):
            ask(model, replace(DRINK, template="{text} " + "never " * 30 + "[MASK]"), "x", limit=24)
    assert closing(tuning_models["bert"]) == 1 and closing(tuning_models["gpt2"]) == 0
    with pytest.raises(Problem, match="no_mask_in_template"):
        ask(tuning_models["bert"], SAY, "x", limit=24)
    with pytest.raises(Problem, match="mask_before_text"):
        ask(tuning_models["gpt2"], replace(DRINK, template="[MASK]: {text}"), "x", limit=24)


def test_examples_in_front_are_as_many_as_fit_and_the_gap_is_the_last(tuning_models: dict[str, Model]) -> None:
    model, shown = tuning_models["bert"], demonstrations(classes(), 4, seed=1)
    assert [example.answer for example in shown] == ["drink", "weather", "drink", "weather"]
    lengths = [len(ask(model, DRINK, "A cup.", limit=limit, shown=shown).row) for limit in (30, 60, 120)]
    assert lengths == sorted(lengths) and lengths[0] < lengths[-1] <= 120
    question = ask(model, DRINK, "A cup.", limit=120, shown=shown)
    assert [column for column, index in enumerate(question.row.ids) if index == model.tokenizer.mask_id] == [question.column]


def test_calibration_takes_away_what_is_said_without_a_text(tuning_models: dict[str, Model]) -> None:
    made = Outcome.of(run(tuning_models["bert"], "cloze"))
    assert made.reading.calibrate
    assert list(made.classify([""])[0].values()) == pytest.approx([0.5, 0.5])


def test_label_words_that_cannot_be_told_apart_or_spelt_are_refused(tuning_models: dict[str, Model]) -> None:
    cloze = methods()["cloze"]
    for words, key in (("tea tea", "same_label_words"), ("tea ☃", "unknown_label_word")):
        labels = {name: Label(word=word) for name, word in zip(("drink", "weather"), words.split())}
        with pytest.raises(Problem, match=key):
            Tuning(tuning_models["bert"], cloze, replace(classes(), task=replace(DRINK, labels=labels)))


def test_what_does_not_go_together_is_refused(tuning_models: dict[str, Model]) -> None:
    prompt, prefix, lora = (methods()[name] for name in ("prompt", "prefix", "lora"))
    bert, marian = tuning_models["bert"], tuning_models["marian"]
    for key, make in {
        "method_does_not_fit": lambda: Tuning(marian, prompt, rewritten()),
        "reading_does_not_fit": lambda: Tuning(bert, prompt, classes(), reading="text"),
        "no_writing": lambda: Tuning(bert, prefix, rewritten()),
        "no_word_head": lambda: Tuning(marian, prefix, classes(), reading="words"),
        "bad_prompt_length": lambda: Tuning(bert, prompt, classes(), settings=prompt.settings(length=100)),
        "bad_prefix_length": lambda: Tuning(bert, prefix, classes(), settings=prefix.settings(length=0)),
        "no_prefix_place": lambda: Tuning(bert, prefix, classes(), settings=prefix.settings(places=("cross",))),
        "no_such_layer": lambda: Tuning(bert, prefix, classes(), settings=prefix.settings(layers=(3,))),
        "no_prompt_text": lambda: Tuning(bert, prompt, classes(), settings=prompt.settings(start="text")),
        "bad_rank": lambda: Tuning(bert, lora, classes(), settings=lora.settings(rank=0)),
        "bad_lora_targets": lambda: Tuning(bert, lora, classes(), settings=lora.settings(targets=("gate",))),
        "bad_budget": lambda: Run(steps=0),
        "too_few_rows": lambda: Tuning(bert, prompt, replace(classes(), train=())),
        "tuning_needs_floats": lambda: twin(twin(bert.network).half()),
    }.items():
        with pytest.raises(Problem) as raised:
            make()
        assert raised.value.key == key


def test_a_rate_that_is_far_too_high_ends_the_run_with_advice(tuning_models: dict[str, Model]) -> None:
    method = methods()["full"]
    made = Tuning(tuning_models["gpt2"], method, classes(), run=Run(steps=50, rate=1e20, warmup=0, measure=0))
    with pytest.raises(Problem, match="tuning_diverged"):
        list(made.steps())
    assert made.over


def test_a_budget_ends_a_run(tuning_models: dict[str, Model]) -> None:
    method = methods()["prompt"]
    by_epochs = Tuning(tuning_models["bert"], method, classes(), run=Run(epochs=2, rows=4, measure=0))
    assert len(list(by_epochs.steps())) == 4
    by_time = Tuning(tuning_models["bert"], method, classes(), run=Run(seconds=1e-6))
    assert [step.last for step in by_time.steps()] == [True]
    with pytest.raises(ValueError, match="ended"):
        by_time.step()


def test_prompt_and_prefix_are_seen_in_the_attention_pictures(tuning_models: dict[str, Model]) -> None:
    text = "A cup of tea."
    plain = attend.run(tuning_models["bert"], [attend.Request(text=text)])[0]
    prefixed = Outcome.of(run(tuning_models["bert"], "prefix", length=2, layers=(0, 1), steps=1)).model
    found, short = attend.run(prefixed, [attend.Request(text=text), attend.Request(text="tea")])
    rows, columns = found.words_at("encoder.0.self")
    assert rows == plain.words["encoder"] and columns == ("[P1]", "[P2]", *rows)
    assert found.words_at("encoder.2.self") == (rows, rows)
    for site in found.sites:
        weights = found.all_weights(site)
        assert weights.shape[1:] == tuple(map(len, found.words_at(site))) and weights.sum(-1) == pytest.approx(1, abs=1e-5)
    alone = attend.run(prefixed, [attend.Request(text="tea")])[0]
    torch.testing.assert_close(
        torch.from_numpy(short.weights("encoder.0.self")), torch.from_numpy(alone.weights("encoder.0.self")), **CLOSE
    )
    for place, words in (
        ("front", ("[P1]", "[P2]", "[CLS]")),
        ("end", ("[SEP]", "[P1]", "[P2]")),
        ("between", (".", "[P1]", "[P2]", "[SEP]")),
    ):
        prompted = Outcome.of(run(tuning_models["bert"], "prompt", length=2, place=place, steps=1)).model
        seen = attend.run(prompted, [attend.Request(text=text), attend.Request(text="tea")])[0]
        shown = seen.words["encoder"]
        assert len(shown) == len(rows) + 2 and (shown[: len(words)] == words or shown[-len(words) :] == words)
        assert seen.weights("encoder.1.self").shape == (len(shown), len(shown))


def test_tuned_models_answer_the_other_questions_too(tuning_models: dict[str, Model]) -> None:
    masked = Outcome.of(run(tuning_models["bert"], "prompt", length=2, place="between", steps=1)).model
    found = fill_mask.run(masked, [fill_mask.Request(text="A [MASK] of tea."), fill_mask.Request(text="[MASK]")])
    alone = fill_mask.run(masked, [fill_mask.Request(text="[MASK]")])[0]
    assert [one.word for one in found[1].masks[0].candidates] == [one.word for one in alone.masks[0].candidates]
    for method, given in (("prompt", {"length": 3, "place": "end"}), ("prefix", {"length": 3})):
        writer = Outcome.of(run(tuning_models["gpt2"], method, reading="text", steps=1, **given)).model
        assert writer.limit == tuning_models["gpt2"].limit - 3
        requests = [generate.Request(prompt=text, max_new_tokens=4, temperature=0.0) for text in ("A cup of tea", "The")]
        both = [result.text for result in generate.run(writer, requests)]
        assert both == [generate.run(writer, [request])[0].text for request in requests]


def test_an_unknown_answer_is_an_item_without_one(tuning_models: dict[str, Model]) -> None:
    made = run(tuning_models["bert"], "cloze")
    assert [item.answer for item in made.reading.items([Example(text="tea", answer=""), Example(text="tea", answer="weather")])] == [-1, 1]


def test_a_prompt_that_starts_as_words_is_nearest_to_them_and_drifts(tuning_models: dict[str, Model]) -> None:
    model, method = tuning_models["bert"], methods()["prompt"]
    made = Tuning(model, method, classes(), settings=method.settings(length=3, start="labels"), run=Run(steps=2, measure=0))
    vectors = made.prepared.network.extra.vectors
    start = vectors.detach().clone()
    assert [near[0].word for near in nearest(model, vectors, count=2)] == ["tea", "blue", "tea"]
    assert nearest(model, vectors)[0][0].cosine == pytest.approx(1, abs=1e-5) and not drift(vectors, start).any()
    same = cosines(vectors)
    assert same[0, 2] == pytest.approx(1, abs=1e-5) and same[0, 1] == same[1, 0] < 0.99
    list(made.steps())
    assert drift(vectors, start).min() > 0
