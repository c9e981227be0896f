"""The stop button: ends what one visitor started in one tab, and nothing else."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import gradio as gr

PATIENCE_SECONDS = 5.0  # how long somebody waits for the last word of what was ended; a step of a slow model takes one


class Ending(threading.Event):
    """Set: what runs is to end. `unheard`: nobody wants its last word. `over`: it has said its last word."""

    def __init__(self) -> None:
        super().__init__()
        self.unheard = False
        self.over = threading.Event()


class Stops:
    """One tab's work in progress, by visitor. A visitor who starts again ends what ran before."""

    def __init__(self) -> None:
        self._running: dict[str | None, Ending] = {}
        self._lock = threading.Lock()

    @contextmanager
    def running(self, request: gr.Request) -> Iterator[Ending]:
        """While inside, `stop` of the same visitor sets the `Ending` that is given. Everything that is shown is to be yielded inside."""
        cancel, visitor = Ending(), request.session_hash
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
            cancel.over.set()

    def stop(self, request: gr.Request) -> None:
        """End what this visitor has running, if anything."""
        self._end(request, unheard=False)

    def hush(self, request: gr.Request) -> None:
        """End it without a last word, and wait until nothing more can come of it: what the caller shows next, stays.

        A generator goes on only after what it yielded has been sent; so once it is over, all of it has been sent.
        """
        cancel = self._end(request, unheard=True)
        if cancel:
            cancel.over.wait(PATIENCE_SECONDS)

    def _end(self, request: gr.Request, *, unheard: bool) -> Ending | None:
        with self._lock:
            cancel = self._running.get(request.session_hash)
        if cancel:
            cancel.unheard |= unheard
            cancel.set()
        return cancel
