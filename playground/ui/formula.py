"""Formulas as MathML, which browsers set themselves, and numbers as they stand in formulas."""

import math

_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(value: float) -> str:
    """Three digits that count, with a real minus sign: −0.0123, 4.56 × 10⁻⁷, −∞."""
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    written, _, power = f"{value:.3g}".partition("e")
    if written == "-0":
        written = "0"
    tail = f" × 10{str(int(power)).translate(_RAISED)}" if power else ""
    return written.replace("-", "−") + tail


def formula(*parts: str) -> str:
    """A line of its own. The parts are made by the functions below."""
    return f'<math display="block"><mrow>{"".join(parts)}</mrow></math>'


def name(letter: str, below: str = "") -> str:
    """A variable, perhaps with an index."""
    return f"<msub><mi>{letter}</mi><mi>{below}</mi></msub>" if below else f"<mi>{letter}</mi>"


def value(amount: float) -> str:
    """A number of this very computation; negative ones in brackets, so that no two signs stand side by side."""
    written = f'<mn class="real">{number(amount)}</mn>'
    return f"<mrow><mo>(</mo>{written}<mo>)</mo></mrow>" if amount < 0 and not math.isinf(amount) else written


def answer(amount: float) -> str:
    """The number that a step ends with."""
    return f'<mo>=</mo><mn class="real answer">{number(amount)}</mn>'


def sign(letter: str) -> str:
    """An operator."""
    return f"<mo>{letter}</mo>"


def over(above: str, below: str) -> str:
    """A fraction."""
    return f"<mfrac><mrow>{above}</mrow><mrow>{below}</mrow></mfrac>"


def root(inside: str) -> str:
    """A square root."""
    return f"<msqrt>{inside}</msqrt>"


def total(index: str, of: str) -> str:
    """A sum over an index."""
    return f"<munder><mo>∑</mo><mi>{index}</mi></munder>{of}"


def exp(inside: str) -> str:
    """The exponential function."""
    return f"<mi>exp</mi><mo>(</mo>{inside}<mo>)</mo>"
