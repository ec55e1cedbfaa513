import pytest
from offers import DATA, VIDEO, offer

from ballstream.errors import NegotiationError
from ballstream.link.description import Section, parse
from ballstream.link.description_readable import data_lines, is_data, mid_of

MEDIA = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel"


def section_of(block: str) -> Section:
    return parse(offer(block), "offer").sections[0]


@pytest.mark.parametrize(
    ("media", "expected"),
    [
        (MEDIA, True),
        ("m=application 9 TCP/DTLS/SCTP webrtc-datachannel", True),
        ("m=application 9 DTLS/SCTP webrtc-datachannel", True),
        ("m=application 9 DTLS/SCTP 5000", True),
        ("m=application 9 UDP/DTLS/SCTP 5000", True),
        ("m=application 9 UDP/DTLS/SCTP bfcp", False),
        ("m=application 9 TCP/TLS/BFCP *", False),
        ("m=message 9 UDP/DTLS/SCTP webrtc-datachannel", False),
    ],
)
def test_datachannels_are_told_from_other_applications(media: str, expected: bool) -> None:
    assert is_data(section_of(f"{media}\na=mid:1\n")) is expected


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        (DATA, [MEDIA, "a=sctp-port:5000", "a=max-message-size:262144"]),
        (f"{MEDIA}\na=sctp-port:7\n", [MEDIA, "a=sctp-port:7"]),
        (f"{MEDIA}\na=sctp-port:7\na=max-message-size:x\n", [MEDIA, "a=sctp-port:7"]),
        (
            f"{MEDIA}\na=sctp-port:7\na=max-message-size:0\n",
            [MEDIA, "a=sctp-port:7", "a=max-message-size:0"],
        ),
        ("m=application 9 DTLS/SCTP 6000\n", [MEDIA, "a=sctp-port:6000"]),
        ("m=application 9 DTLS/SCTP 6000\na=sctp-port:7\n", [MEDIA, "a=sctp-port:7"]),
    ],
)
def test_what_aiortc_is_told_of_datachannels(block: str, expected: list[str]) -> None:
    assert data_lines(section_of(block)) == expected


@pytest.mark.parametrize("port", ["", "0", "65536", "x", "-1"])
def test_a_port_of_sctp_that_is_none(port: str) -> None:
    with pytest.raises(NegotiationError, match="wanted was a port from 1 to 65535"):
        data_lines(section_of(DATA.replace("port:5000", f"port:{port}")))


def test_a_section_without_a_mid_gets_one_that_no_section_can_have() -> None:
    assert mid_of(section_of(VIDEO)) == "0"
    assert " " in mid_of(section_of(VIDEO.replace("a=mid:0\n", "")))
