"""Chat templates: how a question is written down so that a chat model knows who is speaking."""

import json
import re
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from jinja2 import TemplateError, nodes
from jinja2.ext import Extension
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

from models.errors import Problem

# The question's place while a template is rendered: private characters that no template contains,
# with white space around them that shows whether the template trims.
PLACE = "\ue000\ue001\ue000"
EDGE = "\u2003"


class GenerationMark(Extension):
    """`{% generation %}` marks the assistant's words for training; for reading it means nothing."""

    tags = {"generation"}

    def parse(self, parser: Parser) -> list[nodes.Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


class ChatTemplate:
    """A Jinja template from a model's files, rendered in a sandbox: it comes from strangers."""

    def __init__(self, source: str, *, bos: str = "", eos: str = ""):
        self.source = source
        self.names = {"bos_token": bos, "eos_token": eos}

    @cached_property
    def frame(self) -> tuple[tuple[str, ...], bool]:
        """The parts of the rendered text between which the question stands, and whether its outer white space is dropped.

        The question itself never passes through the template, so nothing in it can end its turn.
        Problem where the template fails or leaves the question out.
        """
        text = self.render([{"role": "user", "content": EDGE + PLACE + EDGE}])
        trims = EDGE + PLACE not in text
        parts = tuple(text.split(PLACE if trims else EDGE + PLACE + EDGE))
        if len(parts) < 2:
            raise Problem("chat_template", reason="the template leaves the question out")
        return parts, trims

    def parts(self, question: str) -> tuple[tuple[str, ...], str]:
        """The template's own text around the question, and the question as it stands in there."""
        parts, trims = self.frame
        return parts, question.strip() if trims else question

    def render(self, messages: list[dict[str, str]]) -> str:
        """Messages, each with "role" and "content", followed by the beginning of the model's answer."""
        environment = ImmutableSandboxedEnvironment(
            trim_blocks=True, lstrip_blocks=True, extensions=[GenerationMark, "jinja2.ext.loopcontrols"]
        )
        environment.filters["tojson"] = to_json
        environment.globals |= {"raise_exception": refuse, "strftime_now": lambda form: datetime.now().strftime(form)}
        try:
            return environment.from_string(self.source).render(messages=messages, add_generation_prompt=True, tools=None, **self.names)
        except Exception as error:  # a stranger's program may fail in any way
            raise Problem("chat_template", reason=str(error)) from error


@dataclass(frozen=True, kw_only=True)
class Layout:
    """A rendered conversation: where the question stands in it, and where the template's special tokens stand (start, end, name)."""

    text: str
    questions: tuple[int, ...]
    marks: tuple[tuple[int, int, str], ...]

    def in_question(self, span: tuple[int, int], *, length: int, shift: int) -> tuple[int, int] | None:
        """A span of the whole as a span of the question (moved by `shift`), or None where it is not wholly inside."""
        start, end = span
        inside = (begin for begin in self.questions if begin <= start and end <= begin + length)
        return next(((start - begin + shift, end - begin + shift) for begin in inside), None)


def lay_out(parts: tuple[str, ...], question: str, marks: re.Pattern[str]) -> Layout:
    """Put the question between the parts, and look for special tokens in the parts alone."""
    text, questions, found = "", [], []
    for number, part in enumerate(parts):
        if number:
            questions.append(len(text))
            text += question
        found += [(len(text) + mark.start(), len(text) + mark.end(), mark.group()) for mark in marks.finditer(part)]
        text += part
    return Layout(text=text, questions=tuple(questions), marks=tuple(found))


def refuse(reason: str) -> None:
    """What a template calls when it cannot work with these messages."""
    raise TemplateError(reason)


def to_json(value: Any, ensure_ascii: bool = False, indent: int | None = None) -> str:
    """JSON as templates expect it; Jinja's own filter would escape it for HTML."""
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent)
