"""A link that carries the view itself: tab, model, texts, options. It needs no server that remembers it, and opens on any other.

    https://any.server/?lang=zh#show=1.eJyrVi...

The state stands behind the # as "version.data": JSON, compressed (zlib), in the letters of base64url. A browser never sends that part of
an address to a server, so what a visitor typed does not end up in the logs of servers and proxies on the way. What comes in a link can be
anything: `decode` believes none of it, and `playground.ui.linking` checks every value against the field that it fills.
"""

import base64
import binascii
import json
import re
import zlib
from typing import Any

from models.errors import Problem
from playground.ui.typed import sendable

VERSION = 1
MARK = "#show="  # what stands before the data in an address
LONGEST = 1_900  # characters of a link that every mail program, chat and QR reader takes; a longer one is kept on the server
MOST_LETTERS = 100_000  # of the data that is looked at
MOST_BYTES = 200_000  # of the state that it may unpack to: a few hundred bytes can be made to unpack to gigabytes
LOCKS = ("options", "rest")  # what a teacher can fix: the model and options; or hide: these and the other tabs
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")

State = dict[str, Any]


def link_state(tab: str, *, lock: tuple[str, ...] = (), **values: Any) -> State:
    """The view of one tab, as a link holds it.

    `values` are the fields as the tab names them where it calls `page.links.add` (for attention: model, text, second, target, site, head,
    view ...); what is left out stays as the page has it. `lock`: any of LOCKS.
    """
    return {"tab": tab, "values": values} | ({"lock": list(lock)} if lock else {})


def encode(state: State) -> str:
    """The state as what stands behind MARK: `"1.eJyr..."`. Equal states give equal texts. Problem link_too_large."""
    told = json.dumps(state, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    raw = sendable(told).encode()
    data = base64.urlsafe_b64encode(zlib.compress(raw, 9)).decode().rstrip("=")
    if len(raw) > MOST_BYTES or len(data) > MOST_LETTERS:
        raise Problem("link_too_large", most=MOST_BYTES // 1000)
    return f"{VERSION}.{data}"


def decode(link: str) -> State:
    """The state of what stands behind MARK, with "tab", "values" and "lock"; nothing but its shape is checked.

    Raises Problem: link_bad (damaged, or never a link), link_version (of another version of this page), link_too_large.
    """
    version, _, data = link.partition(".")
    if not re.fullmatch(r"[0-9]{1,6}", version) or not data:
        raise Problem("link_bad")
    if int(version) != VERSION:
        raise Problem("link_version")
    if len(data) > MOST_LETTERS:
        raise Problem("link_too_large", most=MOST_BYTES // 1000)
    try:
        state = json.loads(unpacked(data), parse_constant=_no_number)
    except (ValueError, RecursionError, zlib.error) as error:  # binascii.Error and what UTF-8 and JSON refuse are ValueErrors
        if isinstance(error, Problem):
            raise
        raise Problem("link_bad") from error
    return well_formed(state)


def unpacked(data: str) -> str:
    """The JSON behind the letters; never more than MOST_BYTES of it."""
    if not re.fullmatch(r"[A-Za-z0-9_-]+", data):
        raise binascii.Error("not base64url")
    unpacker = zlib.decompressobj()
    raw = unpacker.decompress(base64.urlsafe_b64decode(data + "=" * (-len(data) % 4)), MOST_BYTES + 1)
    if len(raw) > MOST_BYTES:
        raise Problem("link_too_large", most=MOST_BYTES // 1000)
    if not unpacker.eof or unpacker.unused_data:
        raise zlib.error("cut short, or followed by something")
    return raw.decode()


def well_formed(state: Any) -> State:
    """A state with a tab, plain values and a lock; Problem link_bad for anything else."""
    if not isinstance(state, dict) or not state.keys() <= {"tab", "values", "lock"}:
        raise Problem("link_bad")
    tab, values, lock = state.get("tab"), state.get("values", {}), state.get("lock", [])
    if not (isinstance(tab, str) and _NAME.fullmatch(tab) and isinstance(values, dict) and isinstance(lock, list)):
        raise Problem("link_bad")
    if not all(_NAME.fullmatch(name) and (_plain(value) or _plains(value)) for name, value in values.items()):
        raise Problem("link_bad")
    if not all(isinstance(name, str) and name in LOCKS for name in lock):
        raise Problem("link_bad")
    return {"tab": tab, "values": {name: _sent(value) for name, value in values.items()}, "lock": lock}


def _plain(value: Any) -> bool:
    return value is None or isinstance(value, bool | int | float | str)


def _plains(value: Any) -> bool:
    return isinstance(value, list) and all(_plain(item) for item in value)


def _sent(value: Any) -> Any:
    if isinstance(value, list):
        return [_sent(item) for item in value]
    return sendable(value) if isinstance(value, str) else value


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no JSON")
