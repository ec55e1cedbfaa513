"""Peers of other makes that run in Node.js: they play, answer, and are scored."""

import asyncio
import json
from pathlib import Path

import pytest
from programs import soon
from whep import serving_http

pytestmark = pytest.mark.peers

SECONDS = 10


@pytest.mark.parametrize("peer", ["werift", "libwebrtc"])
async def test_it_plays_and_is_scored(installed: Path, peer: str) -> None:
    async with serving_http("--sessions", "1") as served:
        program = await asyncio.create_subprocess_exec(
            "node", f"{peer}.mjs", served.whep, str(SECONDS),
            cwd=installed, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        output, errors = await soon(program.communicate(), 60)
        assert program.returncode == 0, errors.decode()
        seen = json.loads(output.splitlines()[-1])
        (session,) = (await served.program.report())["sessions"]
    assert session["channel"] is True
    assert session["rejected"] == 0
    assert session["frames_sent"] > 150
    assert seen["frames"] >= 0.8 * session["frames_sent"]
    assert session["frames_answered"] + session["unnumbered"] >= 0.8 * session["frames_sent"]
    assert seen["feedback"] >= SECONDS
