"""A link brings back what was put into it, and nothing that somebody else put into it does harm."""

import base64
import json
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from models.errors import Problem
from playground.ui.links import LOCKS, MOST_BYTES, MOST_LETTERS, decode, encode, link_state

NAMES = some.from_regex(r"[a-z][a-z0-9_]{0,20}", fullmatch=True)
PLAIN = some.none() | some.booleans() | some.integers(-(2**53), 2**53) | some.floats(allow_nan=False, allow_infinity=False) | some.text()


def packed(raw: bytes) -> str:
    """A link around any bytes."""
    return "1." + base64.urlsafe_b64encode(zlib.compress(raw)).decode().rstrip("=")


def refused(link: str) -> str:
    """The key of the sentence that a link is refused with."""
    with pytest.raises(Problem) as problem:
        decode(link)
    return problem.value.key


@settings(max_examples=60, deadline=None)
@given(
    tab=NAMES, values=some.dictionaries(NAMES, PLAIN | some.lists(PLAIN, max_size=4), max_size=6), lock=some.sets(some.sampled_from(LOCKS))
)
def test_a_link_brings_back_what_was_put_into_it(tab: str, values: dict, lock: set[str]) -> None:
    state = {"tab": tab, "values": values, "lock": sorted(lock)}
    link = encode(state)
    assert decode(link) == state and encode(decode(link)) == link
    assert link.replace("-", "").replace("_", "").replace(".", "").isalnum()


def test_a_view_of_usual_size_is_a_short_link_in_both_languages() -> None:
    for text in ("The animal didn't cross the street because it was too tired.", "小猫没有过马路，因为它太累了。"):
        link = encode(link_state("attention", model="mini-bert-en", text=text, site="encoder.3.self", head=2, view="one"))
        assert len(link) < 260
    assert decode(link)["values"]["text"] == text and decode(link)["lock"] == []
    assert decode(encode(link_state("tuning", lock=("rest",))))["lock"] == ["rest"]


def test_a_half_of_a_character_travels_as_a_mark() -> None:
    assert decode(encode(link_state("attention", text="a\ud800b")))["values"]["text"] == "a\ufffdb"
    assert decode(packed(b'{"tab":"a","values":{"text":"\\ud800"}}'))["values"]["text"] == "\ufffd"


@settings(max_examples=100, deadline=None)
@given(some.text(max_size=60) | some.text("AZaz09_-=.1", max_size=60).map("1.".__add__))
def test_any_text_is_refused_with_a_sentence(text: str) -> None:
    assert refused(text) in ("link_bad", "link_version")


def test_a_bomb_is_not_unpacked() -> None:
    assert refused(packed(b" " * (MOST_BYTES + 1))) == "link_too_large"
    assert refused(packed(b"0" * 40_000_000)) == "link_too_large"
    assert refused("1." + "A" * (MOST_LETTERS + 1)) == "link_too_large"
    assert refused(packed(b"[" * 100_000)) == "link_bad"
    with pytest.raises(Problem, match="link_too_large"):
        encode(link_state("attention", text="x" * (MOST_BYTES + 1)))


@pytest.mark.parametrize(
    "state",
    [
        [], "text", {"values": {}}, {"tab": 1}, {"tab": "../x"}, {"tab": "a", "more": 1}, {"tab": "a", "values": []},
        {"tab": "a", "values": {"__class__": 1}}, {"tab": "a", "values": {"x": {}}}, {"tab": "a", "values": {"x": [[]]}},
        {"tab": "a", "lock": "all"}, {"tab": "a", "lock": ["all"]}, {"tab": "a", "lock": [["rest"]]}, {"tab": "a", "lock": [{}]},
    ],
)  # fmt: skip
def test_a_state_of_another_shape_is_refused(state: object) -> None:
    assert refused(packed(json.dumps(state).encode())) == "link_bad"


def test_other_damage_is_refused() -> None:
    link = encode(link_state("attention", text="The cat sat on the mat."))
    for bad in (link[:-3], link + "AAAA", link[:10] + "A" + link[11:], link.replace("1.", "1.."), "1.", ".", "", "x.abc", "-1.abc"):
        assert refused(bad) == "link_bad", bad
    assert refused("2" + link[1:]) == refused("999999.x") == "link_version"
    assert (
        refused(packed(b'{"tab":"a","values":{"x":NaN}}'))
        == refused(packed(b'{"tab":"a","values":{"x":' + b"9" * 5000 + b"}}"))
        == "link_bad"
    )
    assert refused(packed(b'{"tab":"a\xff"}')) == "link_bad"
