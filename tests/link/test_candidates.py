"""Candidates in a description."""

import pytest

from ballstream.link.candidates import advertise, has_candidate, is_hidden, usable

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


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (HOST[12:], HOST[12:]),
        (RELAY[12:], RELAY[12 : RELAY.index(" raddr")]),
        ("1 1 UDP 5 FD00::2 9 TYP HOST generation 0", "1 1 udp 5 fd00::2 9 typ host"),
        (f"1 1 udp 5 {'a' * 63}.LOCAL 9 typ host", f"1 1 udp 5 {'a' * 63}.local 9 typ host"),
        (f"1 1 udp 5 {'a' * 64}.local 9 typ host", None),
        ("1 1 udp 5 a.b.local 9 typ host", None),
        ("1 2 udp 5 10.0.0.7 9 typ host", None),
        ("1 1 tcp 5 10.0.0.7 9 typ host tcptype active", None),
        ("1 1 udp 5 10.0.0.7 0 typ host", None),
        ("1 1 udp 5 10.0.0.7 65536 typ host", None),
        ("1 1 udp 5 10.0.0.7 -1 typ host", None),
        ("1 1 udp 0 10.0.0.7 9 typ host", None),
        ("1 1 udp 4294967296 10.0.0.7 9 typ host", None),
        ("1 1 udp 5 10.0.0.7 9 typ prflx", None),
        ("1 1 udp 5 example.org 9 typ host", None),
        ("1 1 udp 5 0.0.0.0 9 typ host", None),
        ("1 1 udp 5 224.0.0.1 9 typ host", None),
        ("1 1 udp 5 fe80::1%eth0 9 typ host", None),
        ("1 1 udp 5 10.0.0.7 9 host typ", None),
        ("é 1 udp 5 10.0.0.7 9 typ host", None),
        ("1 1 udp 5 10.0.0.7 9", None),
        ("", None),
    ],
)
def test_a_candidate_is_usable_or_left_out(written: str, expected: str | None) -> None:
    assert usable(written) == expected


def test_names_of_multicast_dns_are_told_from_addresses() -> None:
    assert is_hidden("1 1 udp 5 a.local 9 typ host")
    assert not is_hidden("1 1 udp 5 10.0.0.7 9 typ host")
