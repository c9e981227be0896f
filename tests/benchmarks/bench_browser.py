"""The page as a visitor meets it: a real browser on this machine, the server warm.

    python -m tests.benchmarks.bench_browser [--repeats 7] [--minutes 30] [--chromium /usr/bin/chromium]

Starts `python app.py --offline` with the weights that ship. `--minutes` clicks through layers, heads, views and new texts for so long, and
compares the page's heap (after garbage collection) and the server's resident memory with those of minute five; what the server remembers of
answers has been filled up before.
"""

import argparse
import itertools
import json
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, CDPSession, Page, expect, sync_playwright

from tests.benchmarks.bench_page import ROOT, first_answer, resident

SENTENCE = "the animal did not cross the old street because it was too tired and the river under the bridge was wide and cold and deep"
CHART = "#attention-chart"
# Milliseconds from a click until the weights that follow it have been painted: the task after the frame that shows our own picture of them
# (assets/js/preview.js) or plotly's, whichever is first; `whole` is when plotly has drawn everything.
WATCH = """() => {
  const { preview } = window.playground;
  const tell = (...names) => requestAnimationFrame(() => setTimeout(() => {
    for (const name of names) if (window.clicked && !window[name]) window[name] = performance.now() - window.clicked;
  }));
  window.watched ??= addEventListener("playground-moved", () => tell("painted", "whole")) || true;
  window.listening ??= addEventListener("click", () => { window.clicked ??= performance.now(); }, true) || true;
  window.previewed ??= window.playground.preview = (...given) => {
    const shown = preview(...given);
    if (shown) tell("painted");
    return shown;
  };
  window.clicked = null; window.painted = null; window.whole = null;
}"""
# What Gradio would send to any page of its own.
GRADIO = ("/assets/", "/static/", "/theme.css", "/svelte/", "fonts.", "/manifest.json", "/gradio_api/startup-events")


def text(number: int, tokens: int = 32) -> str:
    """A text of that many tokens with its two special ones, another for each number."""
    words = itertools.islice(itertools.cycle(SENTENCE.split()), tokens - 3)
    return " ".join([str(number % 1000), *words])


@contextmanager
def opened(browser: Browser, url: str) -> Iterator[tuple[Page, CDPSession]]:
    """A fresh visitor who speaks English, and the browser's own account of the page."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB")
    page = context.new_page()
    account = context.new_cdp_session(page)
    account.send("Network.enable")
    yield page, account
    context.close()


def first_view(browser: Browser, url: str) -> tuple[float, float, dict[str, int]]:
    """Seconds to the first contentful paint and to the first map; bytes that travelled, Gradio's own apart."""
    sizes, names = {"gradio": 0, "ours": 0}, {}
    with opened(browser, url) as (page, account):
        account.on("Network.responseReceived", lambda event: names.update({event["requestId"]: event["response"]["url"]}))

        def count(event: dict) -> None:
            name = names.get(event["requestId"], "")
            sizes["gradio" if any(part in name for part in GRADIO) else "ours"] += int(event["encodedDataLength"])

        account.on("Network.loadingFinished", count)
        start = time.perf_counter()
        page.goto(url)
        page.locator(f"{CHART} .main-svg").first.wait_for(timeout=60_000)
        shown = time.perf_counter() - start
        page.wait_for_timeout(500)
        paint = page.evaluate("() => performance.getEntriesByName('first-contentful-paint')[0].startTime") / 1e3
    return paint, shown, sizes


def painted(page: Page, act) -> float:
    """Milliseconds from the click in `act` to the painted figure."""
    page.evaluate(WATCH)
    act()
    page.wait_for_function("() => window.whole", timeout=60_000)
    return page.evaluate("() => window.painted")


def ask(page: Page, number: int, tokens: int) -> float:
    page.get_by_label("Text", exact=True).fill(text(number, tokens))
    return painted(page, page.locator("#tab-attention button.primary").click)


def switch(page: Page, head: int) -> float:
    """Another head: the clock runs from the click on its name in the opened list."""
    page.locator("#tab-attention").get_by_label("Head", exact=True).click()
    option = page.get_by_role("option", name=f"Head {head}", exact=True)
    option.wait_for()
    return painted(page, option.click)


def show(page: Page, view: str) -> float:
    return painted(page, page.get_by_label(view, exact=True).check)


def fill(url: str, *, answers: int = 450) -> None:
    """So many other questions: what the server remembers of answers grows up to its bound, and shall have done so before."""
    for number in range(answers):
        body = json.dumps({"data": ["mini-bert-en", text(number, 16 + number % 40), "", "", "", -1]}).encode()
        headers = {"content-type": "application/json"}
        urllib.request.urlopen(urllib.request.Request(f"{url}gradio_api/run/attend", data=body, headers=headers)).read()


def clicking(page: Page, account: CDPSession, server: int, minutes: float) -> Iterator[str]:
    """Click until the time is over; tell heap and memory every five minutes."""
    start, reports = time.monotonic(), 1
    for number in itertools.count(5000):
        ask(page, number, 16 + number % 40)
        for head in (1 + number % 6, 7 + number % 6):
            switch(page, head)
        for view in ("All heads of a layer", "Whole model", "One head"):
            show(page, view)
        passed = (time.monotonic() - start) / 60
        if passed >= 5 * reports or passed >= minutes:
            account.send("HeapProfiler.collectGarbage")
            heap = account.send("Runtime.getHeapUsage")["usedSize"] / 2**20
            yield f"minute {passed:.0f}: heap {heap:.1f} MiB, server {resident(server):.0f} MB, {number - 4999} rounds"
            reports += 1
        if passed >= minutes:
            return


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=7898)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--minutes", type=float, default=0)
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    options = parser.parse_args()
    url = f"http://127.0.0.1:{options.port}/"
    server = subprocess.Popen([sys.executable, "app.py", "--offline", "--port", str(options.port)], cwd=ROOT, stdout=subprocess.DEVNULL)

    def tell(line: str) -> None:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()

    def median(what: str, values: list[float], unit: str) -> None:
        tell(f"{what}: {statistics.median(values):.4g} {unit} (of {len(values)}: {min(values):.4g} to {max(values):.4g})")

    try:
        first_answer(url)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=options.chromium)
            expect.set_options(timeout=60_000)
            first_view(browser, url)  # loads the model
            views = [first_view(browser, url) for _ in range(options.repeats)]
            median("first contentful paint", [paint for paint, _, _ in views], "s")
            median("first map painted", [shown for _, shown, _ in views], "s")
            for whose in ("ours", "gradio"):
                median(f"transfer of the first view, {whose}", [sizes[whose] / 2**20 for _, _, sizes in views], "MiB")
            with opened(browser, url) as (page, account):
                page.goto(url)
                page.locator(f"{CHART} .main-svg").first.wait_for()
                median("button to painted map, 32 tokens", [ask(page, n, 32) for n in range(options.repeats + 1)][1:], "ms")
                heads = [1 + n % 6 for n in range(options.repeats)]
                median("head switch, 32 tokens", [switch(page, head) for head in heads], "ms")
                ask(page, 100, 128)
                median("whole model at 128 tokens", [(show(page, "Whole model"), show(page, "One head"))[0] for _ in heads], "ms")
                ask(page, 101, 510)
                # Other heads than before: of a head that is shown already nothing is painted.
                median("head switch, 512 tokens", [switch(page, 6 + head) for head in heads], "ms")
                if options.minutes:
                    fill(url)
                    for line in clicking(page, account, server.pid, options.minutes):
                        tell(line)
            browser.close()
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
