"""The server against clients that were not written here, some of them hostile."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from aiortc import (
    RTCConfiguration,
    RTCDataChannel,
    RTCPeerConnection,
    RTCSessionDescription,
)
from av import VideoFrame
from programs import Program, run, soon

from ballstream.link.picture import planes_of_frame
from ballstream.protocol import stamp
from ballstream.protocol.frames import Joining

CLOSE_TO_NOTHING = '{"type": "estimate", "frame": null, "x": null, "y": null}'


@asynccontextmanager
async def serving(path: Path, *flags: str) -> AsyncIterator[Program]:
    server_flags = ("-s", "unix-socket", "--signaling-path", str(path), "--json", *flags)
    async with run("server", *server_flags) as server:
        await server.says("waiting for clients")
        yield server


async def exchange(path: Path, *lines: bytes) -> bytes:
    """Send lines to the server and return all that it says until it hangs up."""
    reader, writer = await asyncio.open_unix_connection(path)
    # In one piece: whoever writes on after the server has hung up loses the reply.
    writer.write(b"".join(lines))
    writer.write_eof()
    answer = await soon(reader.read())
    writer.close()
    assert isinstance(answer, bytes)
    return answer


class Guest:
    """A client in plain aiortc, with a reliable channel and its own idea of signalling."""

    def __init__(self, channel: RTCDataChannel, frames: asyncio.Queue[VideoFrame]) -> None:
        self.channel = channel
        self.frames = frames
        self.images: asyncio.Queue[object] = asyncio.Queue()
        self.feedback: asyncio.Queue[str] = asyncio.Queue()
        channel.on("message", self.feedback.put_nowait)

    async def frame(self) -> int:
        """The number of the next frame."""
        while True:
            number = stamp.read(planes_of_frame(await soon(self.frames.get())).y)
            if number is not None:
                return number

    def say(self, **estimate: object) -> None:
        self.channel.send(json.dumps({"type": "estimate", **estimate}))


@asynccontextmanager
async def visiting(path: Path, *, video: bool = True, frames: bool = False) -> AsyncIterator[Guest]:
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    guest = Guest(connection.createDataChannel("coordinates"), asyncio.Queue())
    opened = asyncio.Event()
    guest.channel.on("open", opened.set)
    if frames:
        connection.createDataChannel("frames").on("message", guest.images.put_nowait)
    if video:
        connection.addTransceiver("video", direction="recvonly")
    await connection.setLocalDescription(await connection.createOffer())
    reader, writer = await asyncio.open_unix_connection(path)
    offer = {"type": "offer", "sdp": connection.localDescription.sdp, "extra": "ignored"}
    writer.write(json.dumps(offer).encode() + b"\n")
    answer = json.loads(await soon(reader.readline()))
    writer.close()  # a client may hang up here: media goes on
    await connection.setRemoteDescription(RTCSessionDescription(**answer))

    async def receive() -> None:
        if not video:
            return
        track = connection.getReceivers()[0].track
        while True:
            frame = await track.recv()
            assert isinstance(frame, VideoFrame)
            guest.frames.put_nowait(frame)

    receiving = asyncio.create_task(receive())
    try:
        await soon(opened.wait())
        if video:
            # Frames are due from the opening of the channel on; these may have been drawn before.
            for _ in range(guest.frames.qsize() + 3):
                await soon(guest.frames.get())
        yield guest
    finally:
        receiving.cancel()
        await asyncio.gather(receiving, return_exceptions=True)
        await connection.close()


async def sessions(server: Program) -> list[dict[str, Any]]:
    server.send_signal(signal.SIGTERM)
    document = await server.report()
    found: list[dict[str, Any]] = document["sessions"]
    return found


NO_OFFERS = (
    [b"hello\n"],
    [b"GET / HTTP/1.1\r\n", b"Host: localhost\r\n", b"\r\n"],
    [b'{"type": "answer", "sdp": "v=0"}\n'],
    [b'{"type": "offer", "sdp": ""}\n'],
    [b'{"type": "offer", "sdp": "v=0\\r\\nm=video 9 UDP/TLS/RTP/SAVPF 97\\r\\n"}\n'],
    [b"\xff\xfe\x00\n"],
    [b"[" * 100_000 + b"\n"],
)


async def test_what_is_no_offer_gets_one_line_and_harms_nobody(socket_path: Path) -> None:
    async with serving(socket_path) as server:
        for lines in NO_OFFERS:
            reply = json.loads(await exchange(socket_path, *lines))
            assert reply["type"] == "error", lines
            assert "\n" not in reply["message"], lines
            assert "Traceback" not in server.errors, lines
        async with visiting(socket_path) as guest:
            await guest.frame()
        assert len(await sessions(server)) == 1


async def test_a_line_without_end_is_cut_off(socket_path: Path) -> None:
    async with serving(socket_path) as server:
        with suppress(ConnectionError):
            await exchange(socket_path, b"x" * 1_000_000)
        await server.says("longer than")
        async with visiting(socket_path) as guest:
            await guest.frame()
        assert len(await sessions(server)) == 1


async def test_a_client_that_says_nothing_or_hangs_up_harms_nobody(socket_path: Path) -> None:
    async with serving(socket_path) as server:
        _, silent = await asyncio.open_unix_connection(socket_path)
        assert await exchange(socket_path) == b""
        async with visiting(socket_path) as guest:
            await guest.frame()
        assert len(await sessions(server)) == 1
        silent.close()


async def test_a_guest_with_a_reliable_channel_is_scored_and_told(socket_path: Path) -> None:
    async with serving(socket_path) as server, visiting(socket_path) as guest:
        for _ in range(45):
            guest.say(frame=await guest.frame(), x=320, y=240, mood="good")
        feedback = json.loads(await soon(guest.feedback.get()))
        told = {"type", "answered", "detection_error_px", "latency_ms", "repeat", "size"}
        assert set(feedback) == told, "nothing is known of the path yet"
        assert feedback["type"] == "feedback"
        assert feedback["answered"] > 0
        await guest.frame()  # without one since the last answer it would be a duplicate
        guest.say(frame=None, x=320.5, y=240)
        guest.say(frame=await guest.frame(), x=None, y=None)
        await answered(server, guest, 46)
        (session,) = await sessions(server)
    assert session["frames_answered"] == 46, "an estimate without a number answers no frame"
    assert session["not_found"] == 1
    assert session["rejected"] == session["duplicates"] == 0
    assert session["detection_error_px"]["n"] > 0
    assert session["tracking_error_px"]["n"] == session["detection_error_px"]["n"] + 1


async def test_a_guest_may_take_both_transports_and_every_frame_counts_once(
    socket_path: Path,
) -> None:
    async with serving(socket_path) as server, visiting(socket_path, frames=True) as guest:
        joining = Joining()
        seen: set[int] = set()
        while len(seen) < 30:
            image = joining.add(await soon(guest.images.get()))
            if image is not None:
                seen.add(image.frame)
                guest.say(frame=image.frame, x=1, y=1)
        await guest.frame()
        # The first few may have come before the channel was open: until then none is due.
        await answered(server, guest, 25)
        (session,) = await sessions(server)
    assert session["transport"] == "track+datachannel"
    assert session["codec"] == "VP8+PNG"
    assert 25 <= session["frames_answered"] <= 30
    assert session["duplicates"] == session["rejected"] == session["frames_lost"] == 0
    assert 25 <= session["frames_sent"] <= session["seconds"] * 30 + 6, "30 fps and not 60"


async def test_a_guest_that_opens_neither_is_told_goodbye(socket_path: Path) -> None:
    async with serving(socket_path) as server, visiting(socket_path, video=False):
        await server.says("opened neither video nor a channel for frames")


async def test_messages_that_are_no_estimates_are_counted(socket_path: Path) -> None:
    bad: list[str | bytes] = [
        "",
        "hello",
        "[]",
        "{}",
        b"\x00\xff",
        CLOSE_TO_NOTHING.replace("estimate", "guess"),
        '{"type": "estimate", "frame": 1, "x": NaN, "y": 1}',
        '{"type": "estimate", "frame": 1, "x": 1e999, "y": 1}',
        '{"type": "estimate", "frame": 1, "x": 1, "y": null}',
        '{"type": "estimate", "frame": -1, "x": 1, "y": 1}',
        '{"type": "estimate", "frame": 16777216, "x": 1, "y": 1}',
        '{"type": "estimate", "frame": null, "x": 1e9, "y": 1}',
        '{"type": "feedback", "answered": 1, "detection_error_px": 0, "latency_ms": 0}',
        "x" * 60_000,
        '{"type": "estimate", "x": ' + "[" * 900,
    ]
    async with serving(socket_path) as server, visiting(socket_path) as guest:
        frame = await guest.frame()
        for message in bad:
            guest.channel.send(message)
        guest.say(frame=frame, x=1, y=1)
        guest.say(frame=frame, x=1, y=1)
        guest.say(frame=(frame + 5000) % stamp.MODULUS, x=1, y=1)
        guest.say(frame=await guest.frame(), x=1, y=1)
        await answered(server, guest, 2)
        (session,) = await sessions(server)
    assert session["rejected"] == len(bad) + 1
    assert session["duplicates"] == 1
    assert session["frames_answered"] == 2
    assert "Traceback" not in server.errors


async def test_a_flood_ends_its_own_session_only(socket_path: Path) -> None:
    async with serving(socket_path) as server:
        async with visiting(socket_path) as quiet, visiting(socket_path) as flooding:
            await quiet.frame()
            task = asyncio.create_task(flood(flooding))
            await server.says("nothing but rubbish")
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            quiet.say(frame=await quiet.frame(), x=1, y=1)
            await answered(server, quiet, 1)
        one, other = sorted(await sessions(server), key=lambda session: session["id"])
    assert one["frames_answered"] == 1
    assert other["rejected"] >= 5000


async def flood(guest: Guest) -> None:
    """Say nothing but rubbish for as long as somebody listens, some of it at each new frame.

    All at once would be a flood of packets, which is another offence, and more than the kernel
    keeps for a server that is busy.
    """
    while guest.channel.readyState == "open":
        while not guest.frames.empty():
            guest.frames.get_nowait()
        await guest.frames.get()
        if not guest.channel.bufferedAmount:
            for _ in range(150):
                guest.channel.send("rubbish")


async def answered(server: Program, guest: Guest, frames: int) -> None:
    """Wait until the server has taken the answers to so many frames, and all said before them."""

    async def until_told() -> None:
        while json.loads(await guest.feedback.get())["answered"] < frames:
            pass

    await soon(until_told())
    assert "Traceback" not in server.errors
