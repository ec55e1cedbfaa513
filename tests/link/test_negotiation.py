import contextlib
import random

import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, VideoStreamTrack

from ballstream.config import DIRECT, Codec
from ballstream.errors import NegotiationError
from ballstream.link.guard import Guard
from ballstream.link.negotiation import (
    MAX_CANDIDATES,
    accept_answer,
    add_candidate,
    answer_offer,
    make_offer,
    send_track,
    wants_video,
)
from ballstream.link.peer import Peer, close
from ballstream.link.source import BallSource
from ballstream.link.track import BallTrack
from ballstream.protocol import messages
from ballstream.scene.motion import bounce
from ballstream.scene.render import Scene

SCENE = Scene(bounce(160, 120, 10, 280, 1), 10, stamped=True)


def ball_track() -> BallTrack:
    return BallTrack(BallSource(SCENE, (160, 120), 30, 0), lambda _: None, Guard())


async def offer_of_a_client() -> str:
    async with Peer(DIRECT) as peer:
        peer.connection.createDataChannel(messages.LABEL, **messages.CHANNEL_OPTIONS)
        peer.connection.addTransceiver("video", direction="recvonly")
        return await make_offer(peer.connection)


async def answer(offer: str, codec: Codec = Codec.VP8) -> str:
    wants_video(offer)
    async with Peer(DIRECT) as peer:
        send_track(peer.connection, ball_track(), codec)
        return await answer_offer(peer.connection, offer)


async def test_one_offer_carries_video_and_channel_with_all_candidates() -> None:
    offer = await offer_of_a_client()
    assert [line[2:].split()[0] for line in offer.splitlines() if line.startswith("m=")] == [
        "video",
        "application",
    ]
    assert "a=recvonly" in offer
    assert "a=candidate:" in offer
    assert "a=end-of-candidates" in offer


@pytest.mark.parametrize(("codec", "other"), [(Codec.VP8, Codec.H264), (Codec.H264, Codec.VP8)])
async def test_the_answer_settles_on_the_codec_of_the_server(codec: Codec, other: Codec) -> None:
    sdp = await answer(await offer_of_a_client(), codec)
    assert f"{codec}/90000" in sdp
    assert f"{other}/90000" not in sdp
    assert "a=sendonly" in sdp


async def test_an_offer_without_the_codec_is_refused() -> None:
    offer = (await offer_of_a_client()).replace("VP8/90000", "AV1/90000")
    with pytest.raises(NegotiationError):
        await answer(offer)


async def test_an_offer_may_bring_datachannels_instead_of_video() -> None:
    async with Peer(DIRECT) as peer:
        peer.connection.createDataChannel("coordinates")
        offer = await make_offer(peer.connection)
    assert not wants_video(offer)
    assert wants_video(await offer_of_a_client())


async def test_an_offer_with_neither_is_refused() -> None:
    offer = await offer_of_a_client()
    with pytest.raises(NegotiationError, match="needs one video section"):
        wants_video(offer[: offer.index("m=video")])


@pytest.mark.parametrize("direction", ["inactive", "sendonly"])
async def test_an_offer_that_wants_no_video_is_refused(direction: str) -> None:
    offer = (await offer_of_a_client()).replace("a=recvonly", f"a={direction}")
    with pytest.raises(NegotiationError, match="wants video"):
        wants_video(offer)


async def test_an_offer_with_hundreds_of_candidates_is_refused() -> None:
    offer = await offer_of_a_client()
    candidate = next(line for line in offer.splitlines() if line.startswith("a=candidate:"))
    many = f"{candidate}\r\n" * (MAX_CANDIDATES + 1)
    with pytest.raises(NegotiationError, match="candidates"):
        wants_video(offer.replace(f"{candidate}\r\n", many, 1))


async def test_an_offer_with_many_sections_is_refused() -> None:
    offer = await offer_of_a_client()
    section = offer[offer.index("m=application") :]
    with pytest.raises(NegotiationError, match="media sections"):
        wants_video(offer + 4 * section)


@pytest.mark.parametrize(
    "sdp", ["", "v=0", "\0", "m=video", "v=0\r\nm=video 9 x\r\n", "a" * 10_000]
)
async def test_rubbish_is_refused_as_offer_and_as_answer(sdp: str) -> None:
    with pytest.raises(NegotiationError):
        await answer(sdp)
    async with Peer(DIRECT) as peer:
        peer.connection.addTransceiver("video", direction="recvonly")
        await make_offer(peer.connection)
        with pytest.raises(NegotiationError):
            await accept_answer(peer.connection, sdp)


async def test_a_damaged_offer_is_answered_or_refused_and_nothing_is_left() -> None:
    """Whatever line is missing, doubled or cut: no other error, and no socket stays open."""
    lines = (await offer_of_a_client()).splitlines()
    dice = random.Random(1)
    for _ in range(60):
        damaged = list(lines)
        place = dice.randrange(len(damaged))
        match dice.randrange(3):
            case 0:
                del damaged[place]
            case 1:
                damaged[place] = damaged[place][: dice.randrange(len(damaged[place]))]
            case _:
                damaged.insert(place, dice.choice(lines))
        with contextlib.suppress(NegotiationError):
            await answer("\r\n".join(damaged) + "\r\n")


async def test_a_connection_that_cannot_be_closed_properly_still_loses_its_sockets() -> None:
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    connection.addTransceiver("video", direction="recvonly")
    await make_offer(connection)
    transceiver = connection.getTransceivers()[0]

    async def fail() -> None:
        raise AttributeError

    transceiver.stop = fail  # type: ignore[method-assign]
    await close(connection)


async def test_a_description_that_takes_long_to_parse_is_refused_before() -> None:
    offer = await offer_of_a_client()
    many = "a=rtpmap:1 a/1\r\n" * 201 + "a=rtcp-fb:* a\r\n" * 201
    for sdp in (offer + many, offer + "a=x\r\nb=y\r\n" * 600):
        with pytest.raises(NegotiationError, match="longer than any that makes sense"):
            wants_video(sdp)


@pytest.mark.parametrize("port", ["0", "65536", "-1"])
async def test_a_candidate_with_an_impossible_port_is_refused(port: str) -> None:
    offer = await offer_of_a_client()
    candidate = next(line for line in offer.splitlines() if line.startswith("a=candidate:"))
    words = candidate.split()
    words[5] = port
    with pytest.raises(NegotiationError, match="impossible port"):
        wants_video(offer.replace(candidate, " ".join(words)))


async def test_a_description_without_fingerprint_is_refused() -> None:
    offer = await offer_of_a_client()
    bare = [line for line in offer.splitlines() if not line.startswith("a=fingerprint")]
    with pytest.raises(NegotiationError, match="no fingerprint"):
        wants_video("\r\n".join(bare) + "\r\n")


async def test_audio_that_is_offered_is_not_taken() -> None:
    async with Peer(DIRECT) as client:
        client.connection.addTransceiver("audio", direction="sendrecv")
        client.connection.addTransceiver("video", direction="recvonly")
        sdp = await answer(await make_offer(client.connection))
    audio = sdp[sdp.index("m=audio") : sdp.index("m=video")]
    assert "a=inactive" in audio
    assert "a=sendonly" in sdp[sdp.index("m=video") :]


async def test_the_client_begins_dtls() -> None:
    async with Peer(DIRECT) as peer:
        send_track(peer.connection, VideoStreamTrack(), Codec.VP8)
        answer = await answer_offer(peer.connection, await offer_of_a_client())
    assert answer.count("a=setup:passive") == answer.count("m=")


async def test_a_later_candidate_is_used_and_a_bad_one_passed_over() -> None:
    lines = (await offer_of_a_client()).splitlines(keepends=True)
    held_back = ("a=candidate:", "a=end-of-candidates")
    offer = "".join(line for line in lines if not line.startswith(held_back))
    good = "candidate:1 1 udp 2122260223 192.0.2.1 61764 typ host"
    async with Peer(DIRECT) as peer:
        sender = send_track(peer.connection, ball_track(), Codec.VP8)
        await answer_offer(peer.connection, offer)
        for line, mid in (
            ("candidate:", "0"),
            ("candidate:1 1 udp 1 192.0.2.1 0 typ host", "0"),
            ("candidate:1 1 udp 1 192.0.2.1 port typ host", "0"),
            ("candidate:1 1 udp 1 nowhere.example 9 typ host", "0"),
            (good, "nobody"),
            (good, "0"),
            (good.replace("61764", "61765"), None),
        ):
            await add_candidate(peer.connection, line, mid)
        remote = sender.transport.transport.getRemoteCandidates()
        assert [each.port for each in remote if each.ip == "192.0.2.1"] == [61764, 61765]
    await add_candidate(peer.connection, good, "0")
