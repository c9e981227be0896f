"""What a visitor sees while a model is fetched and loaded."""

from collections.abc import Callable

import gradio as gr

from playground.ui.language import table, text

MEGABYTE = 1_000_000


def cover() -> gr.HTML:
    """Lies over what stands in the same column of the class "covered", and shows progress there.

    Of a component that shows progress the browser copies everything, six times at each click: that may be the numbers of a large map.
    """
    return gr.HTML("", elem_classes="cover", apply_default_css=False)


def reporter(progress: gr.Progress, language: str) -> Callable[[str, int, int], None]:
    """A callback for the service that shows "Downloading: 45 of 91 MB" over the result that is awaited.

    It has to be called in the handler's own thread: Gradio finds the waiting visitor through a context variable.
    """

    def report(stage: str, done: int, total: int) -> None:
        key = f"progress.{stage}" if f"progress.{stage}" in table() else "progress.load"
        sentence = text(key, language, done=round(done / MEGABYTE), total=round(total / MEGABYTE))
        unmeasured = 1.0 if stage == "load" else 0.0  # without a number Gradio would not show the sentence
        progress(min(done / total, 1.0) if total else unmeasured, desc=sentence)

    return report
