"""What docs/negotiation.md says of the two orders, seen to be so."""

import asyncio
import runpy
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiortc import RTCDataChannel, RTCPeerConnection, VideoStreamTrack
from programs import soon

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "negotiation.py"
MOST_LINES = 70


@asynccontextmanager
async def two_ends() -> AsyncIterator[tuple[RTCPeerConnection, RTCPeerConnection]]:
    ends = RTCPeerConnection(), RTCPeerConnection()
    try:
        yield ends
    finally:
        await asyncio.gather(*(end.close() for end in ends))


def square() -> VideoStreamTrack:
    make: Callable[[], VideoStreamTrack] = runpy.run_path(str(EXAMPLE))["Square"]
    return make()


def sections(connection: RTCPeerConnection) -> list[str]:
    lines = connection.localDescription.sdp.splitlines()
    return [line.split()[0] for line in lines if line.startswith("m=")]


async def server_offers(server: RTCPeerConnection, client: RTCPeerConnection) -> RTCDataChannel:
    """The order that does not work, unless the offer has room for a channel."""
    server.addTrack(square())
    await server.setLocalDescription(await server.createOffer())
    await client.setRemoteDescription(server.localDescription)
    channel = client.createDataChannel("coordinates")
    await client.setLocalDescription(await client.createAnswer())
    await server.setRemoteDescription(client.localDescription)
    return channel


def test_the_example_prints_ten_coordinates() -> None:
    assert len(EXAMPLE.read_text().splitlines()) <= MOST_LINES
    printed = subprocess.run(
        [sys.executable, EXAMPLE], capture_output=True, text=True, check=True, timeout=60
    )
    assert printed.stderr == ""
    places = [float(line.removeprefix("x = ").removesuffix(" px")) for line in
              printed.stdout.splitlines()]  # fmt: skip
    assert len(places) == 10
    assert places == sorted(places)
    assert places[-1] > places[0] >= 9.5


async def test_in_the_other_order_the_video_comes_and_the_channel_never_opens() -> None:
    async with two_ends() as (server, client):
        heard: list[RTCDataChannel] = []
        server.on("datachannel", heard.append)
        channel = await server_offers(server, client)
        assert sections(server) == sections(client) == ["m=video"]
        track = client.getReceivers()[0].track
        for _ in range(5):
            await soon(track.recv())
        assert channel.readyState == "connecting"
        assert client.connectionState == "connecting"
        assert server.connectionState == "connected"
        assert not heard


async def test_with_a_channel_of_its_own_in_the_offer_the_server_hears_further_ones() -> None:
    async with two_ends() as (server, client):
        heard: asyncio.Queue[object] = asyncio.Queue()
        server.createDataChannel("anything")
        server.on("datachannel", lambda channel: channel.on("message", heard.put_nowait))
        channel = await server_offers(server, client)
        assert sections(server) == sections(client) == ["m=video", "m=application"]
        opened = asyncio.Event()
        channel.on("open", opened.set)
        await soon(opened.wait())
        channel.send("x = 1")
        assert await soon(heard.get()) == "x = 1"


@pytest.mark.parametrize("order", ["first", "second"])
async def test_channel_and_transceiver_may_change_places(order: str) -> None:
    async with two_ends() as (_, client):
        declare: list[Callable[[], object]] = [
            lambda: client.createDataChannel("coordinates"),
            lambda: client.addTransceiver("video", direction="recvonly"),
        ]
        for each in declare if order == "first" else reversed(declare):
            each()
        await client.setLocalDescription(await client.createOffer())
        assert sorted(sections(client)) == ["m=application", "m=video"]
