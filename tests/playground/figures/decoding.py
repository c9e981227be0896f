"""What plotly.js reads from a figure: its JSON, typed arrays decoded."""

import base64
import json
from collections.abc import Iterator

import numpy as np
import plotly.graph_objects as go


def sent(figure: go.Figure) -> dict:
    """The figure as it travels."""
    return json.loads(figure.to_json())


def array(spec: dict) -> np.ndarray:
    """A typed array as the browser decodes it."""
    flat = np.frombuffer(base64.b64decode(spec["bdata"]), dtype=np.dtype(spec["dtype"]).newbyteorder("<"))
    return flat.reshape([int(size) for size in spec["shape"].split(",")]) if "shape" in spec else flat


def strings(part: object) -> Iterator[str]:
    """Every string in a figure that a person may read or plotly may interpret, data left out."""
    if isinstance(part, str):
        yield part
    elif isinstance(part, dict):
        for name, value in part.items():
            if name not in ("bdata", "family"):
                yield from strings(value)
    elif isinstance(part, list):
        for value in part:
            yield from strings(value)
