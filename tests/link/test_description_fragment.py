import pytest
from offers import AUDIO, DATA, VIDEO, offer

from ballstream.errors import NegotiationError, Unacceptable
from ballstream.link.description_fragment import read_fragment
from ballstream.link.description_offer import read_offer, readable

CANDIDATE = "1 1 udp 5 10.0.0.7 9 typ host"
LINE = f"a=candidate:{CANDIDATE}\r\n"
SECRETS = "a=ice-ufrag:peer\r\na=ice-pwd:0123456789abcdefghijkl\r\n"
VIDEO_MID = "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:0\r\n"
DATA_MID = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:1\r\n"


def seen(sdp: str) -> str:
    return readable(read_offer(sdp)).sdp


@pytest.mark.parametrize(
    ("fragment", "expected"),
    [
        (f"{SECRETS}{VIDEO_MID}{LINE}a=end-of-candidates\r\n", [("0", CANDIDATE)]),
        (f"{VIDEO_MID}{SECRETS}{LINE}{DATA_MID}{LINE}", [("0", CANDIDATE)] * 2),
        (f"{SECRETS}{LINE}", [("0", CANDIDATE)]),
        (f"m=audio 9 RTP/AVP 0\r\na=mid:9\r\n{LINE}", [("0", CANDIDATE)]),
        (f"{VIDEO_MID}a=candidate:1 1 tcp 5 10.0.0.7 9 typ host\r\n", []),
        ("", []),
    ],
)
def test_candidates_are_for_the_transport_of_the_bundle(
    fragment: str, expected: list[tuple[str, str]]
) -> None:
    assert list(read_fragment(fragment, seen(offer()))) == expected


def test_the_tagged_section_may_be_one_that_is_not_taken() -> None:
    sdp = offer(AUDIO, VIDEO, DATA, session="a=group:BUNDLE 2 0 1\n")
    fragment = f"m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:2\r\n{LINE}"
    assert read_fragment(fragment, seen(sdp)) == (("0", CANDIDATE),)


def test_without_a_bundle_candidates_are_for_their_own_section() -> None:
    fragment = f"{VIDEO_MID}{LINE}{DATA_MID}{LINE}"
    assert read_fragment(fragment, seen(offer(session=""))) == (("0", CANDIDATE), ("1", CANDIDATE))


def test_ice_is_not_restarted() -> None:
    with pytest.raises(Unacceptable, match="ICE is not restarted here"):
        read_fragment(f"a=ice-ufrag:other\r\n{VIDEO_MID}{LINE}", seen(offer()))


def test_a_fragment_that_is_malformed_or_too_large_is_refused() -> None:
    with pytest.raises(NegotiationError, match="the fragment is malformed"):
        read_fragment("m=video\r\n", seen(offer()))
    with pytest.raises(NegotiationError, match="more than 64 candidates"):
        read_fragment(f"{VIDEO_MID}{LINE * 65}", seen(offer()))
