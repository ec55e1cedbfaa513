"""The page in a real browser: it plays, is scored, draws, and comes back."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from browser import browsing
from playwright.async_api import Browser, ConsoleMessage, Page, expect
from programs import run, soon
from whep import serving_http

# One browser serves all of these tests.
pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("page")]

PICTURES = Path(os.environ.get("BALLSTREAM_PICTURES", "build"))
"""Where the screenshot is left for whoever wants to see what the test saw."""

FRAMES = 160


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with browsing() as browser:
        yield browser


@asynccontextmanager
async def opened(browser: Browser, url: str, **context: Any) -> AsyncIterator[Page]:
    """The page in a fresh profile; whatever it complains of in the console is a failure."""
    complaints: list[str] = []
    profile = await browser.new_context(**context)
    page = await profile.new_page()

    def hear(message: ConsoleMessage) -> None:
        if message.type == "error":
            complaints.append(message.text)

    page.on("console", hear)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    try:
        await page.goto(url)
        yield page
    finally:
        await profile.close()
    assert complaints == []


async def number(page: Page, name: str) -> float:
    return float(await page.locator(f"#{name}").inner_text())


SHOWN = """
(frames) => new Promise((resolve) => {
  const count = document.getElementById("presented");
  const check = () => Number(count.value) >= frames && resolve();
  new MutationObserver(check).observe(count, { childList: true });
  check();
})
"""


async def shown(page: Page, frames: int) -> None:
    """Wait until so many frames were shown."""
    await soon(page.evaluate(SHOWN, frames), 60)


async def test_it_plays_is_scored_and_draws(browser: Browser) -> None:
    async with serving_http("--sessions", "1") as served:
        async with opened(browser, served.url, viewport={"width": 1200, "height": 1400}) as page:
            await expect(page.locator("#status")).to_have_text("Connected as client 1")
            await shown(page, FRAMES)
            presented, answered = await number(page, "presented"), await number(page, "answered")
            own = page.locator("tr.own")
            await expect(own.locator("th")).to_have_text("1 (this page)")
            for plot, lines in (("error", 2), ("latency", 1)):
                drawn = page.locator(f"#{plot}-plot .scatterlayer .js-line")
                await expect(drawn).to_have_count(lines)
                for line in await drawn.all():
                    path = await line.get_attribute("d")
                    assert path is not None
                    assert path.count("L") >= 10
            PICTURES.mkdir(parents=True, exist_ok=True)
            await page.screenshot(path=PICTURES / "page.png", full_page=True)
        (session,) = (await served.program.report())["sessions"]
    assert answered >= 0.5 * presented, "a busy machine shows frames that nobody looks at"
    assert session["frames_answered"] >= 0.9 * answered
    assert session["rejected"] == 0
    assert session["detection_error_px"]["n"] > 50
    assert session["detection_error_px"]["p95"] < 0.5
    assert 0 < session["latency_ms"]["p50"] < 1000


async def test_it_says_that_the_server_is_lost_and_comes_back(browser: Browser) -> None:
    async with serving_http() as first:
        address = first.url.removeprefix("http://").removesuffix("/")
        async with opened_tolerantly(browser, first.url) as page:
            await shown(page, 10)
            first.program.send_signal(signal.SIGTERM)
            await soon(first.program.process.wait())
            await expect(page.locator("#status")).to_contain_text("Connection lost")
            async with run("server", "-s", "whep", "--http", address, "--json") as second:
                await page.wait_for_selector("[data-state=playing]", timeout=30_000)
                await shown(page, 30)
                second.send_signal(signal.SIGTERM)
                (session,) = (await second.report())["sessions"]
            assert session["frames_answered"] > 0


@asynccontextmanager
async def opened_tolerantly(browser: Browser, url: str) -> AsyncIterator[Page]:
    """The page, whose requests may fail while there is no server."""
    profile = await browser.new_context()
    page = await profile.new_page()
    try:
        await page.goto(url)
        yield page
    finally:
        await profile.close()


async def test_it_asks_for_the_token_and_can_be_left_and_joined(browser: Browser) -> None:
    async with serving_http("--token", "sesame") as served:
        async with opened_tolerantly(browser, served.url) as page:
            await expect(page.locator("#status")).to_have_text("This server asks for its token")
            await expect(page.locator("#token")).to_be_focused()
            await page.keyboard.type("sesame")
            await page.keyboard.press("Enter")
            await shown(page, 10)
            await page.get_by_role("button", name="Disconnect").press("Enter")
            await expect(page.locator("#status")).to_have_text("Disconnected")
            await served.program.says("client 1 is gone: the client said goodbye")
            await page.get_by_role("button", name="Connect").press("Enter")
            await expect(page.locator("#status")).to_have_text("Connected as client 2")
            await page.goto("about:blank")
        await served.program.says(
            "client 2 is gone: the client "
        )  # in words, or with its connection


async def test_others_are_shown_beside_it(browser: Browser) -> None:
    async with (
        serving_http("--codec", "H264") as served,
        opened(browser, served.url) as page,
    ):
        await shown(page, 5)
        async with run("client", "-s", "whep", "--url", served.whep) as client:
            await client.says("the server says")
            await expect(page.locator("tr[data-client='2'] td").first).not_to_have_text("0")
            assert await page.locator("#clients tr").count() == 2
            client.send_signal(signal.SIGTERM)
            await client.ends()
        await expect(page.locator("tr[data-client='2']")).to_have_count(0)


@pytest.mark.parametrize(("scheme", "width"), [("light", 1200), ("dark", 360)])
async def test_axe_finds_nothing_to_complain_of(browser: Browser, scheme: Any, width: int) -> None:
    async with serving_http() as served:
        viewport = {"width": width, "height": 800}
        async with (
            opened(browser, served.url, color_scheme=scheme, viewport=viewport) as page,
            asyncio.timeout(60),
        ):
            await shown(page, 60)
            line = page.locator("#latency-plot .scatterlayer .js-line").first
            await expect(line).to_be_attached()
            results = await Axe().run(page)
            assert results.violations_count == 0, results.generate_report()
            wide = await page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, "the page scrolls sideways"
