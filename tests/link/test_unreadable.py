"""What a peer says on datachannels that aiortc cannot read, between real peers."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSctpTransport
from aiortc.rtcsctptransport import WEBRTC_DCEP, WEBRTC_STRING
from programs import soon

from ballstream.link import unreadable

OPEN = b"\x03" + bytes(11)
"""The opening of a channel without a label (RFC 8832, section 5.1)."""


@asynccontextmanager
async def pair(rubbish: Callable[[], None]) -> AsyncIterator[tuple[RTCPeerConnection, ...]]:
    """Two connections, of which the second survives what it cannot read."""
    one, other = (RTCPeerConnection(RTCConfiguration(iceServers=[])) for _ in range(2))
    opened = asyncio.Event()
    one.createDataChannel("first").on("open", opened.set)
    try:
        await one.setLocalDescription(await one.createOffer())
        await other.setRemoteDescription(one.localDescription)
        assert other.sctp is not None
        unreadable.survive(other.sctp, rubbish)
        await other.setLocalDescription(await other.createAnswer())
        await one.setRemoteDescription(other.localDescription)
        await soon(opened.wait())
        yield one, other
    finally:
        await one.close()
        await other.close()


async def latin_1(peer: RTCPeerConnection) -> None:
    """A text message that is not UTF-8."""
    assert peer.sctp is not None
    channel = peer.createDataChannel("second")
    peer.sctp._data_channel_queue.append((channel, WEBRTC_STRING, b'{"name": "gr\xfcn"}'))
    await peer.sctp._data_channel_flush()


async def umlaut(peer: RTCPeerConnection) -> None:
    """A label whose bytes aiortc counts as characters."""
    peer.createDataChannel("\N{LATIN SMALL LETTER U WITH DIAERESIS}")


async def twice(peer: RTCPeerConnection) -> None:
    """A channel that is opened though it is open."""
    assert peer.sctp is not None
    (channel,) = peer.sctp._data_channels.values()
    peer.sctp._data_channel_queue.append((channel, WEBRTC_DCEP, OPEN))
    await peer.sctp._data_channel_flush()


@pytest.mark.parametrize("say", [latin_1, umlaut, twice])
async def test_what_cannot_be_read_is_told_and_the_next_message_comes(
    say: Callable[[RTCPeerConnection], Awaitable[None]],
) -> None:
    rubbish, message = asyncio.Event(), asyncio.Event()
    async with pair(rubbish.set) as (one, other):
        other.on("datachannel", lambda channel: channel.on("message", lambda _: message.set()))
        await say(one)
        await soon(rubbish.wait())
        last = one.createDataChannel("last")
        last.on("open", lambda: last.send("hello"))
        await soon(message.wait())
        assert other.connectionState == "connected"


async def test_an_aiortc_without_the_name_is_left_alone(caplog: pytest.LogCaptureFixture) -> None:
    class Other:
        """An SCTP transport that takes packets in some other way."""

    unreadable._warn.cache_clear()
    for _ in range(2):
        unreadable.survive(Other(), pytest.fail)  # type: ignore[arg-type]
    assert [each.getMessage() for each in caplog.records] == [
        "this aiortc closes a connection at a message that it cannot read"
    ]
    assert hasattr(RTCSctpTransport, "_handle_data")
