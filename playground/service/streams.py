"""Answers that come bit by bit: the worker makes one item at a time, and never waits for whoever reads them."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

from models.errors import Problem
from playground.service.faults import answerable, fresh

AHEAD = 256  # items made before anybody reads them; then the stream rests
PATIENCE_SECONDS = 30.0  # how long a stream rests before it takes its reader for gone
LOOK_SECONDS = 0.1  # how often somebody who waits looks whether they were cancelled
TOGETHER = 8  # streams of one model that run in turns; more would only hold more memory at once


class Stream:
    """One visitor's stream. The worker's thread makes the items (`due`, `advance`), any other thread reads them; `close` ends it.

    `start` returns the iterator to read from; `wake` tells the worker to look again; `seconds` is the time from now to the last item.
    """

    def __init__(
        self,
        start: Callable[[], Iterator[Any]],
        *,
        wake: Callable[[], None],
        seconds: float,
        cancel: threading.Event | None = None,
        ahead: int = AHEAD,
        patience: float = PATIENCE_SECONDS,
    ):
        self._start: Callable[[], Iterator[Any]] | None = start
        self._source: Iterator[Any] | None = None
        self._wake, self._cancel = wake, cancel
        self._deadline = time.monotonic() + seconds
        self._ahead, self._patience = ahead, patience
        self._items: deque[Any] = deque()
        self._read_last = time.monotonic()
        self._left = False  # the reader has gone
        self.over = False  # nothing will be made any more
        self._problem: Problem | None = None
        self._changed = threading.Condition()

    # The reader's side

    def __iter__(self) -> "Stream":
        return self

    def __next__(self) -> Any:
        """The next item, once it is made. Ends quietly when cancelled or closed; raises the Problem that ended the stream."""
        with self._changed:
            while not self._items and not self.over and not self._unwanted():
                if self._late():
                    self._left = True
                    self._wake()
                    raise Problem("deadline")
                self._changed.wait(LOOK_SECONDS if self._cancel else max(self._deadline - time.monotonic(), 0.0))
            if self._unwanted():
                raise StopIteration
            if not self._items:
                if self._problem:
                    raise fresh(self._problem)
                raise StopIteration
            item = self._items.popleft()
            self._read_last = time.monotonic()
        self._wake()
        return item

    def close(self) -> None:
        """Read no more: the worker stops making items and lets go of the memory."""
        with self._changed:
            self._left = True
            self._items.clear()
            self._changed.notify_all()
        self._wake()

    # The worker's side

    def due(self) -> bool:
        """Whether there is something to do now: make an item, or end."""
        return len(self._items) < self._ahead or self.ending()

    def ending(self) -> bool:
        """Whether it is to end without another item: unwanted, late, or left unread."""
        return self._unwanted() or self._late() or self._unread()

    def advance(self, inference: Callable[[], AbstractContextManager]) -> None:
        """Make the next item or end. Every step enters inference mode anew: the iterator rests between steps, the mode must not."""
        if self.ending():
            self.end(None if self._unwanted() else Problem("deadline"))
            return
        try:
            with inference():
                if self._source is None:
                    self._source = iter(self._start())
                item = next(self._source)
        except StopIteration:
            self.end()
        except BaseException as error:
            self.end(answerable(error, doing="making the next item of a stream"))
        else:
            with self._changed:
                self._items.append(item)
                self._changed.notify_all()

    def end(self, problem: Problem | None = None) -> None:
        """Stop making items and let go of everything that made them; what is made already can still be read."""
        source, self._source, self._start = self._source, None, None
        try:
            if hasattr(source, "close"):
                source.close()
        except BaseException as error:
            answerable(error, doing="closing a stream")
        with self._changed:
            self.over, self._problem = True, problem
            self._changed.notify_all()

    def _unwanted(self) -> bool:
        return self._left or (self._cancel is not None and self._cancel.is_set())

    def _late(self) -> bool:
        return time.monotonic() > self._deadline

    def _unread(self) -> bool:
        return len(self._items) >= self._ahead and time.monotonic() - self._read_last > self._patience


class Streams:
    """The streams of one worker: some run in turns, the others wait for a place. Belongs to the worker's thread alone."""

    def __init__(self, together: int = TOGETHER):
        self._together = together
        self._turns: deque[Stream] = deque()
        self._line: deque[Stream] = deque()

    def __len__(self) -> int:
        return len(self._turns) + len(self._line)

    def add(self, stream: Stream) -> None:
        """Let a stream take part, now or when a place is free."""
        (self._turns if len(self._turns) < self._together else self._line).append(stream)

    def next(self) -> Stream | None:
        """The stream whose turn it is: one that waits in vain first, then round and round those that have something to do."""
        if stream := next((stream for stream in self._line if stream.ending()), None):
            return stream
        for _ in range(len(self._turns)):
            self._turns.rotate(-1)
            if self._turns[-1].due():
                return self._turns[-1]
        return None

    def any_due(self) -> bool:
        """Whether `next` would find one."""
        return any(stream.due() for stream in self._turns) or any(stream.ending() for stream in self._line)

    def remove(self, stream: Stream) -> None:
        """Give the place of a stream that is over to the next in line."""
        (self._turns if stream in self._turns else self._line).remove(stream)
        while self._line and len(self._turns) < self._together:
            self._turns.append(self._line.popleft())

    def clear(self) -> list[Stream]:
        """Take out all of them."""
        streams = [*self._turns, *self._line]
        self._turns.clear()
        self._line.clear()
        return streams
