"""Answers as servers of other makes write them."""

import re

import pytest
from aiortc.sdp import SessionDescription
from offers import AUDIO, BUNDLE, DATA, TRANSPORT, VIDEO, offer

from ballstream.errors import NegotiationError, Unacceptable
from ballstream.link.description_answer import read_answer

OFFER = offer()
VIDEO_ANSWER = VIDEO.replace("recvonly", "sendonly").replace("actpass", "passive")
DATA_ANSWER = DATA.replace("actpass", "passive")
SPOKEN = TRANSPORT.replace("actpass", "passive")


def answered(*sections: str, session: str = BUNDLE) -> str:
    return offer(*(sections or (VIDEO_ANSWER, DATA_ANSWER)), session=session)


def directions(sdp: str) -> list[str | None]:
    return [section.direction for section in SessionDescription.parse(sdp).media]


def test_an_answer_as_it_stands() -> None:
    answer = read_answer(answered(), OFFER)
    assert answer.codec == "VP8"
    assert answer.numbering.peers == {}
    description = SessionDescription.parse(answer.sdp)
    assert [(each.kind, each.rtp.muxId) for each in description.media] == [
        ("video", "0"),
        ("application", "1"),
    ]
    assert [each.items for each in description.group] == [["0", "1"]]
    assert directions(answer.sdp)[0] == "sendonly"


@pytest.mark.parametrize(
    "told",
    [
        answered(VIDEO_ANSWER, DATA_ANSWER.replace(SPOKEN, "")),
        answered(
            VIDEO_ANSWER, DATA_ANSWER.replace(SPOKEN, "a=bundle-only\n").replace("n 9", "n 0")
        ),
        answered(
            VIDEO_ANSWER.replace(SPOKEN, ""),
            DATA_ANSWER.replace(SPOKEN, ""),
            session=BUNDLE + SPOKEN.replace("a=candidate", "a=x"),
        ).replace("a=mid:0", "a=candidate:1 1 udp 2130706431 127.0.0.1 50000 typ host\r\na=mid:0"),
        answered(VIDEO_ANSWER.replace("a=setup:passive\n", ""), DATA_ANSWER),
        answered(VIDEO_ANSWER.replace("a=sendonly\n", ""), DATA_ANSWER),
        answered(VIDEO_ANSWER.replace("a=mid:0\n", "a=mid:0\na=end-of-candidates\n"), DATA_ANSWER),
        answered().replace("\r\n", "\n"),
    ],
)
def test_spellings_of_the_same_answer(told: str) -> None:
    assert read_answer(told, OFFER) == read_answer(answered(), OFFER)


def test_without_a_bundle_every_section_has_its_own_transport() -> None:
    other = DATA_ANSWER.replace("ufrag:peer", "ufrag:other")
    video, data = SessionDescription.parse(
        read_answer(answered(VIDEO_ANSWER, other, session=""), OFFER).sdp
    ).media
    assert video.ice is not None
    assert data.ice is not None
    assert (video.ice.usernameFragment, data.ice.usernameFragment) == ("peer", "other")


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (answered(VIDEO_ANSWER), "takes no datachannel"),
        (answered(VIDEO_ANSWER, DATA_ANSWER.replace("n 9", "n 0")), "takes no datachannel"),
        (
            answered(
                VIDEO_ANSWER, "m=application 0 UDP/DTLS/SCTP webrtc-datachannel\n", session=""
            ),
            "takes no datachannel",
        ),
        (answered(VIDEO_ANSWER.replace("o 9", "o 0"), DATA_ANSWER), "sends no video"),
        (
            answered(VIDEO_ANSWER.replace("VP8", "VP9"), DATA_ANSWER.replace("n 9", "n 0")),
            "no data",
        ),
    ],
)
def test_what_the_server_does_not_take_is_said_of_the_server(told: str, words: str) -> None:
    with pytest.raises(Unacceptable, match=words):
        read_answer(told, OFFER)


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (answered(VIDEO_ANSWER, DATA_ANSWER, AUDIO), "it has more sections than the offer"),
        (answered(DATA_ANSWER, VIDEO_ANSWER), 'stands where the offer has "video"'),
        (
            answered(VIDEO_ANSWER.replace("mid:0", "mid:7"), DATA_ANSWER),
            'section "video" (mid "7") stands where the offer has mid "0"',
        ),
        (
            answered(VIDEO_ANSWER, DATA_ANSWER.replace("UDP/DTLS/SCTP", "TCP/BFCP")),
            'is "TCP/BFCP webrtc-datachannel"; wanted was UDP/DTLS/SCTP webrtc-datachannel',
        ),
        (
            answered(VIDEO_ANSWER, DATA_ANSWER.replace("a=sctp-port:5000\n", "")),
            'section "application" (mid "1") has no "a=sctp-port"',
        ),
        (
            answered(VIDEO_ANSWER.replace("a=rtcp-mux\n", ""), DATA_ANSWER),
            'section "video" (mid "0") has no "a=rtcp-mux"',
        ),
        (
            answered(VIDEO_ANSWER.replace("VP8", "VP9").replace("H264", "H265"), DATA_ANSWER),
            'section "video" (mid "0") has no video codec in common with this end',
        ),
        (answered(VIDEO, DATA), '"a=setup:actpass"; wanted was active or passive'),
    ],
)
def test_what_does_not_go_with_the_offer_is_refused(told: str, words: str) -> None:
    with pytest.raises(NegotiationError, match=re.escape(words)):
        read_answer(told, OFFER)


@pytest.mark.parametrize(
    ("offered", "told", "expected"),
    [
        ("recvonly", "sendrecv", "sendonly"),
        ("recvonly", "sendonly", "sendonly"),
        ("recvonly", "recvonly", "inactive"),
        ("recvonly", "inactive", "inactive"),
        ("sendonly", "recvonly", "recvonly"),
        ("sendonly", "sendrecv", "recvonly"),
        ("sendrecv", "sendonly", "sendonly"),
    ],
)
def test_a_direction_answers_the_one_that_was_offered(
    offered: str, told: str, expected: str
) -> None:
    ours = offer(VIDEO.replace("recvonly", offered), DATA)
    theirs = answered(VIDEO_ANSWER.replace("sendonly", told), DATA_ANSWER)
    assert directions(read_answer(theirs, ours).sdp)[0] == expected


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("a=ssrc:7\n", [7]),
        ("a=ssrc:7 cname:x\na=ssrc:7 msid:y\na=ssrc:8 cname:x\n", [7, 8]),
        ("a=ssrc:8 cname:x\na=ssrc:7 cname:x\na=ssrc-group:FID 7 8\n", [7, 8]),
        ("a=ssrc:99999999999 cname:x\na=ssrc\na=ssrc-group\n", []),
    ],
)
def test_who_sends_and_who_repeats(lines: str, expected: list[int]) -> None:
    answer = read_answer(answered(VIDEO_ANSWER + lines, DATA_ANSWER), OFFER)
    assert [each.ssrc for each in SessionDescription.parse(answer.sdp).media[0].ssrc] == expected


def test_payload_types_out_of_aiortcs_range() -> None:
    told = VIDEO_ANSWER.replace(" 96 97 102", " 35 36").replace(":96", ":35").replace(":97", ":36")
    answer = read_answer(answered(told.replace("apt=96", "apt=35"), DATA_ANSWER), OFFER)
    assert answer.numbering.peers == {96: 35, 97: 36}
    (codec, rtx) = SessionDescription.parse(answer.sdp).media[0].rtp.codecs
    assert (codec.payloadType, rtx.payloadType, rtx.parameters) == (96, 97, {"apt": 96})
