"""Browsers play in a page that has nothing of ours, answer, and are scored."""

import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Protocol

import pytest
from bidi import firefox
from browser import browsing
from needs import need
from origin import serving_folder
from playing import PAGE, SECONDS, Record, is_scored
from programs import soon
from whep import serving_http

pytestmark = pytest.mark.peers

SHORT = 4


class Tab(Protocol):
    """A browser's tab."""

    async def goto(self, url: str) -> Any: ...

    async def evaluate(self, expression: str) -> Any: ...


@asynccontextmanager
async def chromium() -> AsyncIterator[tuple[Tab, str]]:
    """A tab of Chromium and its version."""
    async with browsing() as browser:
        page = await browser.new_page()
        yield page, browser.version


@asynccontextmanager
async def firefox_of_debian() -> AsyncIterator[tuple[Tab, str]]:
    """A tab of Firefox and its version; its addresses are hidden, as they are in a new profile."""
    program = shutil.which("firefox-esr") or shutil.which("firefox")
    need(program, "Firefox: sudo apt-get install firefox-esr")
    assert program is not None
    async with firefox(program) as browser:
        yield browser, browser.version


BROWSERS = {"Chromium": chromium, "Firefox": firefox_of_debian}


@pytest.mark.parametrize(
    ("player", "seconds"), [("plain.js", SECONDS), ("plain.js?trickle", SHORT)],
    ids=["gathered", "trickled"],
)  # fmt: skip
@pytest.mark.parametrize("name", BROWSERS)
async def test_a_page_plays_and_is_scored(
    name: str, player: str, seconds: float, record: Record
) -> None:
    async with (
        serving_folder(PAGE) as origin,
        serving_http("--sessions", "1", "--allow-origin", origin) as served,
        BROWSERS[name]() as (tab, version),
    ):
        await tab.goto(f"{origin}/index.html")
        arguments = ", ".join(map(json.dumps, (f"/{player}", served.whep, seconds)))
        seen = await soon(
            tab.evaluate(f"import('/run.js').then(({{ run }}) => run({arguments}))"), 60
        )
        (session,) = (await served.program.report())["sessions"]
    is_scored(session, seen, seconds)
    assert seen["played"] > 0.8 * seconds
    assert session["frames_answered"] > 0.8 * session["frames_due"]
    if seconds == SECONDS:
        record(name, version, "track", session)
