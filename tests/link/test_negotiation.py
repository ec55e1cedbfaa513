import asyncio
import contextlib
import random
import re

import offers
import pytest
from aiortc import (
    RTCConfiguration,
    RTCPeerConnection,
)
from offers import AUDIO, BUNDLE, DATA, TRANSPORT, VIDEO, disagreements, offer, sections, values

from ballstream.config import DIRECT, Codec
from ballstream.errors import NegotiationError, NoRoute, Unacceptable
from ballstream.link.guard import Guard
from ballstream.link.negotiation import (
    accept_answer,
    add_candidate,
    answer_offer,
    make_offer,
    playout_delay_id,
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

LITTLE = "a=rtpmap:96 VP8/90000\n"
"""The formats of a section that offers one only."""

BARE_VIDEO = f"m=video 9 UDP/TLS/RTP/SAVPF 96\na=mid:0\na=recvonly\na=rtcp-mux\n{LITTLE}"
BARE_DATA = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\na=mid:1\na=sctp-port:5000\n"
H264_VIDEO = f"m=video 9 UDP/TLS/RTP/SAVPF 102\na=mid:0\na=recvonly\na=rtcp-mux\n{TRANSPORT}"


def ball_track() -> BallTrack:
    return BallTrack(BallSource(SCENE, (160, 120), 30, 0), lambda _: None, Guard())


async def offer_of_a_client() -> str:
    async with Peer(DIRECT) as peer:
        peer.connection.createDataChannel(messages.LABEL, **messages.CHANNEL_OPTIONS)
        peer.connection.addTransceiver("video", direction="recvonly")
        return await make_offer(peer.connection)


async def answer(sdp: str, codec: Codec = Codec.VP8) -> str:
    async with Peer(DIRECT) as peer:
        if wants_video(sdp, codec):
            send_track(peer.connection, ball_track(), codec)
        return await answer_offer(peer.connection, sdp, codec=codec)


ACCEPTED = {
    # kind: (public report, offer, ports of the answer: "+" taken, "0" rejected, "~" inactive)
    "as browsers write it": ("", offer(), "++"),
    "Firefox without permissions": (
        "aiortc/aioice 14",
        offer(*(
            each.replace("127.0.0.1", "0a0a0a0a-0000-4000-8000-000000000001.local")
            + "a=end-of-candidates\n"
            for each in (VIDEO, DATA)
        )),
        "++",
    ),
    "no candidate at all": (
        "",
        offer(*(
            each.replace("a=candidate:1 1 udp 2130706431 127.0.0.1 50000 typ host\n", "")
            + "a=end-of-candidates\n"
            for each in (VIDEO, DATA)
        )),
        "++",
    ),
    "candidates that cannot be used": (
        "",
        offer(
            VIDEO
            + "a=candidate:1 1 tcp 1518280447 127.0.0.1 0 typ host tcptype active\n"
            + "a=candidate:2 1 udp 1 127.0.0.1 0 typ host\n"
            + "a=candidate:3 1 udp 1 127.0.0.1 65536 typ host\n"
            + "a=candidate:4 2 udp 1 127.0.0.1 9000 typ host\n"
            + "a=candidate:5 1 udp 1 example.org 9000 typ host\n"
            + "a=candidate:6 1 udp 1 127.0.0.1 9000 typ prflx raddr 0.0.0.0 rport x\n"
            + "a=candidate:7 1 udp x 127.0.0.1 9000 typ host\n"
            + "a=candidate:8 1 ssltcp 1 127.0.0.1 9000 typ host\n"
            + "a=candidate:\na=candidate\n",
            DATA,
        ),
        "++",
    ),
    "no BUNDLE": ("meetecho/janus-gateway 3492", offer(session=""), "++"),
    "no BUNDLE, no mids": (
        "meetecho/janus-gateway 3492",
        offer(VIDEO.replace("a=mid:0\n", ""), DATA.replace("a=mid:1\n", ""), session=""),
        "++",
    ),
    "a BUNDLE of one": ("", offer(session="a=group:BUNDLE 0\n"), "++"),
    "two BUNDLEs": ("", offer(session="a=group:BUNDLE 0\na=group:BUNDLE 1\n"), "++"),
    "a BUNDLE beside other groups": (
        "",
        offer(session="a=group:LS 0 1\na=group:BUNDLE 1 0 7\n"),
        "++",
    ),
    "bundle-only": (
        "paullouisageneau/libdatachannel 376",
        offer(VIDEO, BARE_DATA.replace("n 9", "n 0") + "a=bundle-only\n"),
        "++",
    ),
    "bundle-only video, tagged data": (
        "meetecho/janus-gateway 2390",
        offer(
            BARE_VIDEO.replace("o 9", "o 0") + "a=bundle-only\n",
            DATA,
            session="a=group:BUNDLE 1 0\n",
        ),
        "++",
    ),
    "transport in the tagged section only": ("rtcweb-wg/jsep 295", offer(VIDEO, BARE_DATA), "++"),
    "transport in a later section only": (
        "rtcweb-wg/jsep 295",
        offer(BARE_VIDEO, BARE_DATA, AUDIO, session="a=group:BUNDLE 0 1 2\n"),
        "++~",
    ),
    "a rejected section has the transport": (
        "asterisk/asterisk 2010",
        offer(
            AUDIO.replace("o 9", "o 0"), BARE_VIDEO, BARE_DATA, session="a=group:BUNDLE 2 0 1\n"
        ),
        "0++",
    ),
    "audio first, as players ask for it": (
        "medooze/whip-whep-js 12",
        offer(AUDIO, BARE_VIDEO, BARE_DATA, session="a=group:BUNDLE 2 0 1\n"),
        "~++",
    ),
    "transport of the session": (
        "aiortc 1092",
        offer(BARE_VIDEO, BARE_DATA, session=BUNDLE + TRANSPORT),
        "++",
    ),
    "transport of the session, no BUNDLE": (
        "aiortc 1092",
        offer(BARE_VIDEO, BARE_DATA, session=TRANSPORT),
        "++",
    ),
    "port 0": ("pjsip/pjproject 1148", offer(VIDEO, DATA.replace("n 9", "n 0")), "+0"),
    "port 0, of video": ("pjsip/pjproject 1148", offer(VIDEO.replace("o 9", "o 0"), DATA), "0+"),
    "port 0 without anything": (
        "asterisk/asterisk 2010",
        offer(VIDEO, DATA, "m=audio 0 UDP/TLS/RTP/SAVPF 0\n"),
        "++0",
    ),
    "bundle-only without BUNDLE": (
        "",
        offer(VIDEO, BARE_DATA.replace("n 9", "n 0") + "a=bundle-only\n", session=""),
        "+0",
    ),
    "payload type 35": (
        "",
        offer(
            VIDEO.replace(" 96 97 102", " 35 36").replace(":96", ":35").replace(":97", ":36")
            .replace("apt=96", "apt=35"),
            DATA,
        ),
        "++",
    ),
    "payload types on both sides of 96": (
        "",
        offer(VIDEO.replace(" 96 97", " 96 45").replace(":97", ":45"), DATA),
        "++",
    ),
    "retransmission first": (
        "", offer(VIDEO.replace(" 96 97 102", " 97 102 96"), DATA), "++",
    ),
    "audio": ("", offer(VIDEO, DATA, AUDIO, session="a=group:BUNDLE 0 1 2\n"), "++~"),
    "audio first": ("", offer(AUDIO, VIDEO, DATA, session="a=group:BUNDLE 2 0 1\n"), "~++"),
    "audio with a transport of its own": ("", offer(VIDEO, DATA, AUDIO), "++0"),
    "audio without a common codec": (
        "aiortc 504",
        offer(
            VIDEO, DATA,
            AUDIO.replace(" 111 0", " 118").replace("111 opus/48000/2", "118 multiopus/48000/6"),
            session="a=group:BUNDLE 0 1 2\n",
        ),
        "++0",
    ),
    "audio without a common codec, tagged": (
        "aiortc 504",
        offer(
            AUDIO.replace(" 111 0", " 118").replace("111 opus/48000/2", "118 multiopus/48000/6"),
            BARE_VIDEO, BARE_DATA,
            session="a=group:BUNDLE 2 0 1\n",
        ),
        "0++",
    ),
    "text": (
        "",
        offer(
            VIDEO, DATA,
            "m=text 9 UDP/TLS/RTP/SAVPF 98\na=mid:2\na=rtcp-mux\na=rtpmap:98 t140/1000\n",
            session="a=group:BUNDLE 0 1 2\n",
        ),
        "++0",
    ),
    "a protocol of another world": (
        "", offer(VIDEO, DATA, "m=application 9 TCP/TLS/BFCP *\na=mid:2\n"), "++0",
    ),
    "a second video": (
        "",
        offer(VIDEO, DATA, VIDEO.replace("mid:0", "mid:2"), session="a=group:BUNDLE 0 1 2\n"),
        "++~",
    ),
    "a camera before the video": (
        "",
        offer(
            VIDEO.replace("mid:0", "mid:2").replace("recvonly", "sendonly"), VIDEO, DATA,
            session="a=group:BUNDLE 2 0 1\n",
        ),
        "~++",
    ),
    "second datachannels": ("", offer(VIDEO, DATA, DATA.replace("mid:1", "mid:2")), "++0"),
    "datachannels alone": ("", offer(DATA, session="a=group:BUNDLE 1\n"), "+"),
    "blanks in fmtp": (
        "pion/sdp 190",
        offer(VIDEO.replace("apt=96", " apt = 96 ").replace(";", " ; "), DATA),
        "++",
    ),
    "extmap with attributes": (
        "mozilla/webrtc-sdp 72",
        offer(
            VIDEO
            + "a=extmap:13 urn:ietf:params:rtp-hdrext:encrypt urn:3gpp:video-orientation\n"
            + "a=extmap:4096 urn:example:one\na=extmap:x y\na=extmap\n",
            DATA,
        ),
        "++",
    ),
    "extmap with a direction": (
        "otalk/rtcpeerconnection-shim 149",
        offer(
            VIDEO.replace("extmap:4", "extmap:4/recvonly").replace("extmap:2", "extmap:2/inactive"),
            DATA,
        ),
        "++",
    ),
    "extmap of the session": (
        "jitsi/lib-jitsi-meet 2216",
        offer(
            BARE_VIDEO + TRANSPORT, DATA,
            session=BUNDLE + "a=extmap:5 urn:ietf:params:rtp-hdrext:sdes:mid\n",
        ),
        "++",
    ),
    "no direction": ("clux/sdp-transform 23", offer(VIDEO.replace("a=recvonly\n", ""), DATA), "++"),
    "direction of the session": (
        "",
        offer(VIDEO.replace("a=recvonly\n", ""), DATA, session=BUNDLE + "a=recvonly\n"),
        "++",
    ),
    "sendrecv": ("", offer(VIDEO.replace("recvonly", "sendrecv"), DATA), "++"),
    "DTLS/SCTP with a name": (
        "aiortc 1092",
        offer(
            VIDEO,
            DATA.replace("UDP/DTLS", "DTLS") + "a=sctpmap:5000 webrtc-datachannel 65535\n",
        ),
        "++",
    ),
    "DTLS/SCTP with a port": (
        "aiortc 5",
        offer(
            VIDEO,
            DATA.replace("UDP/DTLS/SCTP webrtc-datachannel", "DTLS/SCTP 6000")
            .replace("a=sctp-port:5000", "a=sctpmap:6000 webrtc-datachannel 1024"),
        ),
        "++",
    ),
    "UDP/DTLS/SCTP with a port": (
        "aiortc 1092",
        offer(
            VIDEO,
            DATA.replace("webrtc-datachannel", "5000")
            .replace("a=sctp-port:5000", "a=sctpmap:5000 webrtc-datachannel 256"),
        ),
        "++",
    ),
    "TCP/DTLS/SCTP": ("", offer(VIDEO, DATA.replace("UDP", "TCP")), "++"),
    "RTP/SAVPF": ("", offer(VIDEO.replace("UDP/TLS/RTP", "RTP"), DATA), "++"),
    "ssrc without attribute": ("", offer(VIDEO + "a=ssrc:1\na=ssrc-group:FID 1\n", DATA), "++"),
    "fmtp and rtcp-fb of nothing": (
        "eface2face/rtcninja.js 35",
        offer(VIDEO + "a=fmtp:96\na=fmtp:99 x=y\na=fmtp\na=rtcp-fb:* ack ccfb\na=rtcp-fb\n", DATA),
        "++",
    ),
    "static payload types without rtpmap": (
        "pion/sdp 165", offer(VIDEO.replace(" 96 97", " 34 96 97 26"), DATA), "++",
    ),
    "lower case": ("", offer(VIDEO.replace("VP8", "vp8").replace("nack", "NACK"), DATA), "++"),
    "ICE lite": ("aiortc 267", offer(session=BUNDLE + "a=ice-lite\n"), "++"),
    "no setup": (
        "aiortc 391",
        offer(*(each.replace("a=setup:actpass\n", "") for each in (VIDEO, DATA))),
        "++",
    ),
    "setup active": (
        "", offer(*(each.replace("actpass", "active") for each in (VIDEO, DATA))), "++",
    ),
    "setup passive": (
        "", offer(*(each.replace("actpass", "passive") for each in (VIDEO, DATA))), "++",
    ),
    "several fingerprints": (
        "",
        offer(VIDEO + "a=fingerprint:md5 00:01\na=fingerprint:SHA-1 00:02\n", DATA),
        "++",
    ),
    "line feeds alone": ("clux/sdp-transform 23", offer().replace("\r\n", "\n"), "++"),
    "a byte order mark": ("", f"\N{ZERO WIDTH NO-BREAK SPACE}{offer()}", "++"),
    "blanks at the ends of lines": ("pion/sdp 190", offer().replace("\r\n", " \r\n"), "++"),
    "mids that nobody has": ("", offer(session="a=group:BUNDLE 9 0 1\n"), "++"),
    "mids in the group alone": (
        "", offer(VIDEO.replace("a=mid:0\n", ""), DATA.replace("a=mid:1\n", "")), "++",
    ),
    "an empty BUNDLE": ("", offer(session="a=group:BUNDLE\n"), "++"),
    "BUNDLE 1 0": ("", offer(session="a=group:BUNDLE 1 0\n"), "++"),
    "IPv6 alone": (
        "aioice 77",
        offer(*(each.replace("127.0.0.1", "::1").replace("IP4 0.0.0.0", "IP6 ::")
                for each in (VIDEO, DATA))),
        "++",
    ),
    "candidates with extensions": (
        "",
        offer(
            VIDEO.replace("udp", "UDP").replace(
                "typ host", "typ host generation 0 ufrag peer network-id 1 network-cost 10"
            ),
            DATA,
        ),
        "++",
    ),
    "simulcast": (
        "", offer(VIDEO + "a=rid:h recv\na=rid:l recv\na=simulcast:recv h;l\n", DATA), "++",
    ),
    "bandwidth": ("", offer(VIDEO.replace("c=IN", "b=AS:2000\nb=TIAS:2000000\nc=IN"), DATA), "++"),
    "rtcp-mux-only": ("", offer(VIDEO.replace("rtcp-mux", "rtcp-mux-only"), DATA), "++"),
    "feedback for all formats": ("", offer(VIDEO.replace("rtcp-fb:96", "rtcp-fb:*"), DATA), "++"),
    "digests in small letters": (
        "", offer(*(each.replace(offers.DIGEST, offers.DIGEST.lower()) for each in (VIDEO, DATA))),
        "++",
    ),
    "a fingerprint of sha-512": (
        "", offer(VIDEO.replace(f"sha-256 {offers.DIGEST}", f"sha-512 {':'.join(['AA'] * 64)}"),
                  DATA),
        "++",
    ),
    "fingerprint of the session": (
        "aiortc 1092",
        offer(
            *(each.replace(f"a=fingerprint:sha-256 {offers.DIGEST}\n", "") for each in
              (VIDEO, DATA)),
            session=f"{BUNDLE}a=fingerprint:sha-256 {offers.DIGEST}\n",
        ),
        "++",
    ),
    "as telephones have it": (
        "sipwise/rtpengine 126",
        offer(
            "m=audio 4000 RTP/AVP 0 8 101\na=rtpmap:101 telephone-event/8000\n", VIDEO,
            "m=image 9 udptl t38\n", session="",
        ),
        "0+0",
    ),
    "a port number of two": ("", offer(VIDEO.replace("o 9", "o 9/2"), DATA), "++"),
}  # fmt: skip


@pytest.mark.parametrize("kind", ACCEPTED)
async def test_an_offer_of_another_make_gets_an_answer_that_goes_with_it(kind: str) -> None:
    _, sdp, expected = ACCEPTED[kind]
    told = await answer(sdp)
    assert disagreements(sdp, told) == []
    ports = [block.split()[1] for block in sections(told)]
    taken = [
        "0" if port == "0" else "~" if values(block, "inactive") else "+"
        for port, block in zip(ports, sections(told), strict=True)
    ]
    assert "".join(taken) == expected
    assert "a=candidate:" in told


H264 = {
    # profile-level-id and what else stands there
    "level 6.2": "packetization-mode=1;profile-level-id=42e03e",
    "level 1b": "packetization-mode=1;profile-level-id=42f00b",
    "no profile": "packetization-mode=1",
    "baseline": "profile-level-id=42001f;packetization-mode=1;level-asymmetry-allowed=1",
    "as GStreamer has it": "packetization-mode=1; profile-level-id=42c015",
    "high": "packetization-mode=1;profile-level-id=640c34",
    "parameter sets": "packetization-mode=1;sprop-parameter-sets=Z0IAKp2oHgCJ+WY=,aM48gA==",
    "capitals": "Packetization-Mode=1;PROFILE-LEVEL-ID=42E01F",
}


@pytest.mark.parametrize("kind", H264)
async def test_h264_of_any_level_and_of_profiles_that_contain_ours_is_answered(kind: str) -> None:
    lines = f"a=rtpmap:102 H264/90000\na=fmtp:102 {H264[kind]}\n"
    sdp = offer(H264_VIDEO + lines, DATA)
    told = await answer(sdp, Codec.H264)
    assert disagreements(sdp, told) == []
    (fmtp,) = values(sections(told)[0], "fmtp")
    said = dict(each.strip().lower().split("=", 1) for each in H264[kind].split(";"))
    back = dict(each.split("=") for each in fmtp.removeprefix("102 ").split(";"))
    for key in ("packetization-mode", "profile-level-id", "level-asymmetry-allowed"):
        assert back.get(key, "").lower() == said.get(key, "")


REFUSED = {
    # kind: (public report, offer, codec, error, words)
    "no sctp-port": (
        "sipsorcery-org/sipsorcery 1789, sepfy/libpeer 280",
        offer(VIDEO, DATA.replace("a=sctp-port:5000\n", "")), "VP8", NegotiationError,
        'section "application" (mid "1") has no "a=sctp-port"',
    ),
    "sctp-port 0": (
        "sipsorcery-org/sipsorcery 1789",
        offer(VIDEO, DATA.replace("port:5000", "port:0")), "VP8", NegotiationError,
        'section "application" (mid "1") has "a=sctp-port:0"; wanted was a port from 1 to 65535',
    ),
    "packetization-mode 0": (
        "",
        offer(H264_VIDEO + "a=rtpmap:102 H264/90000\na=fmtp:102 packetization-mode=0\n", DATA),
        "H264", Unacceptable,
        'section "video" (mid "0") has "packetization-mode=0" in "a=fmtp:102"; '
        "wanted was H264/90000 with packetization-mode=1",
    ),
    "no packetization-mode": (
        "",
        offer(H264_VIDEO + "a=rtpmap:102 H264/90000\n", DATA), "H264", Unacceptable,
        'section "video" (mid "0") has no packetization-mode in "a=fmtp:102"; '
        "wanted was H264/90000 with packetization-mode=1",
    ),
    "no rtcp-mux": (
        "", offer(VIDEO.replace("a=rtcp-mux\n", ""), DATA), "VP8", Unacceptable,
        'section "video" (mid "0") has no "a=rtcp-mux"',
    ),
    "other codecs": (
        "", offer(VIDEO.replace("VP8", "VP9").replace("H264", "H265"), DATA), "VP8", Unacceptable,
        'section "video" (mid "0") has no video codec in common with this end: "a=rtpmap" names '
        '"VP9/90000, rtx/90000, H265/90000"; wanted was VP8/90000',
    ),
    "payload types of RTCP": (
        "", offer(VIDEO.replace("96", "72"), DATA), "VP8", Unacceptable,
        'section "video" (mid "0") has "a=rtpmap:72 VP8/90000"; wanted was a payload type from 0 '
        "to 63 or 96 to 127",
    ),
    "a payload type that is none": (
        "", offer(VIDEO.replace("96", "128"), DATA), "VP8", Unacceptable,
        'has "a=rtpmap:128 VP8/90000"; wanted was a payload type',
    ),
    "AV1 and VP9 alone": (
        "", offer(VIDEO.replace("VP8", "AV1").replace("H264", "VP9"), DATA), "VP8", Unacceptable,
        '"a=rtpmap" names "AV1/90000, rtx/90000, VP9/90000"; wanted was VP8/90000',
    ),
    "RTP without encryption": (
        "sipwise/rtpengine 126",
        offer(VIDEO.replace("UDP/TLS/RTP/SAVPF", "RTP/AVP").replace(TRANSPORT, ""), session=""),
        "VP8", NegotiationError, 'section "video" (mid "0") has no "a=ice-ufrag"',
    ),
    "no fingerprint": (
        "rtcweb-wg/jsep 1037",
        offer(VIDEO.replace(f"a=fingerprint:sha-256 {offers.DIGEST}\n", ""), DATA), "VP8",
        NegotiationError, 'section "video" (mid "0") has no "a=fingerprint"',
    ),
    "a fingerprint that is cut": (
        "centricular/webrtcsink 30",
        offer(VIDEO.replace(":1E:1F", ":1E"), DATA), "VP8", NegotiationError,
        "which is not 32 bytes in hexadecimal",
    ),
    "a fingerprint of another kind": (
        "", offer(VIDEO.replace("sha-256", "sha-1"), DATA), "VP8", Unacceptable,
        "wanted was one of sha-256, sha-384, sha-512",
    ),
    "no ice-ufrag": (
        "rtcweb-wg/jsep 1037", offer(VIDEO.replace("a=ice-ufrag:peer\n", ""), BARE_DATA), "VP8",
        NegotiationError, 'section "video" (mid "0") has no "a=ice-ufrag"',
    ),
    "no ice-pwd": (
        "", offer(VIDEO.replace("a=ice-pwd:", "a=ice-p:"), DATA), "VP8", NegotiationError,
        'section "video" (mid "0") has no "a=ice-pwd"',
    ),
    "setup holdconn": (
        "", offer(VIDEO.replace("actpass", "holdconn"), DATA), "VP8", NegotiationError,
        'section "video" (mid "0") has "a=setup:holdconn"; wanted was actpass, active or passive',
    ),
    "video over something else": (
        "", offer(VIDEO.replace("UDP/TLS/RTP/SAVPF", "TCP/RTP/AVP"), DATA), "VP8", Unacceptable,
        'section "video" (mid "0") is "TCP/RTP/AVP"; wanted was UDP/TLS/RTP/SAVPF',
    ),
    "no video wanted": (
        "", offer(VIDEO.replace("recvonly", "sendonly"), DATA), "VP8", Unacceptable,
        'section "video" (mid "0") is "a=sendonly"; wanted was a section that wants video',
    ),
    "audio alone": (
        "", offer(AUDIO, session=""), "VP8", Unacceptable, "needs a video section",
    ),
    "nothing": ("", offer("", session=""), "VP8", NegotiationError, "needs a video section"),
    "one mid twice": (
        "", offer(VIDEO, VIDEO), "VP8", NegotiationError, 'two of its sections have "a=mid:0"',
    ),
    "a mid that is none": (
        "", offer(VIDEO.replace("mid:0", "mid:"), DATA), "VP8", NegotiationError,
        'section number 1 has "a=mid:"',
    ),
    "a line that is cut": (
        "Kurento/bugtracker 530", offer(VIDEO.replace(" UDP/TLS/RTP/SAVPF 96 97 102", ""), DATA),
        "VP8", NegotiationError, '"m=video 9" is not "m=KIND PORT PROTOCOL FORMAT ..."',
    ),
    "a port that is none": (
        "", offer(VIDEO.replace("o 9", "o 65536"), DATA), "VP8", NegotiationError,
        "in ASCII, with a port from 0 to 65535",
    ),
    "something else": ("", '{"sdp": 1}', "VP8", NegotiationError, 'does not begin with "v=0"'),
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSED)
async def test_what_cannot_be_is_refused_at_once_by_section_and_attribute(kind: str) -> None:
    _, sdp, codec, error, words = REFUSED[kind]
    with pytest.raises(NegotiationError) as refusal:
        await answer(sdp, Codec(codec))
    assert refusal.type is error
    assert words in str(refusal.value)
    assert "Error" not in str(refusal.value)


async def test_one_offer_carries_video_and_channel_with_all_candidates() -> None:
    offered = await offer_of_a_client()
    assert [line[2:].split()[0] for line in offered.splitlines() if line.startswith("m=")] == [
        "video",
        "application",
    ]
    assert "a=recvonly" in offered
    assert "a=candidate:" in offered
    assert "a=end-of-candidates" in offered


@pytest.mark.parametrize(("codec", "other"), [(Codec.VP8, Codec.H264), (Codec.H264, Codec.VP8)])
async def test_the_answer_settles_on_the_codec_of_the_server(codec: Codec, other: Codec) -> None:
    sdp = await answer(await offer_of_a_client(), codec)
    assert f"{codec}/90000" in sdp
    assert f"{other}/90000" not in sdp
    assert "a=sendonly" in sdp


async def test_a_codec_that_was_not_named_is_missed_all_the_same() -> None:
    sdp = offer(VIDEO.replace("VP8", "VP9"), DATA)
    async with Peer(DIRECT) as peer:
        send_track(peer.connection, ball_track(), Codec.VP8)
        with pytest.raises(Unacceptable, match="no video codec in common"):
            await answer_offer(peer.connection, sdp)


async def test_video_is_not_taken_where_nothing_sends_it() -> None:
    async with Peer(DIRECT) as peer:
        sdp = await answer_offer(peer.connection, offer())
    video, data = sections(sdp)
    assert values(video, "inactive")
    assert data.startswith("m=application ")
    assert disagreements(offer(), sdp) == []


async def test_an_offer_may_bring_datachannels_instead_of_video() -> None:
    async with Peer(DIRECT) as peer:
        peer.connection.createDataChannel("coordinates")
        offered = await make_offer(peer.connection)
    assert not wants_video(offered)
    assert wants_video(await offer_of_a_client())


def test_by_which_number_playout_delays_are_known() -> None:
    delay = "a=extmap:7 http://www.webrtc.org/experiments/rtp-hdrext/playout-delay\n"
    assert playout_delay_id(offer(VIDEO + delay, DATA)) == 7
    assert playout_delay_id(offer()) is None
    assert playout_delay_id(offer(DATA, session="")) is None


async def test_the_client_begins_dtls() -> None:
    told = await answer(await offer_of_a_client())
    assert told.count("a=setup:passive") == told.count("m=")


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


@pytest.mark.parametrize("first", ["video", "data"])
async def test_a_later_candidate_is_used_and_a_bad_one_passed_over(first: str) -> None:
    async with Peer(DIRECT) as client:
        client.connection.addTransceiver("video", direction="recvonly")
        client.connection.createDataChannel("coordinates")
        whole = await make_offer(client.connection)
        if first == "data":  # aiortc puts media first; others do not
            head, video, data = re.split(r"(?=^m=)", whole, flags=re.MULTILINE)
            whole = head.replace("BUNDLE 0 1", "BUNDLE 1 0") + data + video
    lines = whole.splitlines(keepends=True)
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
            add_candidate(peer.connection, line, mid)
        await asyncio.sleep(0)  # an address needs no looking up
        assert peer.connection.sctp is not None
        assert sender.transport is peer.connection.sctp.transport
        remote = sender.transport.transport.getRemoteCandidates()
        ports = [each.port for each in remote if each.ip == "192.0.2.1"]
        assert sorted(ports) == [61764, 61765]


@pytest.mark.parametrize(
    ("addresses", "text"),
    [([], "no network address but loopback"), (["192.0.2.1"], "no UDP port could be had")],
)
async def test_that_there_is_no_way_is_said_from_what_this_machine_has(
    addresses: list[str], text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ballstream.link.negotiation.get_host_addresses", lambda **_: addresses)
    monkeypatch.setattr("aioice.ice.get_host_addresses", lambda **_: [])
    async with Peer(DIRECT) as peer:
        peer.connection.createDataChannel("coordinates")
        with pytest.raises(NoRoute, match=text):
            await make_offer(peer.connection)
