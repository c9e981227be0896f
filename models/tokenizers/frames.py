"""Reads from a tokenizer file which special tokens stand around one text and around a pair."""

from typing import Any

from models.tokenizers.rows import BARE, BARE_PAIR, Frame, Slot


def frames(processor: dict[str, Any] | None) -> tuple[Frame, Frame]:
    """The frames of one text and of a pair, from the "post_processor" part of a tokenizer.json; ValueError for a kind that is not known."""
    kind = processor["type"] if processor else "ByteLevel"
    if kind == "ByteLevel":
        return BARE, BARE_PAIR
    if kind == "Sequence":
        # The steps run one after the other, and at most one of them adds tokens.
        found = [pair for pair in map(frames, processor["processors"]) if pair != (BARE, BARE_PAIR)]
        return found[0] if found else (BARE, BARE_PAIR)
    if kind == "TemplateProcessing":
        return template(processor["single"], processor["special_tokens"]), template(processor["pair"], processor["special_tokens"])
    if kind in {"BertProcessing", "RobertaProcessing"}:
        start, end = processor["cls"][1], processor["sep"][1]
        single = (Slot(token=start), Slot(text=0), Slot(token=end))
        if kind == "BertProcessing":
            return single, (*single, Slot(text=1, segment=1), Slot(token=end, segment=1))
        return single, (*single, Slot(token=end), Slot(text=1), Slot(token=end))
    raise ValueError(f"the tokenizer puts special tokens around a text in an unknown way: {kind!r}")


def template(parts: list[dict[str, Any]], tokens: dict[str, Any]) -> Frame:
    """One line of a "TemplateProcessing"."""
    slots: list[Slot] = []
    for part in parts:
        ((kind, value),) = part.items()
        if kind == "Sequence":
            slots.append(Slot(text="AB".index(value["id"]), segment=value["type_id"]))
        else:
            slots += [Slot(token=token, segment=value["type_id"]) for token in tokens[value["id"]]["ids"]]
    return tuple(slots)
