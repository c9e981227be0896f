"""The page around the tiny models, in Debian's Chromium. Everything that the browser complains about fails the test."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from playground.page import build_page
from playground.service.playground import Playground
from playground.ui.look import launch_settings

PATIENCE = 30_000  # milliseconds after which a test takes something for lost

expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="session")
def address(tiny_playground: Playground) -> Iterator[str]:
    """Where the page is served."""
    page = build_page(tiny_playground).queue(default_concurrency_limit=None)
    page.launch(prevent_thread_lock=True, quiet=True, inbrowser=False, **launch_settings())
    yield page.local_url
    page.close()


def serious(message: ConsoleMessage) -> bool:
    """Whether something went wrong. Gradio's API page asks whether there is an MCP server, and there is none."""
    return message.type == "error" and "/mcp/" not in message.location["url"]


@pytest.fixture
def visit(browser: Browser, address: str) -> Iterator[Callable[..., Page]]:
    """`visit("translation", query="?lang=zh", width=390)` opens the page at a tab; a fresh visitor each time, who speaks English."""
    complaints: list[str] = []
    contexts = []

    def open_(tab: str | None = None, *, query: str = "", width: int = 1280, at: str = address) -> Page:
        contexts.append(browser.new_context(viewport={"width": width, "height": 900}, locale="en-GB"))
        page = contexts[-1].new_page()
        page.set_default_timeout(PATIENCE)
        page.on("console", lambda message: complaints.append(message.text) if serious(message) else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(at + query)
        if tab:
            page.locator(f"#tab-{tab}-button").click()
        return page

    yield open_
    for context in contexts:
        context.close()
    assert not complaints
