import pytest
from hypothesis import given
from hypothesis import strategies as st

from ballstream.signaling.trickle import Candidate, Fragment, parse

ONE = "candidate:1 1 udp 2122260223 192.0.2.1 61764 typ host ufrag EsAw"
TWO = "candidate:2 1 tcp 1518280447 192.0.2.1 9 typ host tcptype active"

FRAGMENT = f"""\
a=ice-ufrag:EsAw
a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1
m=video 9 UDP/TLS/RTP/SAVPF 96
a=mid:0
a={ONE}
a={TWO}
m=application 9 UDP/DTLS/SCTP webrtc-datachannel
a=mid:1
a={ONE}
a=end-of-candidates
"""

EXPECTED = Fragment(
    frozenset({"EsAw"}),
    frozenset({"P2uYro0UCOQ4zxjKXaWCBui1"}),
    (Candidate(ONE, "0"), Candidate(TWO, "0"), Candidate(ONE, "1")),
)


@pytest.mark.parametrize("end", ["\n", "\r\n", " \r\n"])
def test_a_fragment(end: str) -> None:
    assert parse(FRAGMENT.replace("\n", end)) == EXPECTED


def test_the_order_in_a_section_is_nobodys_business() -> None:
    assert parse(f"m=video 9 x 96\r\na={ONE}\r\na=mid:7\r\n").candidates == (Candidate(ONE, "7"),)


@pytest.mark.parametrize("text", ["", "a=end-of-candidates\r\n", "a=\r\na=candidate\r\nv=0", "m="])
def test_nothing_in_it_is_nothing(text: str) -> None:
    assert parse(text) == Fragment(frozenset(), frozenset(), ())


def test_candidates_without_a_section() -> None:
    assert parse(f"a={ONE}") == Fragment(frozenset(), frozenset(), (Candidate(ONE, None),))


@pytest.mark.parametrize(
    ("text", "restarts"),
    [
        (FRAGMENT, False),
        (f"a={ONE}", False),
        ("a=ice-ufrag:EsAw", False),
        ("a=ice-ufrag:other\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1", True),
        ("a=ice-ufrag:EsAw\na=ice-pwd:other", True),
    ],
)
def test_other_credentials_are_a_restart(text: str, restarts: bool) -> None:
    assert parse(text).restarts(parse(FRAGMENT)) is restarts


@given(st.text(st.sampled_from("am=:mid\r\n candte-icufrgpw0")) | st.text())
def test_any_text_can_be_read(text: str) -> None:
    for candidate in parse(text).candidates:
        assert candidate.line.startswith("candidate:")
        assert "\n" not in candidate.line


@given(
    st.lists(st.tuples(st.sampled_from(["0", "1", "data"]), st.sampled_from([ONE, TWO]))),
    st.sampled_from(["\n", "\r\n"]),
)
def test_what_was_written_is_read(candidates: list[tuple[str, str]], end: str) -> None:
    lines = [
        line
        for mid, candidate in candidates
        for line in ("m=video 9 UDP/TLS/RTP/SAVPF 96", f"a=mid:{mid}", f"a={candidate}")
    ]
    found = parse("".join(line + end for line in lines)).candidates
    assert [(each.mid, each.line) for each in found] == candidates
