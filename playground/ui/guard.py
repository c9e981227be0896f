"""Where an error becomes a sentence: a visitor never sees a traceback, a developer always finds it in the log."""

import inspect
import logging
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

import gradio as gr

from models.errors import Problem
from playground.ui.language import LANGUAGES
from playground.ui.notice import refusal
from playground.ui.wording import sentence

LOG = logging.getLogger(__name__)


def guarded(notice: gr.HTML | None = None) -> Callable[[Callable], Callable]:
    """Decorate a handler so that a refusal is answered with its sentence, in the visitor's language.

    On the page (`notice` given) the handler's first argument is the language; the sentence goes into `notice`, and everything else stays as
    it is. In the API the sentence is raised as `gr.Error`, in the language that the client's `Accept-Language` prefers.
    """

    def answer(error: Exception, arguments: tuple) -> dict[gr.HTML, str]:
        if not isinstance(error, Problem):
            LOG.error("a handler failed", exc_info=error)
        if notice is not None:
            return {notice: refusal(sentence(error, arguments[0]))}
        raise gr.Error(sentence(error, preferred(arguments)), title="", print_exception=False) from error

    def decorate(handler: Callable) -> Callable:
        if inspect.isgeneratorfunction(handler):

            @wraps(handler)
            def stream(*arguments: Any) -> Iterator[Any]:
                try:
                    yield from handler(*arguments)
                except Exception as error:
                    yield answer(error, arguments)

            return stream

        @wraps(handler)
        def call(*arguments: Any) -> Any:
            try:
                return handler(*arguments)
            except Exception as error:
                return answer(error, arguments)

        return call

    return decorate


def preferred(arguments: tuple) -> str:
    """The first of our languages in the `Accept-Language` header of the request among `arguments`; English where there is none."""
    for argument in arguments:
        if isinstance(argument, gr.Request) and argument.request is not None:
            for wish in argument.headers.get("accept-language", "").split(","):
                language = wish.split(";")[0].split("-")[0].strip().lower()
                if language in LANGUAGES:
                    return language
    return "en"
