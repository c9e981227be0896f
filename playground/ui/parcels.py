"""Large figures travel beside Gradio, whose page turns every value into text half a dozen times at each event.

The value of a chart then names a parcel, and the browser fetches that at once. A parcel is called by the digest of what it holds, so the
same figure is kept once, and a name cannot be guessed.
"""

import gzip
import hashlib
import ipaddress
import threading
import time
from collections import OrderedDict

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

LARGE = 60_000  # characters from which a figure is a parcel
BUDGET_BYTES = 64_000_000  # of all that wait
WAIT_SECONDS = 600.0  # a browser fetches its own within a second, but that of a tab that was never opened only when it is
FOREVER = {"cache-control": "private, max-age=86400, immutable"}


class Parcels:
    """Keeps texts for ten minutes and up to `budget_bytes`; the oldest go first. Every method may be called from any thread."""

    def __init__(self, budget_bytes: int = BUDGET_BYTES):
        self.budget_bytes = budget_bytes
        self.used_bytes = 0
        self._kept: OrderedDict[str, tuple[float, bytes]] = OrderedDict()  # with the time (monotonic) when it was told last
        self._lock = threading.Lock()

    def keep(self, text: str) -> str:
        """Keep a text and give its name."""
        data = text.encode()
        name, now = hashlib.blake2b(data, digest_size=16).hexdigest(), time.monotonic()
        with self._lock:
            if name not in self._kept:
                self.used_bytes += len(data)
            self._kept[name] = now, data
            self._kept.move_to_end(name)
            while len(self._kept) > 1 and (self.used_bytes > self.budget_bytes or self._oldest() < now - WAIT_SECONDS):
                self.used_bytes -= len(self._kept.popitem(last=False)[1][1])
        return name

    def _oldest(self) -> float:
        return next(iter(self._kept.values()))[0]

    def get(self, name: str) -> bytes | None:
        """What was kept under `name`; None where it is gone, or never was."""
        with self._lock:
            return self._kept.get(name, (0.0, None))[1]


PARCELS = Parcels()  # of this server


def send(request: Request) -> Response:
    """Answer with a parcel, smaller where it has a way to go; 404 where it is gone."""
    data = PARCELS.get(request.path_params["name"])
    if data is None:
        return Response(status_code=404)
    headers = dict(FOREVER)
    if "gzip" in request.headers.get("accept-encoding", "") and not at_home(request):
        data, headers = gzip.compress(data, compresslevel=1), headers | {"content-encoding": "gzip", "vary": "accept-encoding"}
    return Response(data, media_type="application/json", headers=headers)


def at_home(request: Request) -> bool:
    """Whether the browser runs on this machine, where a byte costs nothing."""
    try:
        return request.client is not None and ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False


ROUTE = Route("/gradio_api/parcels/{name}", send)  # where a proxy in front of Gradio passes everything on
