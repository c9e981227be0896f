"""Start the playground: flags -> service -> page -> server."""

import argparse
import logging
import os
import sys
from collections.abc import Sequence

from models.catalogue import Catalogue
from models.errors import Problem
from playground.page import build_page
from playground.service.device import DTYPES, KINDS
from playground.service.playground import Playground
from playground.ui.look import launch_settings
from playground.ui.wording import sentence


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve the page until interrupted; a flag that cannot be obeyed ends in one sentence."""
    options = parse(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)  # else it tells of every request that the page sends to itself
    try:
        catalogue = Catalogue(allow_hub=options.allow_hub, offline=options.offline).with_operator(options.model)
        playground = Playground(catalogue, options.device, dtype=options.dtype, offline=options.offline)
    except Problem as problem:
        raise SystemExit(sentence(problem, "en")) from None
    with playground:
        playground.explore()
        page = build_page(playground, allow_hub=options.allow_hub).queue(default_concurrency_limit=None)
        where = {"server_name": options.host, "server_port": options.port, "share": options.share, "inbrowser": has_desktop()}
        try:
            page.launch(**where, **launch_settings())
        except OSError as error:  # the port is taken, or the host is not ours
            raise SystemExit(str(error)) from None


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The flags."""
    parser = argparse.ArgumentParser(description="Type a sentence and see a Transformer work on it.")
    parser.add_argument("--host", help="address to listen on (default: this machine only; 0.0.0.0 for everybody)")
    parser.add_argument("--port", type=int, help="port to listen on (default: the first free one from 7860)")
    parser.add_argument("--device", choices=KINDS, default="auto", help="where models compute (default: auto)")
    parser.add_argument("--dtype", choices=DTYPES, help="numbers of the weights (default: float32; bfloat16 needs CUDA, int8 the CPU)")
    parser.add_argument(
        "--model", action="append", default=[], metavar="NAME|HUB_ID|NAME=FOLDER", help="offer this model too, in front; may be repeated"
    )
    parser.add_argument("--share", action="store_true", help="also make a public link")
    parser.add_argument("--offline", action="store_true", help="never ask the network for a model")
    parser.add_argument("--allow-hub", action="store_true", help="let visitors type the id of any model or data set of the hub")
    return parser.parse_args(arguments)


def has_desktop() -> bool:
    """Whether somebody sits at this machine, for whom a browser can be opened."""
    return sys.stdout.isatty() and (
        sys.platform in ("darwin", "win32") or any(name in os.environ for name in ("DISPLAY", "WAYLAND_DISPLAY"))
    )


if __name__ == "__main__":
    main()
