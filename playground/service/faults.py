"""From whatever went wrong to the one error that a visitor may see; everything else about it is for the log."""

import logging
import secrets

from models.errors import Problem

LOG = logging.getLogger(__name__)
MEMORY_WORDS = ("out of memory", "can't allocate memory", "not enough memory")


def answerable(error: BaseException, *, doing: str, key: str = "internal", **values: object) -> Problem:
    """The Problem to answer with. It carries no traceback, whose frames would keep the tensors of the failed call alive.

    Of an unexpected error the visitor learns a `reference` (with `values`, in the sentence `key`), which stands before it in the log.
    """
    if isinstance(error, Problem):
        return fresh(error)
    if is_memory(error):
        LOG.warning("out of memory while %s: %s", doing, str(error))
        return Problem("out_of_memory")
    reference = secrets.token_hex(3)
    LOG.error("[%s] unexpected while %s", reference, doing, exc_info=error)
    return Problem(key, reference=reference, **values)


def fresh(problem: Problem) -> Problem:
    """A copy without traceback: one error object that several threads raise would gather the frames of all of them."""
    return Problem(problem.key, **problem.values)


def is_memory(error: BaseException) -> bool:
    """Whether memory ran out, on any device; torch says it in several ways, and is recognised without importing it."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, RuntimeError) and any(words in str(error).lower() for words in MEMORY_WORDS)
