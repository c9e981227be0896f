"""Marian students: a file written byte by byte as Marian writes it, against the network spelt out here from its description."""

import struct
from pathlib import Path

import pytest
import torch
from peers import batch, close, load, random_rows, real
from torch import Tensor

from models.cache import Cache
from models.families import recognise
from models.tokens import Tokens
from models.trace import Trace

WIDTH, HEADS, INNER, VOCABULARY, ENCODER, DECODER = 16, 4, 24, 61, 3, 2
YML = f"""type: transformer
dec-cell: ssru
transformer-decoder-autoreg: rnn
transformer-preprocess: ""
transformer-postprocess: dan
transformer-postprocess-emb: d
transformer-ffn-depth: 2
transformer-ffn-activation: relu
transformer-heads: {HEADS}
transformer-dim-ffn: {INNER}
transformer-tied-layers: []
tied-embeddings-all: true
enc-depth: {ENCODER}
dec-depth: {DECODER}
dim-emb: {WIDTH}
"""
Network = dict[str, Tensor]  # matrices (in, out), vectors (1, n), as the file's header says


def names_and_shapes() -> dict[str, tuple[int, int]]:
    shapes = {"Wemb": (VOCABULARY, WIDTH), "decoder_ff_logit_out_b": (1, VOCABULARY)}
    blocks = [(f"encoder_l{i + 1}", "self") for i in range(ENCODER)] + [(f"decoder_l{i + 1}", "context") for i in range(DECODER)]
    for layer, kind in blocks:
        shapes |= {f"{layer}_{kind}_W{part}": (WIDTH, WIDTH) for part in "qkvo"}
        shapes |= {f"{layer}_{kind}_b{part}": (1, WIDTH) for part in "qkvo"}
        shapes |= {f"{layer}_ffn_W1": (WIDTH, INNER), f"{layer}_ffn_b1": (1, INNER)}
        shapes |= {f"{layer}_ffn_W2": (INNER, WIDTH), f"{layer}_ffn_b2": (1, WIDTH)}
        norms = [f"{kind}_Wo", "ffn_ffn"]
        if kind == "context":
            shapes |= {f"{layer}_rnn_W": (WIDTH, WIDTH), f"{layer}_rnn_Wf": (WIDTH, WIDTH), f"{layer}_rnn_bf": (1, WIDTH)}
            norms.append("rnn_ffn")
        shapes |= {f"{layer}_{norm}_ln_{part}": (1, WIDTH) for norm in norms for part in ("scale", "bias")}
    return shapes


def make(path: Path) -> Network:
    """Write a student with random numbers, matrices in intgemm8; returns what the numbers then are."""
    generator = torch.Generator().manual_seed(0)
    network: Network = {}
    blocks: dict[str, tuple[int, tuple[int, ...], bytes]] = {}
    for name, shape in names_and_shapes().items():
        if shape[0] == 1:
            value = 0.3 * torch.randn(shape, generator=generator) + (1.0 if name.endswith("ln_scale") else 0.0)
            blocks[name] = (0x404, shape, value.numpy().tobytes())
        else:
            multiplier = 150.0 + len(blocks)
            stored = torch.randint(-127, 128, shape, generator=generator, dtype=torch.int8)
            value = stored / multiplier
            laid_out = stored if name == "Wemb" else stored.t().contiguous()
            blocks[name] = (0x4101, shape, laid_out.numpy().tobytes() + struct.pack("<f", multiplier))
            blocks[f"{name}_QuantMultA"] = (0x404, (1, 1), struct.pack("<f", 3.0))
        network[name] = value
    text = YML.encode() + b"\0"
    blocks["special:model.yml"] = (0x101, (len(text),), text)
    blocks = {name: (kind, shape, data + bytes(-len(data) % 256)) for name, (kind, shape, data) in blocks.items()}
    names = [name.encode() + b"\0" for name in blocks]
    out = struct.pack("<QQ", 1, len(blocks))
    out += b"".join(struct.pack("<4Q", len(n), kind, len(shape), len(data)) for n, (kind, shape, data) in zip(names, blocks.values()))
    out += b"".join(names) + b"".join(struct.pack(f"<{len(shape)}i", *shape) for _, shape, _ in blocks.values())
    padding = -(len(out) + 8) % 256
    path.write_bytes(out + struct.pack("<Q", padding) + bytes(padding) + b"".join(data for _, _, data in blocks.values()))
    return network


def norm(x: Tensor, net: Network, name: str) -> Tensor:
    centred = x - x.mean(-1, keepdim=True)
    return net[f"{name}_ln_scale"] * centred / (centred.pow(2).mean(-1, keepdim=True) + 1e-9).sqrt() + net[f"{name}_ln_bias"]


def attend(net: Network, name: str, x: Tensor, memory: Tensor) -> Tensor:
    """x (Q, C), memory (K, C): head after head."""
    query, key, value = (inp @ net[f"{name}_W{part}"] + net[f"{name}_b{part}"] for part, inp in (("q", x), ("k", memory), ("v", memory)))
    size, heads = WIDTH // HEADS, []
    for head in range(HEADS):
        part = slice(head * size, (head + 1) * size)
        heads.append((query[:, part] @ key[:, part].t() / size**0.5).softmax(-1) @ value[:, part])
    return torch.cat(heads, dim=-1) @ net[f"{name}_Wo"] + net[f"{name}_bo"]


def feedforward(net: Network, layer: str, x: Tensor) -> Tensor:
    inner = (x @ net[f"{layer}_ffn_W1"] + net[f"{layer}_ffn_b1"]).clamp(min=0)
    return norm(x + inner @ net[f"{layer}_ffn_W2"] + net[f"{layer}_ffn_b2"], net, f"{layer}_ffn_ffn")


def position(at: int) -> Tensor:
    half = WIDTH // 2
    angle = at * torch.exp(-torch.arange(half) * torch.log(torch.tensor(10_000.0)) / (half - 1))
    return torch.cat([angle.sin(), angle.cos()])


def encode(net: Network, ids: list[int]) -> Tensor:
    x = torch.stack([net["Wemb"][word] * WIDTH**0.5 + position(at) for at, word in enumerate(ids)])
    for index in range(ENCODER):
        layer = f"encoder_l{index + 1}"
        x = norm(x + attend(net, f"{layer}_self", x, x), net, f"{layer}_self_Wo")
        x = feedforward(net, layer, x)
    return x


def decode(net: Network, memory: Tensor, ids: list[int]) -> Tensor:
    """Logits of each next word, one step after the other; the first step reads a zero embedding."""
    cells, logits = [torch.zeros(1, WIDTH) for _ in range(DECODER)], []
    for at, word in enumerate([None, *ids]):
        x = (torch.zeros(1, WIDTH) if word is None else net["Wemb"][word][None] * WIDTH**0.5) + position(at)
        for index in range(DECODER):
            layer = f"decoder_l{index + 1}"
            forget = torch.sigmoid(x @ net[f"{layer}_rnn_Wf"] + net[f"{layer}_rnn_bf"])
            cells[index] = forget * cells[index] + (1 - forget) * (x @ net[f"{layer}_rnn_W"])
            x = norm(x + cells[index].clamp(min=0), net, f"{layer}_rnn_ffn")
            x = norm(x + attend(net, f"{layer}_context", x, memory), net, f"{layer}_context_Wo")
            x = feedforward(net, layer, x)
        logits.append(x @ net["Wemb"].t() + net["decoder_ff_logit_out_b"])
    return torch.cat(logits)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "lex.50.50.enpt.s2t.bin").write_bytes(b"not weights")
    return tmp_path


def test_logits_equal_those_of_the_description(folder: Path) -> None:
    reference = make(folder / "model.enpt.intgemm.alphas.bin")
    found, network = recognise(folder), load(folder)
    assert found.family.name == "student" and found.family.tasks(network.config) == {"attend", "translate"}
    sources, targets = random_rows((7, 3)), random_rows((5, 4), seed=3)
    source, target = batch(sources), batch([[-1, *row] for row in targets])
    with torch.inference_mode():
        memory = network.encode(source)
        logits = network.logits(network.decode(target, memory=memory, memory_mask=source.mask))
    wanted = [decode(reference, encode(reference, one), other) for one, other in zip(sources, targets)]
    close(real(memory, source.mask), torch.cat([encode(reference, one) for one in sources]), "memory")
    close(real(logits, target.mask), torch.cat(wanted), "logits")


def test_step_by_step_is_the_same_and_heads_can_be_seen(folder: Path) -> None:
    make(folder / "model.enpt.intgemm.alphas.bin")
    network = load(folder)
    source, target = batch(random_rows((7, 3))), batch([[-1, *row] for row in random_rows((4, 4), seed=3)])
    trace, cache, parts = Trace({"weights"}), Cache(network.config), []
    with torch.inference_mode():
        memory = network.encode(source)
        whole = network.decode(target, memory=memory, memory_mask=source.mask, trace=trace)
        for at in range(target.ids.shape[1]):
            ids = target.ids[:, at : at + 1]
            one = Tokens(ids=ids, mask=torch.ones_like(ids, dtype=torch.bool), segments=torch.zeros_like(ids), lengths=(1, 1))
            parts.append(network.decode(one, memory=memory, memory_mask=source.mask, cache=cache))
    close(torch.cat(parts, dim=1), whole, "steps")
    assert trace.places("weights") == [f"decoder.{index}.cross" for index in range(DECODER)]
    close(trace.get("decoder.1.cross", "weights").sum(-1), torch.ones(2, HEADS, 5), "rows sum to 1")
