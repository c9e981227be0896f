"""The page's functions for programs: plain JSON in, plain JSON out. Each file has `endpoints(playground)`; a new one is found."""

import importlib
import inspect
import pkgutil
from collections.abc import Callable

import gradio as gr
import numpy as np

from playground.service.playground import Playground
from playground.ui.guard import guarded
from playground.ui.typed import typed


def register(playground: Playground) -> None:
    """Register every endpoint on the page that is being built. None waits for another: the service groups what arrives together."""
    for name, handler in endpoints(playground).items():
        gr.api(guarded()(typed(handler)), api_name=name, api_description=inspect.getdoc(handler), concurrency_limit=None)


def endpoints(playground: Playground) -> dict[str, Callable]:
    """Name of the endpoint -> its function. The docstrings are what the API page shows. ValueError where two share a name."""
    found: dict[str, Callable] = {}
    for module in pkgutil.iter_modules(__path__):
        own = importlib.import_module(f"{__name__}.{module.name}").endpoints(playground)
        if doubled := sorted(found.keys() & own.keys()):
            raise ValueError(f"{module.name} repeats endpoints of another file: {doubled}")
        found |= own
    return found


def rows(matrix: np.ndarray) -> list[list[float]]:
    """A matrix as JSON; six decimals are what float32 holds of a weight."""
    return np.round(matrix.astype(np.float64), 6).tolist()
