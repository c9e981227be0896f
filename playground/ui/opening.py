"""An accordion whose content is computed only while it is open."""

import gradio as gr
from gradio.events import Dependency

from playground.ui.pickers import QUIET


def opening(frame: gr.Accordion, is_open: gr.State) -> Dependency:
    """Let `is_open` say whether the accordion is; `.then(...)` of the result runs once it has been opened."""
    frame.collapse(lambda: False, None, is_open, **QUIET)
    return frame.expand(lambda: True, None, is_open, **QUIET)
