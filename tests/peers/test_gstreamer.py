"""GStreamer's webrtcbin plays, answers, and is scored: as it is by default, and with BUNDLE."""

import asyncio
import json
import subprocess
from pathlib import Path

import pytest
from needs import need
from playing import SECONDS, Record, is_scored
from programs import soon
from whep import serving_http

pytestmark = pytest.mark.peers

PYTHON = "/usr/bin/python3"
"""Debian's own, for which PyGObject is installed."""

PACKAGES = (
    "python3-gi gir1.2-gst-plugins-bad-1.0 gstreamer1.0-plugins-bad gstreamer1.0-plugins-good "
    "gstreamer1.0-nice"
)
SHORT = 4
LOOK = (
    "import gi; gi.require_version('GstWebRTC', '1.0'); from gi.repository import Gst, GstWebRTC; "
    "Gst.init(None); assert all(map(Gst.ElementFactory.find, 'webrtcbin nicesrc vp8dec rtpvp8depay "
    "dtlsdec srtpdec sctpdec appsink'.split()))"
)


@pytest.fixture
def gstreamer() -> None:
    found = Path(PYTHON).exists() and subprocess.run(
        [PYTHON, "-c", LOOK], capture_output=True, timeout=60, check=False
    )
    need(found and found.returncode == 0, f"GStreamer: sudo apt-get install {PACKAGES}")


@pytest.mark.usefixtures("gstreamer")
@pytest.mark.parametrize(("bundle", "seconds"), [("none", SECONDS), ("max-bundle", SHORT)])
async def test_it_plays_and_is_scored(bundle: str, seconds: float, record: Record) -> None:
    script = Path(__file__).with_name("webrtcbin.py")
    async with serving_http("--sessions", "1") as served:
        program = await asyncio.create_subprocess_exec(
            PYTHON, script, served.whep, str(seconds), bundle,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        output, errors = await soon(program.communicate(), 60)
        assert program.returncode == 0, errors.decode()
        seen = json.loads(output.splitlines()[-1])
        (session,) = (await served.program.report())["sessions"]
    is_scored(session, seen, seconds)
    assert session["frames_answered"] > 0.8 * session["frames_due"]
    if seconds == SECONDS:
        version = seen["version"].removeprefix("GStreamer ")
        record("GStreamer's webrtcbin", version, "track", session)
