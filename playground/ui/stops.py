"""The stop button: ends what one visitor started in one tab, and nothing else."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import gradio as gr


class Stops:
    """One tab's work in progress, by visitor. A visitor who starts again ends what ran before."""

    def __init__(self) -> None:
        self._running: dict[str | None, threading.Event] = {}
        self._lock = threading.Lock()

    @contextmanager
    def running(self, request: gr.Request) -> Iterator[threading.Event]:
        """While inside, `stop` of the same visitor sets the Event that is given."""
        cancel, visitor = threading.Event(), request.session_hash
        with self._lock:
            before, self._running[visitor] = self._running.get(visitor), cancel
        if before:
            before.set()
        try:
            yield cancel
        finally:
            with self._lock:
                if self._running.get(visitor) is cancel:
                    del self._running[visitor]

    def stop(self, request: gr.Request) -> None:
        """End what this visitor has running, if anything."""
        with self._lock:
            cancel = self._running.get(request.session_hash)
        if cancel:
            cancel.set()
