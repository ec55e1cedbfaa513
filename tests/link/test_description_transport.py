import pytest
from offers import BUNDLE, DATA, DIGEST, TRANSPORT, VIDEO, offer

from ballstream.errors import NegotiationError
from ballstream.link.description import Section, parse
from ballstream.link.description_transport import Transport, has_mux, transport_of

BARE = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\na=mid:1\n"


def sections_of(*blocks: str, session: str = BUNDLE, role: str = "offer") -> tuple[Section, ...]:
    return parse(offer(*blocks, session=session), role).sections


def test_a_transport_as_it_stands() -> None:
    video, _ = sections_of()
    assert transport_of(video, [video]) == Transport(
        ufrag="peer",
        password="0123456789abcdefghijkl",  # noqa: S106
        lite=False,
        fingerprints=(f"sha-256 {DIGEST}",),
        setup="active",
        candidates=("1 1 udp 2130706431 127.0.0.1 50000 typ host",),
        hidden=(),
    )


def test_the_end_of_the_candidates_is_not_passed_on() -> None:
    (video,) = sections_of(VIDEO + "a=end-of-candidates\n")
    assert not any("end-of" in line for line in transport_of(video, [video]).lines())


def test_lines_come_from_the_first_carrier_then_from_the_others_then_from_the_session() -> None:
    video, data = sections_of(VIDEO, BARE)
    assert transport_of(data, [video, data]) == transport_of(video, [video])
    (data,) = sections_of(BARE, session=TRANSPORT)
    assert transport_of(data, [data]).ufrag == "peer"
    assert transport_of(data, [data]).fingerprints == (f"sha-256 {DIGEST}",)


def test_of_two_transports_in_a_bundle_the_tagged_one_counts() -> None:
    other = DATA.replace("ufrag:peer", "ufrag:other").replace(":1E:1F", ":1E:2F")
    video, data = sections_of(VIDEO, other)
    assert transport_of(data, [video, data]).ufrag == "peer"
    assert transport_of(data, [data]).ufrag == "other"
    assert transport_of(data, [data]).fingerprints == (f"sha-256 {DIGEST[:-2]}2F",)


def test_hidden_candidates_stand_apart() -> None:
    name = "0A0A0A0A-0000-4000-8000-000000000001.local"
    (video,) = sections_of(VIDEO.replace("127.0.0.1", name))
    transport = transport_of(video, [video])
    assert transport.candidates == ()
    assert transport.hidden == (f"1 1 udp 2130706431 {name.lower()} 50000 typ host",)


@pytest.mark.parametrize(
    ("role", "line", "expected"),
    [
        ("offer", "a=setup:actpass\n", "active"),
        ("offer", "a=setup:active\n", "active"),
        ("offer", "a=setup:passive\n", "passive"),
        ("offer", "", "active"),
        ("answer", "a=setup:active\n", "active"),
        ("answer", "", "passive"),
    ],
)
def test_who_begins_dtls(role: str, line: str, expected: str) -> None:
    (video,) = sections_of(VIDEO.replace("a=setup:actpass\n", line), role=role)
    assert transport_of(video, [video]).setup == expected


def test_an_answer_decides_who_begins_dtls() -> None:
    (video,) = sections_of(VIDEO, role="answer")
    with pytest.raises(NegotiationError, match='"a=setup:actpass"; wanted was active or passive'):
        transport_of(video, [video])


def test_a_shared_port_is_said_by_the_section_or_by_the_tagged_one() -> None:
    video, data = sections_of()
    assert has_mux([video])
    assert has_mux([data, video])
    assert not has_mux([data])
    (video,) = sections_of(VIDEO.replace("rtcp-mux", "rtcp-mux-only"))
    assert has_mux([video])
