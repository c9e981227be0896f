"""What holds of every method, on every kind of model that it fits."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor
from tuning_helpers import classes, rewritten

from models.model import Model
from models.tokens import Row
from models.tuning import methods
from models.tuning.loop import Run, Tuning
from models.tuning.lora import merge
from models.tuning.reading import pooled
from models.tuning.tuned import Tuned
from models.tuning.twin import twin

CLOSE = dict(rtol=1e-5, atol=2e-5)
CASES = [
    ("cloze", "bert", {}, "words"),
    ("cloze", "gpt2", {"shots": 2}, "words"),
    ("prompt", "bert", {"length": 4}, "words"),
    ("prompt", "bert", {"length": 4, "place": "between", "start": "labels"}, "words"),
    ("prompt", "llama", {"length": 3, "place": "end", "start": "text", "text": "the cup"}, "words"),
    ("prompt", "gpt2", {"length": 3, "place": "end", "start": "random"}, "text"),
    ("prefix", "bert", {"length": 4}, "words"),
    ("prefix", "bert", {"length": 3, "layers": (1, -1), "start": "text", "text": "tea"}, "linear"),
    ("prefix", "bert", {"length": 3}, "mean"),
    ("prompt", "bert", {"length": 3, "place": "between"}, "mean"),
    ("prompt", "gpt2", {"length": 3}, "mean"),
    ("prefix", "gpt2", {"length": 4, "mlp": 16}, "words"),
    ("prefix", "llama", {"length": 4}, "text"),
    ("prefix", "marian", {"length": 4, "places": ("encoder", "decoder", "cross")}, "text"),
    ("prefix", "marian", {"length": 2, "mlp": 8}, "text"),
    ("ffn_only", "bert", {"layers": (-1,)}, "words"),
    ("ffn_only", "llama", {}, "words"),
    ("ffn_only", "marian", {}, "text"),
    ("full", "bert", {}, "linear"),
    ("full", "gpt2", {}, "words"),
    ("full", "marian", {}, "text"),
    ("lora", "bert", {"rank": 3, "targets": ("q", "v", "up")}, "words"),
    ("lora", "llama", {"rank": 2, "targets": ("q", "k", "v", "out", "gate", "up", "down")}, "words"),
    ("lora", "gpt2", {"rank": 2, "targets": ("qkv",)}, "text"),
    ("lora", "marian", {"rank": 2}, "text"),
]
LEARNING = [case for case in CASES if case[0] != "cloze"]


def named(case: tuple) -> str:
    return "-".join(map(str, (case[0], case[1], *case[2].values(), case[3])))


def tuning(case: tuple, models: dict[str, Model], **run: Any) -> Tuning:
    name, model, given, reading = case
    method = methods()[name]
    examples = rewritten() if reading == "text" else classes()
    return Tuning(
        models[model], method, examples, settings=method.settings(**given), run=Run(**{"steps": 10, "measure": 0} | run), reading=reading
    )


def numbers(model: Model) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in model.network.state_dict().items()}


def test_every_method_is_tried_here() -> None:
    assert {case[0] for case in CASES} == set(methods())
    assert list(methods()) == sorted(methods(), key=lambda name: methods()[name].order)


@pytest.mark.parametrize("case", CASES, ids=named)
def test_the_loss_falls_and_nothing_moves_that_was_not_declared(case: tuple, tuning_models: dict[str, Model]) -> None:
    base = tuning_models[case[1]]
    before = numbers(base)
    found = tuning(case, tuning_models)
    everything = {**dict(found.prepared.network.named_parameters()), **found.reading.trainable}
    frozen = {name: value.detach().clone() for name, value in everything.items() if name not in found.trainable}
    moved = {name: value.detach().clone() for name, value in found.trainable.items()}
    steps = list(found.steps())
    assert all(torch.equal(before[name], value) for name, value in base.network.state_dict().items())
    assert all(parameter.grad is None for parameter in base.network.parameters())
    assert all(torch.equal(value, everything[name]) for name, value in frozen.items())
    assert steps[-1].last and steps[-1].accuracy is not None
    if case[0] == "cloze":
        assert len(steps) == 1 and steps[0].loss is None and not found.trainable
    else:
        assert len(steps) == 10 and steps[-1].loss < steps[0].loss
        still = [name for name, value in moved.items() if torch.equal(value, found.trainable[name])]
        # What is not read has no gradient, and in models so small attention hardly depends on its queries and keys.
        unread = {"full": ("heads.", "positions.", "segments.", "qkv"), "lora": (".q.a", ".k.a")}.get(case[0], ())
        assert all(any(part in name for part in unread) for name in still), still


@pytest.mark.parametrize("case", CASES, ids=named)
def test_a_batch_says_what_its_texts_say_alone(case: tuple, tuning_models: dict[str, Model]) -> None:
    found = tuning(case, tuning_models, steps=2)
    list(found.steps())
    items, network = found.items[:4], found.prepared.network
    with torch.no_grad():
        scores = found.reading.scores(network, items)
        alone = [found.reading.scores(network, [item]) for item in items]
    if case[3] == "text":
        for index, (row, _) in enumerate(alone):
            torch.testing.assert_close(scores[0][index, : row.shape[1]], row[0], **CLOSE)
    else:
        torch.testing.assert_close(scores, torch.cat(alone), **CLOSE)


@pytest.mark.parametrize("case", LEARNING[::2], ids=named)
def test_interrupted_and_resumed_is_uninterrupted(case: tuple, tuning_models: dict[str, Model]) -> None:
    whole = tuning(case, tuning_models, steps=6, rows=3)
    losses = [step.loss for step in whole.steps()]
    first = tuning(case, tuning_models, steps=6, rows=3)
    begun = [first.step().loss for _ in range(4)]
    state = first.state()
    first.step()  # what happens later does not change what was kept
    second = tuning(case, tuning_models, steps=6, rows=3)
    second.restore(state)
    assert [*begun, *(step.loss for step in second.steps())] == losses
    assert all(torch.equal(whole.trainable[name], value) for name, value in second.trainable.items())


def plain_scores(found: Tuning, model: Model) -> Tensor:
    with torch.no_grad():
        scores = found.reading.scores(found.prepared.network, found.items)
    return scores[0] if isinstance(scores, tuple) else scores


@pytest.mark.parametrize(
    "case",
    [
        ("lora", "bert", {"targets": ("q", "k", "v", "out", "up", "down")}, "words"),
        ("lora", "llama", {}, "words"),
        ("lora", "marian", {}, "text"),
        ("full", "gpt2", {}, "words"),
        ("ffn_only", "bert", {}, "words"),
        ("prompt", "bert", {"length": 0}, "words"),
        ("prompt", "gpt2", {"length": 0, "place": "end"}, "words"),
    ],
    ids=named,
)
def test_a_start_at_zero_is_the_base(case: tuple, tuning_models: dict[str, Model]) -> None:
    found = tuning(case, tuning_models)
    with torch.no_grad():
        tuned = found.prepared.network
        tokens = found.model.batch([item.row for item in found.items[:3]])
        base = tuning_models[case[1]].network
        if base.decoder is None:
            torch.testing.assert_close(tuned.encode(tokens)[tokens.mask], base.encode(tokens)[tokens.mask], **CLOSE)
        else:
            memory = None if base.encoder is None else base.encode(tokens)
            given = {} if memory is None else {"memory": memory, "memory_mask": tokens.mask}
            torch.testing.assert_close(tuned.decode(tokens, **given)[tokens.mask], base.decode(tokens, **given)[tokens.mask], **CLOSE)


@pytest.mark.parametrize("name", ["gpt2", "llama"])
def test_a_decoder_whose_prefix_starts_as_a_text_reads_on_from_that_text(name: str, tuning_models: dict[str, Model]) -> None:
    model, text = tuning_models[name], "The cup was blue."
    length = len(model.tokenizer.encode(text, special=False))
    found = tuning(("prefix", name, {"length": length, "start": "text", "text": text}, "words"), tuning_models)
    opening = model.tokenizer.encode(text, special=False).ids
    rows = [item.row for item in found.items[:3]]
    whole = [Row(**{part: (*filler, *getattr(row, part)) for part, filler in fillers(opening).items()}) for row in rows]
    with torch.no_grad():
        tokens, longer = found.model.batch(rows), model.batch(whole)
        continued = found.prepared.network.decode(tokens)
        read = model.network.decode(longer)[:, length:]
    torch.testing.assert_close(continued[tokens.mask], read[tokens.mask], **CLOSE)


def fillers(ids: tuple[int, ...]) -> dict[str, tuple]:
    """The parts of a row for words that are given by their ids."""
    return {"ids": ids, "words": ("",) * len(ids), "segments": (0,) * len(ids), "special": (False,) * len(ids), "spans": (None,) * len(ids)}


@pytest.mark.parametrize("case", [case for case in CASES if case[0] == "lora"], ids=named)
def test_lora_merges_into_ordinary_matrices(case: tuple, tuning_models: dict[str, Model]) -> None:
    found = tuning(case, tuning_models, steps=4)
    list(found.steps())
    before = plain_scores(found, found.model)
    merge(found.prepared.network.network)
    torch.testing.assert_close(plain_scores(found, found.model), before, **CLOSE)
    assert found.prepared.network.network.state_dict().keys() == tuning_models[case[1]].network.state_dict().keys()


@pytest.mark.parametrize("case", [case for case in CASES if "mlp" in case[2]], ids=named)
def test_a_folded_prefix_answers_as_before(case: tuple, tuning_models: dict[str, Model]) -> None:
    found = tuning(case, tuning_models, steps=4)
    list(found.steps())
    folded = found.prepared.folded()
    with torch.no_grad():
        now, then = (found.reading.scores(network, found.items)[0] for network in (folded.network, found.prepared.network))
    torch.testing.assert_close(now, then, **CLOSE)
    assert folded.settings == replace(found.prepared.settings, mlp=0)
    assert all("numbers" in name for name in folded.trainable)


def test_a_twin_shares_what_is_frozen_and_keeps_ties(tuning_models: dict[str, Model]) -> None:
    base = tuning_models["bert"].network
    made = twin(base, train=["heads.mlm.output.weight"])  # tied to the word table
    assert made.heads["mlm"].output.weight is made.embeddings.words.weight
    assert made.embeddings.words.weight.requires_grad and made.embeddings.words.weight.data_ptr() != base.embeddings.words.weight.data_ptr()
    shared = [name for name, value in made.named_parameters() if value.data_ptr() == base.get_parameter(name).data_ptr()]
    assert len(shared) == len(list(made.named_parameters())) - 1
    with pytest.raises(ValueError, match="nowhere"):
        twin(base, train=["nowhere"])


def test_below_what_moves_no_gradient_is_computed_and_only_label_words_are_scored(tuning_models: dict[str, Model]) -> None:
    found = tuning(("ffn_only", "bert", {"layers": (-1,)}, "words"), tuning_models)
    network, seen = found.prepared.network.network, {}
    for index, layer in enumerate(network.encoder.layers):
        layer.register_forward_hook(
            lambda module, given, output, index=index: seen.update({index: (output.requires_grad, output.shape[1])})
        )
    network.heads["mlm"].register_forward_hook(lambda module, given, output: seen.update(head=tuple(output.shape)))
    found.step()
    width = max(len(item.row) for item in found.items)
    assert seen == {0: (False, width), 1: (False, width), 2: (True, 1), "head": (8, 2)}


@pytest.mark.parametrize("reading", ["words", "linear", "mean"])
def test_the_rows_of_words_that_occur_learn_what_the_whole_table_learns(
    reading: str, tuning_models: dict[str, Model], monkeypatch: pytest.MonkeyPatch
) -> None:
    few = tuning(("full", "bert", {}, reading), tuning_models, steps=5)
    assert few.touched is not None and len(few.touched.ids) < few.base.config.vocab_size
    monkeypatch.setattr(Tuning, "words_alone", lambda self: None)
    whole = tuning(("full", "bert", {}, reading), tuning_models, steps=5)
    torch.testing.assert_close([step.loss for step in few.steps()], [step.loss for step in whole.steps()], **CLOSE)
    before = tuning_models["bert"].network.embeddings.words.weight
    for name, value in whole.trainable.items():
        torch.testing.assert_close(few.trainable[name], value, **CLOSE)
    table = few.prepared.network.embeddings.words.weight
    moved = (table != before).any(dim=1).nonzero()[:, 0].tolist()
    assert moved and set(moved) <= set(few.touched.ids.tolist())


@pytest.mark.parametrize("name", ["bert", "gpt2"])
def test_the_mean_is_that_of_what_a_text_alone_has_of_each_of_its_words(name: str, tuning_models: dict[str, Model]) -> None:
    model = tuning_models[name]
    rows = [model.tokenizer.encode(text) for text in ("She drank tea.", "Why?")]
    wanted = []
    for row in rows:
        tokens = model.batch([row])
        outputs = model.network.encode(tokens) if model.network.encoder else model.network.decode(tokens)
        assert outputs.shape[1] == len(row)
        wanted.append(outputs[0].mean(0))
    torch.testing.assert_close(pooled(Tuned(model.network), model.batch(rows)), torch.stack(wanted), **CLOSE)


def test_where_all_words_have_a_gradient_the_table_moves_as_a_whole(tuning_models: dict[str, Model]) -> None:
    assert tuning(("full", "marian", {}, "text"), tuning_models).touched is None
    assert tuning(("full", "bert", {}, "words"), tuning_models, weight_decay=0.1).touched is None
    assert tuning(("ffn_only", "bert", {}, "words"), tuning_models).touched is None


def test_with_dropout_a_run_can_be_interrupted_and_answers_without_it(tuning_models: dict[str, Model]) -> None:
    case, run = ("full", "bert", {}, "linear"), {"steps": 5, "rows": 3, "dropout": 0.3}
    whole = tuning(case, tuning_models, **run)
    losses = [step.loss for step in whole.steps()]
    plain = [step.loss for step in tuning(case, tuning_models, **run | {"dropout": 0.0}).steps()]
    assert losses != plain
    first = tuning(case, tuning_models, **run)
    begun = [first.step().loss for _ in range(2)]
    second = tuning(case, tuning_models, **run)
    second.restore(first.state())
    torch.manual_seed(77)  # what others draw in between changes nothing
    assert [*begun, *(step.loss for step in second.steps())] == losses
    scores = [plain_scores(whole, whole.model) for _ in range(2)]
    assert torch.equal(*scores)
