"""The inside of a layer adds up, and the logit lens ends in the model's own answer."""

import numpy as np
import pytest
import torch

from models.errors import Problem
from models.trace import Trace
from playground.tasks import attend, inside, logit_lens, predict

TEXT = "She drank a cup of tea in the morning."
NAMES = ["tiny-bert", "tiny-gpt2", "tiny-llama", "tiny-marian"]


def boxes(result: inside.Result) -> dict[tuple[str, str], np.ndarray]:
    return {(box.part, box.kind): box.values for box in result.boxes}


@pytest.mark.parametrize("name", NAMES)
def test_each_part_adds_its_update_to_the_stream(ours, name: str) -> None:
    model = ours(name)
    about = attend.Request(text=TEXT)
    layers = inside.run(model, [inside.Request(about=about, layer="encoder.0" if name in NAMES[::3] else "decoder.0")])[0].layers
    for layer in layers:
        request = inside.Request(about=about, layer=layer)
        assert inside.size(model, request) == attend.size(model, about)
        result = inside.run(model, [request])[0]
        parts = ["self", "cross", "feedforward"] if name == "tiny-marian" and layer.startswith("decoder") else ["self", "feedforward"]
        stack, number = layer.split(".")
        block = getattr(model.network, stack).layers[int(number)]
        found, stream = boxes(result), boxes(result)["input", "hidden"]
        assert list(dict.fromkeys(part for part, _ in found)) == ["input", *parts]
        for part in parts:
            total = stream + found[part, "update"]
            norm = getattr(block, {"self": "self_norm", "cross": "cross_norm", "feedforward": "feedforward_norm"}[part])
            with torch.inference_mode():
                normed = norm(torch.from_numpy(stream if result.norm_first else total)).numpy()
            np.testing.assert_allclose(found[part, "normed"], normed, rtol=1e-4, atol=1e-5)
            stream = found[part, "stream"] if result.norm_first else found[part, "normed"]
            if result.norm_first:
                np.testing.assert_allclose(stream, total, rtol=1e-5, atol=1e-6)
        assert result.boxes[0].norms.shape == (len(result.words),)


@pytest.mark.parametrize("name", NAMES)
def test_the_last_layer_says_what_the_model_says(ours, name: str) -> None:
    model, texts = ours(name), [TEXT, "Paris is the capital"]
    results = logit_lens.run(model, [logit_lens.Request(about=attend.Request(text=text)) for text in texts])
    for text, result in zip(texts, results):
        guess = predict.run(model, [predict.Request(about=attend.Request(text=text), top_k=5)])[0]
        assert (result.words, result.place, result.covered) == (guess.words, guess.place, guess.covered)
        assert [one.word for one in result.layers[-1].candidates] == [one.word for one in guess.candidates]
        assert result.layers[-1].final == pytest.approx(guess.candidates[0].probability, rel=1e-3)
        count = model.config.n_decoder_layers or model.config.n_encoder_layers
        assert len(result.layers) == count + 1 and result.layers[0].site.endswith("embeddings")
        assert len({layer.candidates for layer in result.layers}) > 1


def test_a_layer_before_the_last_is_read_with_the_same_head(ours) -> None:
    model = ours("tiny-llama")
    result, trace = logit_lens.run(model, [logit_lens.Request(about=attend.Request(text=TEXT), place=2)])[0], Trace({"hidden"})
    with torch.inference_mode():
        model.network.decode(model.batch([model.tokenizer.encode(TEXT)]), trace=trace)
        scores = model.network.logits(model.network.decoder.norm(trace.get("decoder.0", "hidden")[0, 2]))
    assert result.layers[1].candidates[0].probability == pytest.approx(scores.float().softmax(-1).max().item(), rel=1e-4)


def test_what_is_not_there_is_refused(ours, monkeypatch: pytest.MonkeyPatch) -> None:
    model, about = ours("tiny-bert"), attend.Request(text=TEXT)
    for layer in ("encoder.7", "decoder.0", "encoder.0.self", ""):
        with pytest.raises(Problem) as refusal:
            inside.size(model, inside.Request(about=about, layer=layer))
        assert refusal.value.key == "no_such_part"
    monkeypatch.setattr(inside, "LIMIT", 3)
    with pytest.raises(Problem) as refusal:
        inside.size(model, inside.Request(about=about, layer="encoder.0"))
    assert refusal.value.key == "too_long_inside"
