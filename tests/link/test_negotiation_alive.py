"""Two ends that negotiate in odd words, and then really exchange frames and messages."""

import asyncio
import errno
import re
from collections.abc import Callable

import pytest
from aiortc import (
    RTCConfiguration,
    RTCDataChannel,
    RTCPeerConnection,
    RTCSessionDescription,
    VideoStreamTrack,
)
from aiortc.rtcrtpparameters import RTCRtpSendParameters
from offers import bundles, sections

from ballstream.config import DIRECT, Codec
from ballstream.link.negotiation import (
    accept_answer,
    add_candidate,
    answer_offer,
    make_offer,
    send_track,
)
from ballstream.link.peer import Peer, close

TIMEOUT = 20.0

Rewrite = Callable[[str], str]

TRANSPORT = re.compile(r"a=(?:ice-ufrag|ice-pwd|fingerprint|setup|candidate|end-of-cand).*\r\n")


def without(pattern: str) -> Rewrite:
    return lambda sdp: re.sub(rf"(?m)^a={pattern}.*\r\n", "", sdp)


def hide(sdp: str) -> str:
    name = "0a0a0a0a-0000-4000-8000-000000000001.local"
    return re.sub(r"(a=candidate:\S+ \d udp \d+ )\S+", rf"\g<1>{name}", sdp)


def renumber(sdp: str) -> str:
    """Payload types 97 to 102 as 35 to 40."""
    sdp = re.sub(r"(?m)^(m=video .*SAVPF).*$", r"\1 35 36 37 38 39 40\r", sdp)
    for at in range(97, 103):
        sdp = re.sub(rf"(a=(?:rtpmap|fmtp|rtcp-fb):|apt=){at}\b", rf"\g<1>{at - 62}", sdp)
    return sdp


def tagged_only(sdp: str) -> str:
    """No transport but in the first section."""
    first, *others = sections(sdp)
    head = sdp[: sdp.index("m=")]
    return head + first + "".join(TRANSPORT.sub("", each) for each in others)


def bundle_only(sdp: str) -> str:
    return re.sub(r"m=application \d+ ", "m=application 0 ", tagged_only(sdp)) + (
        "a=bundle-only\r\n"
    )


def for_the_session(sdp: str) -> str:
    """The transport of the session, but for the candidates."""
    first, *_ = sections(sdp)
    lines = "".join(each for each in TRANSPORT.findall(first) if "candidate" not in each)
    at = sdp.index("m=")
    keep = [each for each in TRANSPORT.findall(first) if "candidate" in each]
    return sdp[:at] + lines + TRANSPORT.sub("", sdp[at:]) + "".join(keep)


def legacy(sdp: str) -> str:
    return re.sub(
        r"(m=application \d+ )UDP/DTLS/SCTP webrtc-datachannel", r"\1DTLS/SCTP 5000", sdp
    ).replace("a=sctp-port:5000", "a=sctpmap:5000 webrtc-datachannel 65535")


REWRITES: dict[str, tuple[str, Rewrite]] = {
    "as it is": ("VP8", str),
    "no BUNDLE": ("VP8", without("group:")),
    "no BUNDLE, no mids": ("VP8", lambda sdp: without("group:")(without("mid:")(sdp))),
    "other payload types": ("VP8", renumber),
    "other payload types, H264": ("H264", renumber),
    "transport in the tagged section only": ("VP8", tagged_only),
    "bundle-only": ("VP8", bundle_only),
    "transport of the session": ("VP8", for_the_session),
    "no candidates": ("VP8", without("candidate:")),
    "hidden candidates": ("VP8", hide),
    "no setup": ("VP8", without("setup:")),
    "no direction": ("VP8", without("recvonly")),
    "DTLS/SCTP 5000": ("VP8", legacy),
    "line feeds and blanks": ("VP8", lambda sdp: sdp.replace("\r\n", " \n").replace(";", " ; ")),
    "a level of H264 that has no name": ("H264", lambda sdp: sdp.replace("42001f", "42003e")),
}


async def flows(client: RTCPeerConnection, channel: RTCDataChannel) -> None:
    """Wait until a picture came to the client, and its message came back from the server."""
    echoed = asyncio.Event()
    channel.on("message", lambda _: echoed.set())
    if channel.readyState == "open":
        channel.send("hello")
    else:
        channel.on("open", lambda: channel.send("hello"))
    video = next(each for each in client.getTransceivers() if each.kind == "video")
    async with asyncio.timeout(TIMEOUT):
        await video.receiver.track.recv()
        await echoed.wait()


def echo(server: RTCPeerConnection) -> None:
    def listen(channel: RTCDataChannel) -> None:
        channel.on("message", channel.send)

    server.on("datachannel", listen)


@pytest.mark.parametrize("kind", REWRITES)
async def test_frames_and_messages_flow_whatever_the_spelling(kind: str) -> None:
    codec, rewrite = REWRITES[kind]
    async with Peer(DIRECT) as client, Peer(DIRECT) as server:
        echo(server.connection)
        channel = client.connection.createDataChannel("echo")
        client.connection.addTransceiver("video", direction="recvonly")
        send_track(server.connection, VideoStreamTrack(), Codec(codec))
        offered = rewrite(await make_offer(client.connection))
        answered = await answer_offer(server.connection, offered, codec=codec)
        assert bool(bundles(answered)) is bool(bundles(offered))
        assert await accept_answer(client.connection, answered) == codec
        await flows(client.connection, channel)


async def test_an_aiortc_client_that_offers_audio_too_gets_its_video() -> None:
    client = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    try:
        async with Peer(DIRECT) as server:
            echo(server.connection)
            client.addTransceiver("audio", direction="recvonly")
            client.addTransceiver("video", direction="recvonly")
            channel = client.createDataChannel("echo")
            send_track(server.connection, VideoStreamTrack(), Codec.VP8)
            offered = await make_offer(client)
            answered = await answer_offer(server.connection, offered)
            await client.setRemoteDescription(RTCSessionDescription(answered, "answer"))
            await flows(client, channel)
            assert client.connectionState == "connected"
    finally:
        await close(client)


async def test_candidates_may_come_after_their_offer() -> None:
    async with Peer(DIRECT) as client, Peer(DIRECT) as server:
        client.connection.addTransceiver("video", direction="recvonly")
        sender = send_track(server.connection, VideoStreamTrack(), Codec.VP8)
        offered = await make_offer(client.connection)
        found = re.findall(r"a=candidate:.*\r\n", offered)
        await answer_offer(server.connection, without("candidate:")(offered))
        for line in found:
            add_candidate(server.connection, line.removeprefix("a=").strip(), "0")
        await asyncio.sleep(0)  # an address needs no looking up
        known = sender.transport.transport.getRemoteCandidates()
        assert [each.port for each in known] == [
            int(each.split()[5]) for each in found[: len(known)]
        ]
        assert len(known) == len({*found})


async def test_packets_bear_the_payload_types_of_the_offer() -> None:
    async with Peer(DIRECT) as client, Peer(DIRECT) as server:
        client.connection.addTransceiver("video", direction="recvonly")
        sender = send_track(server.connection, VideoStreamTrack(), Codec.VP8)
        told: list[RTCRtpSendParameters] = []

        async def send(parameters: RTCRtpSendParameters) -> None:
            told.append(parameters)

        sender.send = send  # type: ignore[method-assign]
        offered = renumber(await make_offer(client.connection))
        await accept_answer(
            client.connection, await answer_offer(server.connection, offered, codec="VP8")
        )
        await client.connected()
        await server.connected()
    codecs = [(each.payloadType, each.name, each.parameters) for each in told[0].codecs]
    assert codecs == [(35, "VP8", {}), (36, "rtx", {"apt": 35})]


async def test_hidden_candidates_do_no_harm_where_their_port_is_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tried = asyncio.Event()

    async def fail() -> None:
        tried.set()
        raise OSError(errno.EADDRINUSE, "Address already in use")

    monkeypatch.setattr("aioice.mdns.create_mdns_protocol", fail)
    async with Peer(DIRECT) as client, Peer(DIRECT) as server:
        client.connection.addTransceiver("video", direction="recvonly")
        send_track(server.connection, VideoStreamTrack(), Codec.VP8)
        offered = hide(await make_offer(client.connection))
        await accept_answer(client.connection, await answer_offer(server.connection, offered))
        await client.connected()
    assert tried.is_set()
