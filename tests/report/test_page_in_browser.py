"""`report.html` in a real browser, after a real run."""

import json
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page
from programs import DEADLINE, run

# One run serves all of these tests.
pytestmark = pytest.mark.asyncio(loop_scope="module")

FIGURES = ("latency_ms", "detection_error_px", "tracking_error_px")
KINDS = ("over-time", "histogram", "cumulative")
CHARTS = [*(f"{figure}-{kind}" for figure in FIGURES for kind in KINDS), "path"]
STATISTICS = ("n", "mean", "p50", "p95", "p99", "max")
COUNTS = (
    "frames_due", "frames_missed", "frames_dropped", "frames_sent", "frames_answered",
    "unnumbered", "frames_lost", "frames_undecided", "not_found", "duplicates", "rejected",
    "bytes_sent",
)  # fmt: skip

Scheme = Literal["light", "dark"]


async def make_report(folder: Path) -> None:
    """Run a server with two clients, one on each transport, and end it by Ctrl-C."""
    flags = ("-s", "unix-socket", "--signaling-path", str(folder / "socket"))
    async with run("server", *flags, "--output", str(folder / "out")) as server:
        async with (
            run("client", *flags, "--duration", "3") as first,
            run("client", *flags, "--duration", "3", "--transport", "datachannel") as second,
        ):
            for client in (first, second):
                assert (await client.ends())[0] == 0, client.errors
        for number in (1, 2):
            await server.says(f"client {number} is gone")
        server.send_signal(signal.SIGINT)
        assert (await server.ends())[0] == 130
        assert "report.html" not in server.errors


@dataclass
class Visit:
    """A page with what the browser did and said because of it."""

    page: Page
    requests: list[str]
    complaints: list[str]


@dataclass
class Report:
    """A report, and a browser to look at it."""

    path: Path
    browser: Browser

    @asynccontextmanager
    async def visited(self, scheme: Scheme = "light", width: int = 1200) -> AsyncIterator[Visit]:
        """Open it in a fresh profile that is offline."""
        context = await self.browser.new_context(
            offline=True, color_scheme=scheme, viewport={"width": width, "height": 900}
        )
        context.set_default_timeout(1000 * DEADLINE)
        page = await context.new_page()
        visit = Visit(page, [], [])
        page.on("request", lambda request: visit.requests.append(request.url))
        page.on("console", lambda message: visit.complaints.append(message.text))
        page.on("pageerror", lambda error: visit.complaints.append(str(error)))
        try:
            await page.goto(self.path.as_uri())
            yield visit
        finally:
            await context.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def report(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Report:
    """The report of a run that was interrupted."""
    folder = tmp_path_factory.mktemp("report")
    await make_report(folder)
    return Report(folder / "out" / "report.html", browser)


async def drawn(page: Page) -> dict[str, list[int]]:
    """How many lines and points are drawn of each trace, for each chart."""
    found: dict[str, list[int]] = await page.evaluate(
        """() => Object.fromEntries([...document.querySelectorAll(".plot")].map((plot) => [
             plot.id,
             [...plot.querySelectorAll(".scatterlayer > .trace")].map((trace) =>
               trace.querySelectorAll("path.js-line, path.point").length)]))"""
    )
    return found


async def traces(page: Page) -> dict[str, list[Any]]:
    """What the charts were told to draw."""
    script = await page.text_content("#charts")
    assert script is not None
    return {chart["name"]: chart["data"] for chart in json.loads(script)}


async def table(page: Page, title: str) -> list[list[str]]:
    """The exact numbers of the table under a heading, row by row."""
    found: list[list[str]] = await page.evaluate(
        """(title) => [...document.querySelectorAll(`[aria-labelledby="${title}"] tbody tr`)]
             .map((row) => [...row.querySelectorAll("th, data")]
               .map((cell) => cell.value ?? cell.textContent))""",
        title,
    )
    return found


async def test_it_needs_nothing_but_itself(report: Report) -> None:
    async with report.visited() as visit:
        assert await visit.page.title() == "ballstream report"
        assert visit.requests == [report.path.as_uri()]
        assert visit.complaints == []


async def test_every_chart_draws_every_trace(report: Report) -> None:
    async with report.visited() as visit:
        lines, told = await drawn(visit.page), await traces(visit.page)
    assert list(lines) == list(told) == CHARTS
    for name, data in told.items():
        assert len(lines[name]) == len(data), name
        assert all(lines[name]), name
        assert {trace["meta"]["session"] for trace in data} == {1, 2}
    for name, data in told.items():
        if name.endswith("over-time"):
            every = [trace for trace in data if trace["meta"]["part"] == "every"]
            assert sum(lines[name]) >= sum(
                len(trace["x"]) - trace["x"].count(None) for trace in every
            )


async def test_the_tables_hold_the_summary(report: Report) -> None:
    sessions = json.loads(report.path.with_name("summary.json").read_text())["sessions"]
    sessions.sort(key=lambda session: session["id"])
    async with report.visited() as visit:
        rows = await table(visit.page, "sessions")
        figures = {name: await table(visit.page, name) for name in FIGURES}
        told = await traces(visit.page)
    assert [[float(cell) for cell in row] for row in rows] == [
        [
            session["id"],
            session["seconds"],
            100 * session["frames_answered"] / session["frames_due"],
            *(session[name] for name in COUNTS),
        ]
        for session in sessions
    ]
    for name, cells in figures.items():
        assert [[float(cell) for cell in row] for row in cells] == [
            [session["id"], *(session[name][each] for each in STATISTICS)] for session in sessions
        ]
        counted = [sum(trace["customdata"][:-1]) for trace in told[f"{name}-histogram"]]
        assert all(
            0.9 * session[name]["n"] <= number <= session[name]["n"]
            for number, session in zip(counted, sessions, strict=True)
        )
        every = [trace for trace in told[f"{name}-over-time"] if trace["meta"]["part"] == "every"]
        assert [sum(value is not None for value in trace["y"]) for trace in every] == [
            session[name]["n"] for session in sessions
        ]


async def test_a_session_is_taken_out_of_all_charts_from_the_keyboard(report: Report) -> None:
    async with report.visited() as visit:
        all_lines, told = await drawn(visit.page), await traces(visit.page)
        await visit.page.focus(".key input[value='2']")
        await visit.page.keyboard.press("Space")
        fewer = await drawn(visit.page)
        await visit.page.keyboard.press("Space")
        assert await drawn(visit.page) == all_lines
    for name, data in told.items():
        assert len(fewer[name]) == sum(trace["meta"]["session"] == 1 for trace in data)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1200, 390])
async def test_it_can_be_read_by_everyone(report: Report, scheme: Scheme, width: int) -> None:
    async with report.visited(scheme, width) as visit:
        results = await Axe().run(visit.page)
        assert results.violations_count == 0, results.generate_report()
        content, window = await visit.page.evaluate(
            "[document.documentElement.scrollWidth, innerWidth]"
        )
        assert content <= window, "nothing sticks out"


async def test_charts_follow_the_scheme_and_are_light_on_paper(report: Report) -> None:
    light, dark = "rgb(255, 255, 255)", "rgb(24, 27, 33)"
    async with report.visited("dark") as visit:
        page = visit.page

        async def ground_is(colour: str) -> None:
            await page.wait_for_function(
                """(colour) => [...document.querySelectorAll(".plot .main-svg:first-child")].every(
                     (chart) => getComputedStyle(chart).backgroundColor === colour)""",
                arg=colour,
            )

        await ground_is(dark)
        await page.evaluate("dispatchEvent(new Event('beforeprint'))")
        await ground_is(light)
        await page.evaluate("dispatchEvent(new Event('afterprint'))")
        await ground_is(dark)
        await page.emulate_media(color_scheme="light")
        await ground_is(light)
