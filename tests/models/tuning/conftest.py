"""Tiny models with real tokenizers."""

from pathlib import Path

import pytest

from models.loading import load
from models.model import Model


@pytest.fixture(scope="session")
def tuning_models(tiny_models: dict[str, Path]) -> dict[str, Model]:
    """Loaded once; no test may change them, which is what they are for."""
    return {name.removeprefix("tiny-"): load(folder) for name, folder in tiny_models.items()}
