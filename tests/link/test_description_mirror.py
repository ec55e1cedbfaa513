from offers import AUDIO, DATA, VIDEO, bundles, disagreements, offer, sections, values

from ballstream.link.description_mirror import answer_for
from ballstream.link.description_offer import read_offer

TRANSPORT = """a=candidate:1 1 udp 2130706431 10.0.0.7 40000 typ host
a=end-of-candidates
a=ice-ufrag:ours
a=ice-pwd:lkjihgfedcba9876543210
a=fingerprint:sha-256 00
a=setup:passive
"""

OURS = f"""v=0
o=- 1 1 IN IP4 0.0.0.0
s=-
t=0 0
a=group:BUNDLE 0 1
a=msid-semantic:WMS *
m=video 40000 UDP/TLS/RTP/SAVPF 96 97
c=IN IP4 10.0.0.7
a=sendonly
a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid
a=mid:0
a=rtcp-mux
a=rtpmap:96 VP8/90000
a=rtcp-fb:96 nack
a=rtpmap:97 rtx/90000
a=fmtp:97 apt=96
{TRANSPORT}m=application 40000 UDP/DTLS/SCTP webrtc-datachannel
c=IN IP4 10.0.0.7
a=mid:1
a=sctp-port:5000
a=max-message-size:65536
{TRANSPORT}""".replace("\n", "\r\n")


def answer(sdp: str) -> str:
    return answer_for(read_offer(sdp, "VP8"), OURS)


def test_to_an_offer_like_ours_the_answer_is_ours() -> None:
    assert sorted(answer(offer()).split("\r\n")) == sorted(OURS.split("\r\n"))


def test_what_was_said_otherwise_is_said_otherwise() -> None:
    video = VIDEO.replace("UDP/TLS/RTP", "RTP").replace("extmap:4", "extmap:4/recvonly")
    video = video.replace(" 96 97 ", " 35 97 ").replace(":96", ":35").replace("apt=96", "apt=35")
    data = DATA.replace("UDP/DTLS/SCTP webrtc-datachannel", "DTLS/SCTP 6000")
    sdp = offer(video.replace("VP8", "vp8"), data.replace("a=mid:1\n", ""), session="")
    told = answer(sdp)
    assert disagreements(sdp, told) == []
    first, second = sections(told)
    assert first.startswith("m=video 40000 RTP/SAVPF 35 97\r\n")
    assert values(first, "rtpmap") == ["35 vp8/90000", "97 rtx/90000"]
    assert values(first, "fmtp") == ["97 apt=35"]
    assert values(first, "extmap") == ["4/sendonly urn:ietf:params:rtp-hdrext:sdes:mid"]
    assert second.startswith("m=application 40000 DTLS/SCTP 5000\r\n")
    assert values(second, "sctpmap") == ["5000 webrtc-datachannel 65535"]
    assert not values(second, "sctp-port")


def test_playout_delays_are_accepted_where_they_are_offered() -> None:
    delay = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay"
    for direction, reverse in (("", ""), ("/sendrecv", ""), ("/recvonly", "/sendonly")):
        sdp = offer(f"{VIDEO}a=extmap:7{direction} {delay}\n", DATA)
        told = answer(sdp)
        assert disagreements(sdp, told) == []
        assert values(sections(told)[0], "extmap")[-1] == f"7{reverse} {delay}"
    assert delay not in answer(offer(f"{VIDEO}a=extmap:7/sendonly {delay}\n", DATA))
    assert delay not in answer(offer())


def test_what_shares_the_transport_is_inactive() -> None:
    told = answer(offer(VIDEO, DATA, AUDIO, session="a=group:BUNDLE 0 1 2\n"))
    assert bundles(told) == [["0", "1", "2"]]
    assert sections(told)[2].split("\r\n") == [
        "m=audio 40000 UDP/TLS/RTP/SAVPF 111 0",
        "c=IN IP4 10.0.0.7",
        "a=inactive",
        "a=mid:2",
        "a=rtcp-mux",
        "a=rtpmap:111 opus/48000/2",
        "a=rtpmap:0 PCMU/8000",
        "a=candidate:1 1 udp 2130706431 10.0.0.7 40000 typ host",
        "a=end-of-candidates",
        "a=ice-ufrag:ours",
        "a=ice-pwd:lkjihgfedcba9876543210",
        "a=fingerprint:sha-256 00",
        "a=setup:passive",
        "",
    ]


def test_an_inactive_section_that_stands_for_the_transport_leads_to_it() -> None:
    sdp = offer(AUDIO, VIDEO, DATA, session="a=group:BUNDLE 2 0 1\n")
    told = answer(sdp)
    assert disagreements(sdp, told) == []
    assert values(sections(told)[0], "candidate") == ["1 1 udp 2130706431 10.0.0.7 40000 typ host"]


def test_what_does_not_is_rejected() -> None:
    told = answer(offer(VIDEO, DATA, AUDIO))
    assert bundles(told) == [["0", "1"]]
    assert sections(told)[2].split("\r\n") == [
        "m=audio 0 UDP/TLS/RTP/SAVPF 111 0",
        "c=IN IP4 0.0.0.0",
        "a=inactive",
        "a=mid:2",
        "",
    ]
