"""The page as a program: how soon it answers, how much memory it takes, what the attention of 128 tokens costs.

    python -m tests.benchmarks.bench_page [--port 7899]

Starts `python app.py`, waits for its first answer (models not loaded), loads MiniLM by asking once, then asks new texts. The server's
own time is measured in this process on the same service, without HTTP.
"""

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path

import httpx
from gradio_client import Client

from models.catalogue import Catalogue
from playground.figures.heatmap import heatmap
from playground.service.playground import Playground
from playground.tasks import attend
from tests.benchmarks.paired import seconds

ROOT = Path(__file__).parents[2]
MODEL = "all-MiniLM-L6-v2"
SENTENCE = "the river runs past the old mill and under the stone bridge where the children wait for the boats to come home "
PATIENCE = 60  # seconds for the first answer


def text(number: int) -> str:
    """A text of 128 tokens with its special ones, another for each number."""
    return " ".join([str(number), *(SENTENCE * 6).split()[:125]])


def first_answer(url: str) -> float:
    """Seconds until the page answers."""
    start = time.perf_counter()
    while time.perf_counter() - start < PATIENCE:
        try:
            httpx.get(url).raise_for_status()
            return time.perf_counter() - start
        except httpx.HTTPError:
            time.sleep(0.02)
    raise SystemExit("the page did not answer")


def resident(process: int) -> float:
    """Memory of a process, in MB."""
    line = next(line for line in Path(f"/proc/{process}/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=7899)
    parser.add_argument("--repeats", type=int, default=15)
    options = parser.parse_args()
    url = f"http://127.0.0.1:{options.port}/"
    lines = []
    server = subprocess.Popen(
        [sys.executable, "app.py", "--port", str(options.port)], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        lines.append(f"first answer after {first_answer(url):.2f} s, {resident(server.pid):.0f} MB resident")
        client = Client(url, verbose=False)
        client.predict(model=MODEL, text=text(0), api_name="/attend")
        lines.append(f"with {MODEL} loaded: {resident(server.pid):.0f} MB resident")
        times = [seconds(lambda n=n: client.predict(model=MODEL, text=text(n), api_name="/attend")) for n in range(1, options.repeats + 1)]
        lines.append(
            f"/attend, a new text of 128 tokens over HTTP (JSON numbers): {statistics.median(times) * 1e3:.0f} ms, client and server"
        )
    finally:
        server.terminate()
        server.wait()

    with Playground(Catalogue()) as playground:
        site, times, sizes = "encoder.5.self", [], []
        for number in range(options.repeats + 1):
            start = time.perf_counter()
            result = playground.ask(MODEL, "attend", attend.Request(text=text(number)))
            queries, keys = result.words_at(site)
            figure = heatmap(result.weights(site, 0), queries, keys, site=site, head=0, language="en").to_json()
            times.append(time.perf_counter() - start)
            sizes.append(len(figure))
        lines.append(f"question to figure, {len(queries)} tokens, warm: {statistics.median(times[1:]) * 1e3:.0f} ms on the server")
        lines.append(f"figure: {max(sizes) / 1024:.0f} KiB of JSON")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
