"""Candidates in a description."""

from ballstream.link.candidates import advertise, has_candidate

HOST = "a=candidate:f9 1 udp 2130706431 10.0.0.7 40123 typ host"
HOST_V6 = "a=candidate:d0 1 udp 2130706431 fd00::2 60051 typ host"
RELAY = "a=candidate:77 1 udp 16777215 198.51.100.3 49200 typ relay raddr 10.0.0.7 rport 40123"
SDP = f"v=0\r\n{HOST}\r\n{HOST_V6}\r\n{RELAY}\r\na=end-of-candidates\r\n"


def test_kinds_are_told_apart() -> None:
    assert has_candidate(SDP)
    assert has_candidate(SDP, "relay")
    assert not has_candidate(SDP, "srflx")
    assert not has_candidate("v=0\r\n")


def test_an_address_is_added_to_the_host_candidates_of_its_family() -> None:
    added = (
        "a=candidate:f9a 1 udp 1694498815 192.0.2.1 40123 typ srflx raddr 10.0.0.7 rport 40123\r\n"
    )
    assert advertise(SDP, "192.0.2.1") == SDP.replace(HOST_V6, added + HOST_V6)


def test_an_address_that_is_there_is_not_added() -> None:
    assert advertise(SDP, "10.0.0.7") == SDP
