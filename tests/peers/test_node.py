"""Peers of other makes that run in Node.js: they play, answer, and are scored."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from playing import SECONDS, Record, is_scored
from programs import soon
from whep import serving_http

pytestmark = pytest.mark.peers


@pytest.mark.parametrize(
    ("peer", "package", "transport"),
    [
        ("werift", "werift", "track"),
        ("libwebrtc", "@roamhq/wrtc", "track"),
        ("libdatachannel", "node-datachannel", "track"),
        ("libdatachannel", "node-datachannel", "datachannel"),
    ],
)
async def test_it_plays_and_is_scored(
    installed: Path,
    version_of: Callable[[str], str],
    record: Record,
    peer: str,
    package: str,
    transport: str,
) -> None:
    async with serving_http("--sessions", "1") as served:
        program = await asyncio.create_subprocess_exec(
            "node", f"{peer}.mjs", served.whep, str(SECONDS), transport,
            cwd=installed, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        output, errors = await soon(program.communicate(), 60)
        assert program.returncode == 0, errors.decode()
        seen = json.loads(output.splitlines()[-1])
        (session,) = (await served.program.report())["sessions"]
    is_scored(session, seen)
    assert session["transport"] == transport
    record(package, version_of(package), transport, session)
