"""The channel `coordinates` as other programs open it: late, again, elsewhere, or never."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiortc import RTCConfiguration, RTCDataChannel, RTCPeerConnection, RTCSessionDescription
from aiortc.rtcsctptransport import WEBRTC_STRING
from programs import soon
from whep import Served, serving_http

LABEL = "coordinates"
UNHEARD = "client 1 watches, but opened no channel `coordinates`"


class Player:
    """Plays the video of a server, and answers each frame on its newest channel, if that is open.

    An answer names no frame.
    """

    def __init__(self, connection: RTCPeerConnection) -> None:
        self.connection = connection
        self.channel: RTCDataChannel | None = None
        self.feedback = self.frames = self.said = 0
        self._changed = asyncio.Condition()

    def open(self, label: str = LABEL, **options: Any) -> None:
        self.channel = self.connection.createDataChannel(label, **options)

        async def count(_: object) -> None:
            async with self._changed:
                self.feedback += 1
                self._changed.notify_all()

        self.channel.on("message", count)

    async def run(self) -> None:
        track = self.connection.getReceivers()[0].track
        while True:
            await track.recv()
            if self.channel is not None and self.channel.readyState == "open":
                estimate = {"type": "estimate", "frame": None, "x": 1.0, "y": 1.0}
                self.channel.send(json.dumps(estimate))
                self.said += 1
            async with self._changed:
                self.frames += 1
                self._changed.notify_all()

    async def sees(self, frames: int) -> None:
        """Wait for so many more frames."""
        async with self._changed:
            last = self.frames + frames
            await soon(self._changed.wait_for(lambda: self.frames >= last))

    async def hears(self) -> None:
        """Wait for the server's next word of how it is doing."""
        heard = self.feedback
        async with self._changed:
            await soon(self._changed.wait_for(lambda: self.feedback > heard))


@asynccontextmanager
async def playing(served: Served, prepare: Callable[[Player], object]) -> AsyncIterator[Player]:
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    player = Player(connection)
    prepare(player)
    connection.addTransceiver("video", direction="recvonly")
    await connection.setLocalDescription(await connection.createOffer())
    response, answer = await served.post(connection.localDescription.sdp)
    assert response.status == 201
    await connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    watching = asyncio.create_task(player.run())
    try:
        yield player
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await connection.close()


async def report(served: Served) -> dict[str, Any]:
    served.program.send_signal(signal.SIGTERM)
    (session,) = (await served.program.report())["sessions"]
    assert isinstance(session, dict)
    return session


def some(player: Player) -> None:
    """A channel of another purpose, so that there is a data section."""
    player.connection.createDataChannel("chat")


async def test_a_channel_that_is_closed_and_opened_again_goes_on_being_scored() -> None:
    async with serving_http() as served:
        async with playing(served, Player.open) as player:
            await player.hears()
            await player.sees(30)
            assert player.channel is not None
            player.channel.close()
            player.open()
            await player.hears()
            await player.sees(60)
            await player.hears()
        session = await report(served)
    assert session["channel"] is True
    assert session["unnumbered"] >= 0.9 * player.said > 60
    assert UNHEARD not in served.program.errors


async def test_a_channel_that_is_opened_late_is_scored_from_then_on() -> None:
    async with serving_http() as served:
        async with playing(served, some) as player:
            await player.sees(1)
            await served.program.says(UNHEARD)
            before = player.frames
            player.open()
            await player.hears()
            await player.sees(30)
        session = await report(served)
    assert session["channel"] is True
    assert before > 30
    # What was shown before took its time; a busy machine shows less than there is.
    assert 30 <= session["frames_due"] <= 30 * session["seconds"] - before + 15
    assert session["unnumbered"] >= 0.9 * player.said > 20
    assert served.program.errors.count(UNHEARD) == 1


async def test_who_opens_no_channel_is_told_of_once_and_loses_nothing() -> None:
    """None but one of another purpose, one whose name has another case, one that was negotiated."""

    async def watch(served: Served, prepare: Callable[[Player], object]) -> None:
        async with playing(served, prepare) as player:
            for client in (1, 2, 3):
                await served.program.says(UNHEARD.replace("1", str(client)))
            # Nobody waited for a channel.
            assert player.frames > 15
            await player.sees(15)

    async with serving_http() as served:
        await asyncio.gather(
            watch(served, some),
            watch(served, lambda player: player.open(LABEL.capitalize())),
            watch(served, lambda player: player.open(negotiated=True, id=0)),
        )
        served.program.send_signal(signal.SIGTERM)
        sessions = (await served.program.report())["sessions"]
    assert len(sessions) == 3
    for session in sessions:
        assert session["channel"] is False
        assert session["seconds"] > 2
        for count in ("frames_due", "frames_sent", "frames_lost", "frames_missed", "unnumbered"):
            assert session[count] == 0, count
        unheard = UNHEARD.replace("1", str(session["id"]))
        assert served.program.errors.count(unheard) == 1


async def latin_1(player: Player) -> None:
    sctp, channel = player.connection.sctp, player.channel
    assert sctp is not None
    assert channel is not None
    sctp._data_channel_queue.append((channel, WEBRTC_STRING, b'{"name": "gr\xfcn"}'))
    await sctp._data_channel_flush()


async def umlaut(player: Player) -> None:
    player.connection.createDataChannel("\N{LATIN SMALL LETTER U WITH DIAERESIS}")


@pytest.mark.parametrize("say", [latin_1, umlaut])
async def test_what_cannot_be_read_is_rejected_and_the_session_goes_on(say: Any) -> None:
    async with serving_http() as served:
        async with playing(served, Player.open) as player:
            await player.hears()
            await say(player)
            await player.hears()
            await player.sees(30)
        session = await report(served)
    assert session["rejected"] == 1
    assert session["ended"]["failed"] is False
