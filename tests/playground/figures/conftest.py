"""Words that try to break a figure."""

import pytest

NASTY = (
    "<b>bold</b>",
    "$x^2$",
    "%{z}",
    "&lt;i&gt;",
    "a\nb",
    "\x00",
    "\ud800",
    "\u202eevil",
    "שלום",
    "国王",
    "👨‍👩‍👧",
    "x" * 500,
    "the",
    "the",
    "",
)


@pytest.fixture
def nasty() -> tuple[str, ...]:
    return NASTY
