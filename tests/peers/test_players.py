"""The WHEP players on npm play in Chromium, in a page of another origin than the server's."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from browser import browsing
from origin import serving_folder
from playing import SECONDS, Record, is_scored
from programs import soon
from whep import serving_http

pytestmark = pytest.mark.peers


async def play(folder: Path, player: str) -> tuple[Any, Any]:
    """What a player saw in Chromium, and the sessions that the server scored; one has ended."""
    async with (
        serving_folder(folder) as origin,
        serving_http("--sessions", "1", "--allow-origin", origin) as served,
        browsing() as browser,
    ):
        page = await browser.new_page()
        await page.goto(f"{origin}/index.html")
        arguments = ", ".join(map(json.dumps, (f"/{player}", served.whep, SECONDS)))
        seen = await soon(
            page.evaluate(f"import('/run.js').then(({{ run }}) => run({arguments}))"), 60
        )
        return seen, (await served.program.report())["sessions"]


@pytest.mark.parametrize("package", ["whip-whep", "@binbat/whip-whep"])
async def test_a_player_with_a_channel_is_scored(
    installed: Path, version_of: Callable[[str], str], record: Record, package: str
) -> None:
    seen, (session,) = await play(installed, f"whip-whep.js?package={package}")
    is_scored(session, seen)
    assert seen["played"] > 0.8 * SECONDS
    record(f"{package} in Chromium", version_of(package), "track", session)


@pytest.fixture(scope="session")
def bundled(installed: Path) -> str:
    """The player that has to be bundled before a page can import it."""
    subprocess.run(
        ["node_modules/.bin/esbuild", "eyevinn.js", "--bundle", "--format=esm", "--outfile=all.js"],
        cwd=installed, capture_output=True, timeout=60, check=True,
    )  # fmt: skip
    return "all.js"


async def test_a_player_without_a_channel_watches(
    installed: Path, bundled: str, version_of: Callable[[str], str], record: Record
) -> None:
    seen, sessions = await play(installed, bundled)
    assert sessions == []
    assert seen["frames"] > 15 * SECONDS
    assert seen["played"] > 0.8 * SECONDS
    package = "@eyevinn/webrtc-player"
    record(f"{package} in Chromium", version_of(package), "track")
