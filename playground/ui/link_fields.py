"""Whether a value from a link may go into a field of the page: what could not have been chosen there is refused."""

import math
from typing import Any

import gradio as gr
from gradio.components import Component

from models.errors import Problem
from playground.service.playground import Playground
from playground.ui.pickers import NOBODY, Picker, rows_for

LONGEST = 100_000  # characters of a text


def check(playground: Playground, name: str, field: Component | Picker, value: Any) -> Any:
    """The value, if it fits the field called `name`. Problem link_field, and for a model unknown_model or hub_not_allowed."""
    if isinstance(field, Picker):
        return check_model(playground, name, field, value)
    if not fits(field, value):
        raise Problem("link_field", field=name)
    return value


def check_model(playground: Playground, name: str, picker: Picker, value: Any) -> str:
    """The name of a model that the picker offers, or that may be typed there."""
    if value in ("", None) and picker.nobody:
        return NOBODY
    if not isinstance(value, str) or not value:
        raise Problem("link_field", field=name)
    if any(row["name"] == value for row in rows_for(playground, picker.task)):
        return value
    playground.catalogue.find(value)
    if not picker.model.allow_custom_value:
        raise Problem("link_field", field=name)
    return value


def fits(field: Component, value: Any) -> bool:
    """Whether a visitor could have put `value` there; a kind of field that this does not know takes nothing."""
    if isinstance(field, gr.Textbox):
        return isinstance(value, str) and len(value) <= (field.max_length or LONGEST)
    if isinstance(field, gr.Checkbox):
        return isinstance(value, bool)
    if isinstance(field, gr.Slider | gr.Number):
        return (value is None and isinstance(field, gr.Number)) or in_range(field, value)
    if isinstance(field, gr.CheckboxGroup) or (isinstance(field, gr.Dropdown) and field.multiselect):
        return isinstance(value, list) and len(set(map(repr, value))) == len(value) and all(offered(field, item) for item in value)
    return isinstance(field, gr.Radio | gr.Dropdown) and offered(field, value)


def in_range(field: gr.Slider | gr.Number, value: Any) -> bool:
    """Whether the number lies between the field's limits, and is whole where the field wants whole numbers."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return False
    whole = field.precision == 0 or (isinstance(field, gr.Slider) and field.step == 1)
    lowest = -math.inf if field.minimum is None else field.minimum
    highest = 2**53 if field.maximum is None else field.maximum
    return lowest <= value <= highest and (not whole or value == int(value))


def offered(field: gr.Radio | gr.Dropdown | gr.CheckboxGroup, value: Any) -> bool:
    """Whether the value is one of the field's choices, of the same type."""
    return any(value == choice and type(value) is type(choice) for _, choice in field.choices)
