"""The first word to a server: answered within seconds, or there is no network."""

import queue
import threading
from collections.abc import Callable
from typing import TypeVar

ANSWER_SECONDS = 4.0  # for the whole first question, whatever the resolver and the many addresses of a host would take
CONNECT_SECONDS = 3.0
SILENCE_SECONDS = 20.0  # the longest pause within a download

Answer = TypeVar("Answer")


def within(seconds: float, ask: Callable[[], Answer]) -> Answer:
    """What `ask` returns or raises, or TimeoutError after `seconds`.

    A timeout given to a socket does not bound the name lookup and counts anew for each address of a host, hence the thread; left behind, it
    ends by itself and never holds up the end of the program.
    """
    answers: queue.SimpleQueue[tuple[Answer | None, BaseException | None]] = queue.SimpleQueue()

    def work() -> None:
        try:
            answers.put((ask(), None))
        except BaseException as error:
            answers.put((None, error))

    threading.Thread(target=work, name="first-contact", daemon=True).start()
    try:
        answer, error = answers.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError(f"no answer within {seconds:g} s") from None
    if error is not None:
        raise error
    return answer
