from collections.abc import Sequence

import pytest
from offers import AUDIO, BUNDLE, VIDEO, offer

from ballstream.link.description import Section, parse
from ballstream.link.description_formats import (
    Extension,
    Format,
    Numbering,
    extensions_of,
    formats_of,
    lines_for_aiortc,
    lines_for_peer,
    why_none,
)

FEEDBACK = ("nack", "nack pli", "goog-remb")


def section_of(block: str, session: str = BUNDLE, role: str = "offer") -> Section:
    return parse(offer(block, session=session), role).sections[0]


def video_of(formats: str, *lines: str) -> Section:
    return section_of(
        f"m=video 9 UDP/TLS/RTP/SAVPF {formats}\na=mid:0\n"
        + "".join(f"a={each}\n" for each in lines)
    )


def numbers(formats: Sequence[Format]) -> list[int]:
    return [each.number for each in formats]


def test_formats_as_they_stand() -> None:
    vp8, h264, rtx = formats_of(section_of(VIDEO))
    assert vp8 == Format(96, "VP8", "VP8/90000", {}, FEEDBACK)
    assert (h264.number, h264.codec, h264.profile) == (102, "H264", "42e01f")
    assert rtx == Format(97, "rtx", "rtx/90000", {}, (), apt=96)


def test_one_codec_comes_with_its_own_retransmission() -> None:
    assert numbers(formats_of(section_of(VIDEO), "VP8")) == [96, 97]
    assert numbers(formats_of(section_of(VIDEO), "H264")) == [102]


def test_audio_needs_no_rtpmap_for_static_payload_types() -> None:
    opus, pcmu = formats_of(section_of(AUDIO))
    assert (opus.codec, opus.encoding) == ("opus", "opus/48000/2")
    assert (pcmu.codec, pcmu.encoding) == ("PCMU", "PCMU/8000")


def test_formats_that_nobody_can_use_are_left_out() -> None:
    section = video_of(
        "1000 x 72 97 98 99",
        "rtpmap:1000 VP8/90000",
        "rtpmap:x VP8/90000",
        "rtpmap:72 VP8/90000",
        "rtpmap:97 rtx/90000",
        "fmtp:97 apt=98",
        "rtpmap:98 VP9/90000",
        "rtpmap:100 VP8/90000",
    )
    assert formats_of(section) == []


def test_feedback_may_be_for_all() -> None:
    (vp8,) = formats_of(
        video_of("96", "rtpmap:96 VP8/90000", "rtcp-fb:* nack  PLI", "rtcp-fb:97 nack")
    )
    assert vp8.feedback == ("nack pli",)


def test_baseline_is_preferred_to_the_profiles_that_contain_it() -> None:
    mode = "packetization-mode=1"
    section = video_of(
        "100 101 102",
        "rtpmap:100 H264/90000",
        f"fmtp:100 {mode};profile-level-id=640c1f",
        "rtpmap:101 H264/90000",
        f"fmtp:101 {mode};profile-level-id=42001f",
        "rtpmap:102 H264/90000",
        f"fmtp:102 {mode};profile-level-id=123456",
    )
    assert [(each.number, each.profile) for each in formats_of(section)] == [
        (101, "42001f"),
        (100, "42e01f"),
    ]


@pytest.mark.parametrize(
    ("fmtp", "expected"),
    [
        ("packetization-mode=1", "42001f"),
        ("packetization-mode=1;profile-level-id=42c028", "42e01f"),
        ("packetization-mode=1;profile-level-id=4d0032", "42e01f"),
        ("packetization-mode=1;profile-level-id=42003e", "42001f"),
    ],
)
def test_the_level_of_h264_does_not_matter(fmtp: str, expected: str) -> None:
    (h264,) = formats_of(video_of("102", "rtpmap:102 H264/90000", f"fmtp:102 {fmtp}"))
    assert h264.profile == expected


@pytest.mark.parametrize(
    "fmtp",
    [
        "",
        "packetization-mode=0",
        "packetization-mode=2",
        "packetization-mode=1;profile-level-id=42e0",
        "packetization-mode=1;profile-level-id=42 e0 ",
        "packetization-mode=1;profile-level-id=xxxxxx",
    ],
)
def test_h264_that_cannot_be_used(fmtp: str) -> None:
    section = video_of("102", "rtpmap:102 H264/90000", f"fmtp:102 {fmtp}")
    assert formats_of(section) == []
    assert "wanted was H264/90000 with packetization-mode=1" in why_none(section, "H264")


def test_numbers_out_of_range_go_into_gaps_and_come_back() -> None:
    formats = [Format(each, "VP8", "VP8/90000", {}, ()) for each in (35, 96, 98, 127, 63)]
    numbering = Numbering.of(formats)
    assert numbering.peers == {97: 35, 99: 63}
    there = [numbering.to_aiortc(each) for each in numbers(formats)]
    assert there == [97, 96, 98, 127, 99]
    assert [numbering.to_peer(each) for each in there] == numbers(formats)


def test_however_many_formats_there_are_all_that_are_kept_have_a_number() -> None:
    at = [each for each in range(128) if each not in range(64, 96)]
    section = video_of(
        " ".join(map(str, at)),
        *(f"rtpmap:{each} VP8/90000" for each in at[:48]),
        *(f"rtpmap:{each} rtx/90000" for each in at[48:]),
        *(f"fmtp:{each} apt={each - 96}" for each in at[48:]),
    )
    formats = formats_of(section)
    numbering = Numbering.of(formats)
    there = {numbering.to_aiortc(each.number) for each in formats}
    assert len(there) == len(formats) == 32
    assert there <= set(range(96, 128))


def test_what_aiortc_and_the_peer_are_told() -> None:
    formats = formats_of(
        video_of(
            "45 46",
            "rtpmap:45 h264/90000",
            "fmtp:45 packetization-mode=1;profile-level-id=640028;level-asymmetry-allowed=0",
            "rtpmap:46 RTX/90000",
            "fmtp:46 apt=45",
        )
    )
    assert lines_for_aiortc(formats, Numbering.of(formats)) == [
        "a=rtpmap:96 H264/90000",
        "a=fmtp:96 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
        "a=rtpmap:97 rtx/90000",
        "a=fmtp:97 apt=96",
    ]
    assert [line for each in formats for line in lines_for_peer(each)] == [
        "a=rtpmap:45 h264/90000",
        "a=fmtp:45 packetization-mode=1;profile-level-id=640028",
        "a=rtpmap:46 RTX/90000",
        "a=fmtp:46 apt=45",
    ]


MID = "urn:ietf:params:rtp-hdrext:sdes:mid"
TIME = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
DELAY = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (f"4 {MID}", [Extension(4, MID, "")]),
        (f"4/recvonly {MID}", [Extension(4, MID, "recvonly")]),
        (f"4/sendonly {MID}", []),
        (f"5 {DELAY}", [Extension(5, DELAY, "")]),
        (f"4/inactive {MID}", []),
        (f"4 {MID} short", [Extension(4, MID, "")]),
        (f"15 {MID}", []),
        (f"4096 {MID}", []),
        (f"0 {MID}", []),
        ("4 urn:ietf:params:rtp-hdrext:encrypt " + MID, []),
        (f"x {MID}", []),
        ("4", []),
        ("", []),
    ],
)
def test_header_extensions(line: str, expected: list[Extension]) -> None:
    assert extensions_of(video_of("96", f"extmap:{line}")) == expected


def test_a_header_extension_has_one_number_and_a_number_one_extension() -> None:
    section = video_of("96", f"extmap:4 {MID}", f"extmap:4 {TIME}", f"extmap:5 {MID}")
    assert extensions_of(section) == [Extension(4, MID, "")]


def test_without_a_mid_none_is_sent() -> None:
    section = section_of(f"m=video 9 UDP/TLS/RTP/SAVPF 96\na=extmap:4 {MID}\n")
    assert extensions_of(section) == []
