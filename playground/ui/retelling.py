"""When the language changes, everything is said again: by one handler, as Gradio would run many one after the other."""

import copy
from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr
from gradio.blocks import Block

from playground.ui.phrases import Labelled

Updates = dict[Block, dict[str, Any]]


class Retelling:
    """What the page says beyond its labels. A tab adds to it while it is built; `all` says everything."""

    def __init__(self) -> None:
        self._parts: list[tuple[Callable[..., Any], list[Block], list[Block]]] = []
        self._lines: list[Block] = []

    def add(self, say: Callable[..., Any], inputs: Sequence[Block] | Block, outputs: Sequence[Block] | Block) -> None:
        """From now on `say(language, *inputs)` gives the values of `outputs` in that language, as a handler would."""
        self._parts.append((say, _listed(inputs), _listed(outputs)))

    def empty(self, line: Block) -> None:
        """From now on `line` is emptied when the language changes: what it says is in the other one."""
        self._lines.append(line)

    @property
    def inputs(self) -> list[Block]:
        """What `all` has to be given, in this order."""
        return list(dict.fromkeys(block for _, inputs, _ in self._parts for block in inputs))

    def untouched(self) -> list[Any]:
        """What stands in `inputs` on a page that was only just opened."""
        return [copy.deepcopy(block.value) for block in self.inputs]

    @property
    def outputs(self) -> list[Block]:
        """What it may change."""
        return list(dict.fromkeys([*self._lines, *(block for _, _, outputs in self._parts for block in outputs)]))

    def all(
        self,
        language: str,
        values: Sequence[Any],
        labels: Sequence[Labelled],
        *,
        after: Updates | None = None,
        parts: bool = True,
        lines: bool = False,
    ) -> Updates:
        """The labels and everything else in `language`, as one update for each component.

        `after` are updates that come with it and of which what is said has to know already; without `parts` only what depends on them is
        said again. `lines`: those that are to be emptied are; at opening a first answer may have filled one already.
        """
        given = dict(zip(self.inputs, values, strict=True))
        after = after or {}
        given |= {block: _as_update(value)["value"] for block, value in after.items() if block in given}
        updates: Updates = {item.block: item.update(language) for item in labels}
        updates |= {line: gr.update(value="") for line in self._lines if lines}
        for say, inputs, outputs in self._parts:
            if not parts and after.keys().isdisjoint(inputs):
                continue
            answer = say(language, *(given[block] for block in inputs))
            for block, value in _by_output(answer, outputs).items():
                updates[block] = updates.get(block, gr.skip()) | _as_update(value)
        return updates | {block: updates.get(block, gr.skip()) | _as_update(value) for block, value in after.items()}


def _listed(blocks: Sequence[Block] | Block) -> list[Block]:
    return [blocks] if isinstance(blocks, Block) else list(blocks)


def _by_output(answer: Any, outputs: list[Block]) -> dict[Block, Any]:
    """What a handler returned, by component: it may return a dictionary, `gr.skip()` for all, or a value for each."""
    if isinstance(answer, dict):
        return answer if any(isinstance(key, Block) for key in answer) else ({} if answer == gr.skip() else {outputs[0]: answer})
    return dict(zip(outputs, answer if isinstance(answer, tuple) else (answer,), strict=True))


def _as_update(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) and value.get("__type__") == "update" else gr.update(value=value)
