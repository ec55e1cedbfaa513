import pytest
from offers import AUDIO, DATA, DIGEST, VIDEO, offer

from ballstream.errors import Unacceptable
from ballstream.link.description_offer import groups_of, read_offer, readable

BARE_DATA = "m=application 0 UDP/DTLS/SCTP webrtc-datachannel\na=mid:1\na=sctp-port:5000\n"


def test_an_offer_as_aiortc_reads_it() -> None:
    transport = [
        "a=ice-ufrag:peer",
        "a=ice-pwd:0123456789abcdefghijkl",
        f"a=fingerprint:sha-256 {DIGEST}",
        "a=setup:active",
        "a=candidate:1 1 udp 2130706431 127.0.0.1 50000 typ host",
    ]
    seen = readable(read_offer(offer(), "VP8"))
    assert seen.codec == "VP8"
    assert seen.hidden == ()
    assert seen.sdp.split("\r\n") == [
        "v=0",
        "o=- 0 0 IN IP4 0.0.0.0",
        "s=-",
        "t=0 0",
        "a=group:BUNDLE 0 1",
        "m=video 9 UDP/TLS/RTP/SAVPF 96 97",
        "a=recvonly",
        "a=rtcp-mux",
        "a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
        "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid",
        "a=rtpmap:96 VP8/90000",
        "a=rtcp-fb:96 nack",
        "a=rtcp-fb:96 nack pli",
        "a=rtcp-fb:96 goog-remb",
        "a=rtpmap:97 rtx/90000",
        "a=fmtp:97 apt=96",
        "a=mid:0",
        *transport,
        "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
        "a=sctp-port:5000",
        "a=max-message-size:262144",
        "a=mid:1",
        *transport,
        "",
    ]


def test_the_first_video_that_can_be_taken_is() -> None:
    camera = VIDEO.replace("mid:0", "mid:c").replace("recvonly", "sendonly")
    other = VIDEO.replace("mid:0", "mid:o").replace("VP8", "VP9")
    read = read_offer(offer(camera, other, VIDEO, DATA, session="a=group:BUNDLE c o 0 1\n"), "VP8")
    assert read.video is not None
    assert read.video.mid == "0"
    assert set(read.spare) == {0, 1}


def test_without_a_sender_the_video_is_spare() -> None:
    read = read_offer(offer(), sends_video=False)
    assert read.video is None
    assert [section.mid for section in read.taken] == ["1"]
    assert set(read.spare) == {0}


def test_the_tagged_section_is_the_first_with_a_port_of_its_own() -> None:
    bundle_only = BARE_DATA + "a=bundle-only\n"
    read = read_offer(offer(bundle_only, VIDEO, session="a=group:BUNDLE 1 0\n"))
    assert [[section.mid for section in group] for group in groups_of(read)] == [["0", "1"]]


def test_the_transport_of_a_tagged_section_that_is_taken_for_spare_is_used() -> None:
    audio = AUDIO.replace("ufrag:peer", "ufrag:tagged")
    seen = readable(read_offer(offer(audio, VIDEO, DATA, session="a=group:BUNDLE 2 0 1\n")))
    assert seen.sdp.count("a=ice-ufrag:tagged") == 2
    assert "a=ice-ufrag:peer" not in seen.sdp
    assert "a=group:BUNDLE 0 1\r\n" in seen.sdp


def test_the_transport_of_a_tagged_section_that_is_rejected_is_not() -> None:
    audio = AUDIO.replace("ufrag:peer", "ufrag:tagged").replace(" 111 0", " 118")
    seen = readable(read_offer(offer(audio, VIDEO, DATA, session="a=group:BUNDLE 2 0 1\n")))
    assert seen.sdp.count("a=ice-ufrag:peer") == 2


def test_an_offer_of_one_who_sends_keeps_its_direction_and_sources() -> None:
    camera = VIDEO.replace("recvonly", "sendonly")
    sources = "a=ssrc-group:FID 1111 2222\na=ssrc:1111 cname:x\na=ssrc:2222 cname:x\n"
    read = read_offer(offer(camera + sources), wanted="sendonly")
    lines = readable(read).sdp.split("\r\n")
    assert "a=sendonly" in lines
    assert [line for line in lines if "ssrc" in line] == [
        "a=ssrc:1111 cname:-",
        "a=ssrc:2222 cname:-",
    ]


def test_an_offer_of_one_who_wants_video_is_none_where_it_is_to_send() -> None:
    with pytest.raises(Unacceptable, match='a section that sends video: "a=sendonly"'):
        read_offer(offer(VIDEO), wanted="sendonly")
