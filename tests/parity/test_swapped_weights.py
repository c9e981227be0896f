"""A weight in the wrong place must be seen: otherwise the other parity tests would prove nothing about it."""

from pathlib import Path

import pytest
import torch
from peers import PEERS, TOLERANCE, Peer, batch, load, random_rows
from safetensors.torch import load_file
from torch import Tensor

from models.checkpoints.load import fill
from models.checkpoints.weights import StateDict
from models.families import families, recognise
from models.transformer import Transformer

WHOLE = ("bert", "bert untied", "roberta", "distilbert", "gpt2", "llama biases, tied", "qwen2", "marian", "marian two tables untied")
LENGTHS = (9, 5)


def answers(network: Transformer) -> list[Tensor]:
    """Everything that the network can say about one batch, at its real positions."""
    tokens = batch(random_rows(LENGTHS), segments=[[0] * (length - 2) + [1, 1] for length in LENGTHS])
    config = network.config
    with torch.inference_mode():
        if config.architecture == "encoder":
            hidden = network.encode(tokens)
        elif config.architecture == "decoder":
            hidden = network.decode(tokens)
        else:
            hidden = network.decode(batch(random_rows(LENGTHS, seed=2)), memory=network.encode(tokens), memory_mask=tokens.mask)
        heads = [head(hidden) for head in network.heads.values()]
    return [out[tokens.mask] if out.dim() == 3 else out for out in heads]


def misplaced(tensors: dict[str, Tensor], name: str) -> dict[str, Tensor]:
    """`name` exchanged with another tensor of its shape, or, where there is none, with its columns moved on by one."""
    partner = next((other for other in reversed(tensors) if other != name and tensors[other].shape == tensors[name].shape), None)
    if partner is None:
        return tensors | {name: tensors[name].roll(1, dims=-1)}
    return tensors | {name: tensors[partner], partner: tensors[name]}


@pytest.mark.parametrize("peer", [PEERS[name] for name in WHOLE], ids=WHOLE)
def test_every_misplaced_weight_changes_the_answers(peer: Peer, tmp_path: Path) -> None:
    peer.make().save_pretrained(tmp_path)
    found, tensors = recognise(tmp_path), load_file(tmp_path / "model.safetensors")

    def loaded(tensors: dict[str, Tensor]) -> Transformer:
        source = StateDict(tensors)
        config = found.family.config(found.settings, source)
        network = found.family.build(config)
        fill(network, source, found.family.rules(config, source), dtype=torch.float32)
        return network

    right, unseen = answers(loaded(tensors)), []
    for name in tensors:
        wrong = answers(loaded(misplaced(tensors, name)))
        if all(torch.allclose(ours, theirs, **TOLERANCE) for ours, theirs in zip(wrong, right, strict=True)):
            unseen.append(name)
    # Untied, the hub's class keeps a bias that it never adds; everything else matters.
    assert unseen == [name for name in unseen if name == "cls.predictions.bias"]


def test_the_same_weights_give_the_same_answers(tmp_path: Path) -> None:
    PEERS["bert"].make().save_pretrained(tmp_path)
    for ours, theirs in zip(answers(load(tmp_path)), answers(load(tmp_path)), strict=True):
        assert torch.equal(ours, theirs)


def test_every_family_has_a_reference() -> None:
    # The hub has no class for students: `test_student_parity.py` has their reference.
    assert {peer.family for peer in PEERS.values()} | {"student"} == {family.name for family in families()}
