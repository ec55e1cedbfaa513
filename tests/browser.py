"""A real browser, headless and without a way out to its maker."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from needs import need
from playwright.async_api import Browser, Page, async_playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def find_browser() -> str:
    """The path of a Chromium; the test skips where there is none."""
    path = next(filter(None, map(shutil.which, _NAMES)), None)
    need(path, f"a browser, one of {', '.join(_NAMES)}")
    assert path is not None
    return path


@asynccontextmanager
async def browsing() -> AsyncIterator[Browser]:
    """A headless Chromium, which ends with the context; the test skips where there is none."""
    path = find_browser()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=FLAGS)
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def fresh(browser: Browser) -> AsyncIterator[Page]:
    """An empty page that shares nothing with others."""
    profile = await browser.new_context()
    try:
        yield await profile.new_page()
    finally:
        await profile.close()
