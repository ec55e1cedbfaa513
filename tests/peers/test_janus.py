"""The loop through a media server of another make: Debian's Janus."""

import asyncio
import shutil
import subprocess
from pathlib import Path

import pytest
from janusroom import DEPLOY, running_janus
from needs import found, need
from programs import soon

from ballstream.config import Codec, ServerConfig, Signaling, SignalingMethod
from ballstream.connection import connect
from ballstream.errors import BallstreamError
from ballstream.link.offerer import Link
from ballstream.report.observers import Observer
from ballstream.report.records import SessionReport
from ballstream.server import Server
from ballstream.vision.detect import centroid
from ballstream.vision.picture import Picture

pytestmark = [
    pytest.mark.peers,
    pytest.mark.needs(found("janus"), "Janus: sudo apt-get install janus"),
]


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of deploy/janus with what it needs of npm."""
    need(found("npm"), "Node.js with npm")
    folder = tmp_path_factory.mktemp("janus") / "room"
    shutil.copytree(DEPLOY, folder)
    done = subprocess.run(
        ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts"],
        cwd=folder, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    need(done.returncode == 0, f"the npm registry: {done.stderr[-300:]}")
    return folder


class Publications(Observer):
    """Keeps when the video began to go to Janus, and when it ended."""

    def __init__(self) -> None:
        self.up: asyncio.Queue[str] = asyncio.Queue()
        self.down: asyncio.Queue[BallstreamError] = asyncio.Queue()

    def published(self, url: str) -> None:
        self.up.put_nowait(url)

    def unpublished(self, url: str, error: BallstreamError, pause: float | None) -> None:
        self.down.put_nowait(error)


async def answer(link: Link[Picture], count: int) -> None:
    """Answer so many pictures."""
    for _ in range(count):
        picture = await soon(anext(link.pictures))
        link.answer(picture.frame, *(centroid(picture) or (None, None)))


@pytest.mark.parametrize(
    ("codec", "is_killed"), [(Codec.VP8, True), (Codec.H264, False)], ids=["killed", "h264"]
)
async def test_the_loop_through_janus(
    room: Path, tmp_path: Path, codec: Codec, is_killed: bool
) -> None:
    publications = Publications()
    async with running_janus(room) as janus:
        config = ServerConfig(
            Signaling(SignalingMethod.UNIX_SOCKET, path=tmp_path / "socket"),
            codec=codec,
            publish=(janus.whip,),
        )
        async with Server(config, [publications]) as server:
            await soon(publications.up.get())
            async with connect(server.address, watch=janus.whep, wait=20) as link:
                await answer(link, 450 if is_killed else 150)
                if is_killed:
                    await janus.server.kill()
                    await soon(publications.down.get())
                    await janus.server.start()
                    await soon(publications.up.get())
                    await answer(link, 450)
                assert link.codec == codec
            report: SessionReport = await soon(anext(server.ended()))
    assert report.transport == "published"
    assert report.rejected == 0
    assert report.frames_answered > (850 if is_killed else 140)
    # Until it was noticed that Janus was gone, frames went out and nobody got them.
    assert report.frames_lost + report.frames_dropped < (300 if is_killed else 30)
    assert report.detection_error_px.p95 is not None
    assert report.detection_error_px.p95 < 0.1
