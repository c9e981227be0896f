"""Quiet references, on one thread: the models are so small that threads would only wait for each other."""

from collections.abc import Iterator

import pytest
import torch
import transformers


@pytest.fixture(scope="package", autouse=True)
def quiet_and_alone() -> Iterator[None]:
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
