"""The library PEFT and ours on the same tiny random models: equal scores, equal gradients, and files that both can read."""

from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, PeftModel, PrefixTuningConfig, PromptTuningConfig, get_peft_model
from torch import Tensor, nn
from transformers import AutoModelForCausalLM, AutoModelForMaskedLM, AutoModelForSeq2SeqLM
from tuning_helpers import DRINK, SAY, classes, rewritten

from models.errors import Problem
from models.model import Model
from models.tokens import Tokens
from models.tuning import Prepared, methods
from models.tuning.loop import Run, Tuning
from models.tuning.peft_format import export, load_adapter
from models.tuning.results import Outcome
from models.tuning.tuned import tuned_model

CLOSE = dict(rtol=1e-5, atol=2e-5)
KINDS = {"bert": AutoModelForMaskedLM, "gpt2": AutoModelForCausalLM, "llama": AutoModelForCausalLM, "marian": AutoModelForSeq2SeqLM}
TASKS = {"bert": "FEATURE_EXTRACTION", "gpt2": "CAUSAL_LM", "llama": "CAUSAL_LM", "marian": "SEQ_2_SEQ_LM"}
ATTENTION = {
    "bert": ["query", "value"],
    "gpt2": ["c_attn"],
    "llama": ["q_proj", "v_proj", "down_proj"],
    "marian": ["q_proj", "v_proj", "fc1"],
}
OURS = {"bert": ("q", "v"), "gpt2": ("qkv",), "llama": ("q", "v", "down"), "marian": ("q", "v", "up")}
CASES = [(method, model) for method in ("prompt", "prefix", "lora") for model in KINDS if (method, model) != ("prompt", "marian")]
ROWS = [[5, 6, 7, 8, 9, 10], [11, 12, 13]]


def peer(model: str, folder: Path) -> nn.Module:
    return KINDS[model].from_pretrained(folder, attn_implementation="eager").eval()


def settings_of(method: str, model: str) -> Any:
    torch.manual_seed(3)
    common = {"task_type": TASKS[model]}
    if method == "prompt":
        return PromptTuningConfig(num_virtual_tokens=4, num_transformer_submodules=1, **common)
    if method == "prefix":
        return PrefixTuningConfig(num_virtual_tokens=4, num_layers=4 if model == "marian" else None, **common)
    return LoraConfig(r=3, lora_alpha=7, target_modules=ATTENTION[model], fan_in_fan_out=model == "gpt2", **common)


def batch() -> Tokens:
    ids, mask = torch.full((2, 6), 1), torch.zeros(2, 6, dtype=torch.bool)
    for index, row in enumerate(ROWS):
        ids[index, : len(row)], mask[index, : len(row)] = torch.tensor(row), True
    return Tokens(ids=ids, mask=mask, segments=torch.zeros_like(ids), lengths=(6, 3))


def ours(network: Any, tokens: Tokens) -> Tensor:
    """Scores of all words at the real positions."""
    if network.decoder is None:
        return network.heads["mlm"](network.encode(tokens))[tokens.mask]
    if network.encoder is not None:
        hidden = network.decode(tokens, memory=network.encode(tokens), memory_mask=tokens.mask)
    else:
        hidden = network.decode(tokens)
    return network.logits(hidden[:, -tokens.ids.shape[1] :])[tokens.mask]


def theirs(model: nn.Module, tokens: Tokens) -> Tensor:
    given = {"input_ids": tokens.ids, "attention_mask": tokens.mask.long()}
    if model.config.is_encoder_decoder:
        given |= {"decoder_input_ids": tokens.ids, "decoder_attention_mask": tokens.mask.long()}
    return model(**given).logits[:, -tokens.ids.shape[1] :][tokens.mask]


def randomised(model: nn.Module) -> nn.Module:
    """What PEFT would train, at random: LoRA begins at zero."""
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.3)
    return model


def learnt(prepared: Prepared, model: Model) -> dict[str, Tensor]:
    """Our gradients under PEFT's names."""
    settings = methods()
    method = next(method for method in settings.values() if isinstance(prepared.settings, method.settings))
    for parameter in prepared.trainable.values():
        parameter.data, parameter.grad = parameter.grad, parameter.data
    found = method.peft.write(tuned_model(model, prepared.network), prepared)[1]
    found = {name: value.clone() for name, value in found.items()}
    for parameter in prepared.trainable.values():
        parameter.data, parameter.grad = parameter.grad, parameter.data
    return found


def compared(method: str, model: str, folder: Path, base: Model, saved: Path, *, double: bool) -> list[tuple[Tensor, Tensor]]:
    """Scores, then every gradient, ours first: of an adapter that PEFT made and saved. `double`: both compute in float64."""
    reference = peer(model, folder)
    adapted = randomised(get_peft_model(reference.double() if double else reference, settings_of(method, model))).eval()
    adapted = adapted.double() if double else adapted
    adapted.save_pretrained(saved)
    found, prepared = load_adapter(saved, base, DRINK)
    assert found.name == method and (method != "lora" or set(prepared.settings.targets) == set(OURS[model]))
    network = prepared.network.double() if double else prepared.network
    tokens = batch()
    mine, other = ours(network, tokens), theirs(adapted, tokens)
    weights = torch.linspace(-1, 1, mine.shape[-1], dtype=mine.dtype)
    (mine.log_softmax(-1) * weights).mean().backward()
    (other.log_softmax(-1) * weights).mean().backward()
    gradients = {
        name.replace("prompt_encoder.default.embedding.weight", "prompt_embeddings").replace(".default", ""): parameter.grad
        for name, parameter in adapted.named_parameters()
        if parameter.requires_grad
    }
    return [(mine.detach(), other.detach()), *((value, gradients[name]) for name, value in learnt(prepared, base).items())]


@pytest.mark.parametrize(("method", "model"), CASES)
def test_what_peft_saved_gives_the_same_scores_and_gradients(
    method: str, model: str, tiny_models: dict[str, Path], tuning_models: dict[str, Model], tmp_path: Path
) -> None:
    """In float32 a small gradient is the difference of large ones, so it can only be as exact as the largest: 1e-5 of that."""
    scores, *gradients = compared(method, model, tiny_models[f"tiny-{model}"], tuning_models[model], tmp_path, double=False)
    torch.testing.assert_close(*scores, **CLOSE)
    for mine, other in gradients:
        torch.testing.assert_close(mine, other, rtol=1e-5, atol=1e-5 * float(other.abs().max()))


@pytest.mark.parametrize(("method", "model"), CASES)
def test_in_double_precision_scores_and_gradients_are_the_same_to_nine_digits(
    method: str, model: str, tiny_models: dict[str, Path], tuning_models: dict[str, Model], tmp_path: Path
) -> None:
    """Except of Llama, whose class in transformers computes its norms and rotations in float32 whatever the rest is: there to six."""
    near = 1e-6 if model == "llama" else 1e-9
    for mine, other in compared(method, model, tiny_models[f"tiny-{model}"], tuning_models[model], tmp_path, double=True):
        assert mine.dtype == other.dtype == torch.float64
        torch.testing.assert_close(mine, other, rtol=near, atol=near * float(other.abs().max()))


@pytest.mark.parametrize(("method", "model"), [*CASES, ("lora whole", "bert"), ("lora parts", "gpt2")])
def test_peft_reads_what_we_export(
    method: str, model: str, tiny_models: dict[str, Path], tuning_models: dict[str, Model], tmp_path: Path
) -> None:
    given = {
        "prompt": {"length": 3},
        "prefix": {"length": 3, "mlp": 8} if model == "gpt2" else {"length": 3, "places": ("encoder", "decoder")[-1:]},
        "lora": {"rank": 2, "targets": OURS[model]},
        "lora whole": {"rank": 2, "targets": ("qkv",), "layers": (0, -1)},
        "lora parts": {"rank": 2, "targets": ("q", "v", "down")},
    }[method]
    if method == "prefix" and model == "bert":
        given["places"] = ("encoder",)
    if method == "lora parts":
        given["targets"] = ("q", "v")
    chosen = methods()[method.split()[0]]
    examples = rewritten() if model == "marian" else classes()
    tuning = Tuning(tuning_models[model], chosen, examples, settings=chosen.settings(**given), run=Run(steps=2, measure=0, rate=0.1))
    list(tuning.steps())
    outcome = Outcome.of(tuning)
    done = export(outcome, tmp_path)
    assert done.problem is None and {"adapter_config.json", "adapter_model.safetensors"} <= set(done.files)
    adapted = PeftModel.from_pretrained(peer(model, tiny_models[f"tiny-{model}"]), tmp_path).eval()
    tokens = batch()
    with torch.no_grad():
        torch.testing.assert_close(ours(outcome.prepared.network, tokens), theirs(adapted, tokens), **CLOSE)


def test_a_prefix_of_an_encoder_decoder_as_peft_makes_it_unasked(
    tiny_models: dict[str, Path], tuning_models: dict[str, Model], tmp_path: Path
) -> None:
    """Then two layers share one pair of keys and values."""
    config = PrefixTuningConfig(num_virtual_tokens=4, task_type="SEQ_2_SEQ_LM")
    adapted = randomised(get_peft_model(peer("marian", tiny_models["tiny-marian"]), config)).eval()
    adapted.save_pretrained(tmp_path)
    _, prepared = load_adapter(tmp_path, tuning_models["marian"], SAY)
    with torch.no_grad():
        torch.testing.assert_close(ours(prepared.network, batch()), theirs(adapted, batch()), **CLOSE)


def test_what_peft_cannot_say_is_told_and_written_in_our_own_format(tuning_models: dict[str, Model], tmp_path: Path) -> None:
    cases = [
        ("prompt", "bert", {"place": "end"}, "end"),
        ("prefix", "bert", {"layers": (1,)}, "not in all 3 layers"),
        ("prefix", "marian", {}, "encoder"),
        ("ffn_only", "bert", {"layers": (-1,)}, "ffn_only"),
    ]
    for index, (name, model, given, reason) in enumerate(cases):
        method = methods()[name]
        examples = rewritten() if model == "marian" else classes()
        outcome = Outcome.of(Tuning(tuning_models[model], method, examples, settings=method.settings(**given)))
        done = export(outcome, tmp_path / str(index))
        assert done.problem.key == "not_for_peft" and reason in done.problem.values["reason"]
        assert done.files == ("tuned.json", "tuned.safetensors")


def test_an_adapter_of_another_kind_or_model_is_refused(tuning_models: dict[str, Model], tmp_path: Path) -> None:
    method = methods()["prompt"]
    export(Outcome.of(Tuning(tuning_models["bert"], method, classes())), tmp_path)
    config = tmp_path / "adapter_config.json"
    text = config.read_text()
    config.write_text(text.replace("PROMPT_TUNING", "ADALORA"))
    with pytest.raises(Problem, match="foreign_adapter.*ADALORA"):
        load_adapter(tmp_path, tuning_models["bert"], DRINK)
    config.write_text(text.replace("PROMPT_TUNING", "PREFIX_TUNING"))
    with pytest.raises(Problem, match="foreign_adapter"):
        load_adapter(tmp_path, tuning_models["bert"], SAY)
