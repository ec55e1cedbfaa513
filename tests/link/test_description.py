"""The grammar of descriptions, its limits, and that no text whatever does harm."""

import random

import pytest
from aiortc.sdp import SessionDescription
from hypothesis import given, settings
from hypothesis import strategies as st
from offers import AUDIO, BUNDLE, DATA, VIDEO, offer

from ballstream.errors import NegotiationError
from ballstream.link.description import (
    MAX_CANDIDATES,
    MAX_LINES,
    MAX_SECTIONS,
    both,
    number,
    parse,
    quoted,
    reverse,
)
from ballstream.link.description_answer import read_answer
from ballstream.link.description_offer import read_offer, readable

LINES = sorted(set(offer(VIDEO, DATA, AUDIO).split("\r\n")))


def test_a_section_knows_what_stands_in_it_and_what_in_the_session() -> None:
    description = parse(
        offer(VIDEO, DATA, session=f"{BUNDLE}a=recvonly\na=ice-options:trickle\n"), "offer"
    )
    video, data = description.sections
    assert (video.kind, video.port, video.protocol, video.mid) == (
        "video",
        9,
        "UDP/TLS/RTP/SAVPF",
        "0",
    )
    assert video.formats == ("96", "97", "102")
    assert video.bundle == data.bundle == ("0", "1")
    assert data.values("sctp-port") == ["5000"]
    assert data.values("ice-options") == ["trickle"]
    assert data.values("no-such") == ()
    assert data.direction == "recvonly"
    assert video.name == 'section "video" (mid "0")'


def test_a_section_without_a_mid_is_named_by_its_number() -> None:
    (section,) = parse(offer(VIDEO.replace("a=mid:0\n", "")), "offer").sections
    assert section.name == 'section "video" (number 1)'


def test_a_mid_belongs_to_one_bundle() -> None:
    sdp = offer(session="a=group:BUNDLE 0 0 9\na=group:BUNDLE 1 0\na=group:LS 0 1\na=group:\n")
    assert parse(sdp, "offer").bundles == (("0",), ("1",))


@pytest.mark.parametrize(
    ("sdp", "words"),
    [
        (offer(*[DATA.replace("mid:1", "x:1")] * (MAX_SECTIONS + 1)), "media sections"),
        (offer(VIDEO, DATA + "a=candidate:\n" * MAX_CANDIDATES), "has more than 64 candidates"),
        (offer(VIDEO, "a=x\n" * MAX_LINES), "longer than any that makes sense"),
    ],
)
def test_what_is_unreasonably_large_is_refused(sdp: str, words: str) -> None:
    with pytest.raises(NegotiationError, match=words):
        parse(sdp, "offer")


def test_what_a_peer_wrote_is_shown_in_one_short_line() -> None:
    assert quoted("a=mid:x") == '"a=mid:x"'
    assert quoted("a\0b" + "c" * 100) == '"a b' + "c" * 57 + '..."'


@pytest.mark.parametrize(
    ("text", "expected"),
    [("0", 0), ("99", 99), ("100", None), ("-1", None), ("", None), ("٣", None), ("1 ", None)],
)
def test_numbers(text: str, expected: int | None) -> None:
    assert number(text, 99) == expected


def test_directions() -> None:
    assert [reverse(each) for each in ("sendonly", "recvonly", "sendrecv", "inactive")] == [
        "recvonly",
        "sendonly",
        "sendrecv",
        "inactive",
    ]
    assert both("sendrecv", "recvonly") == "recvonly"
    assert both("sendonly", "recvonly") == "inactive"


def read(text: str) -> str:
    """What aiortc would be given for an offer, which it must be able to read."""
    sdp = readable(read_offer(text)).sdp
    SessionDescription.parse(sdp)
    return sdp


def endure(text: str) -> None:
    """Read a text as an offer and as an answer: nothing else comes of it than a refusal."""
    for role in (read, lambda text: SessionDescription.parse(read_answer(text, offer()).sdp)):
        refusal = ""
        try:
            role(text)
        except NegotiationError as error:
            refusal = str(error)
        assert "\n" not in refusal
        assert len(refusal) < 300


@settings(deadline=None)
@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    endure(text)


@settings(deadline=None)
@given(st.lists(st.one_of(st.sampled_from(LINES), st.text(max_size=20)), max_size=60))
def test_any_lines_are_read_or_refused(lines: list[str]) -> None:
    endure("\r\n".join(["v=0", *lines]))


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """An offer with characters of it gone, doubled or replaced."""
    text = offer(VIDEO, DATA, AUDIO, session="a=group:BUNDLE 0 1 2\n")
    for _ in range(draw(st.integers(1, 5))):
        at = draw(st.integers(0, len(text)))
        cut = draw(st.integers(0, 12))
        text = text[:at] + draw(st.text(max_size=6)) + text[at + cut :]
    return text


@settings(max_examples=300, deadline=None)
@given(damaged())
def test_a_damaged_description_is_read_or_refused(text: str) -> None:
    endure(text)


SPELLED = offer(VIDEO, DATA, AUDIO, session="a=group:BUNDLE 0 1 2\n")


@st.composite
def respelled(draw: st.DrawFn) -> str:
    """A legal other spelling of the same offer."""
    dice = random.Random(draw(st.integers(0, 1 << 30)))
    head, *blocks = SPELLED.replace("\r\n", "\n").split("m=")
    shared = draw(st.sets(st.sampled_from(["ice-ufrag", "ice-pwd", "fingerprint", "setup"])))
    tagged_only = draw(st.booleans())
    session = head.splitlines()
    written = []
    for index, block in enumerate(blocks):
        media, *lines = block.splitlines()
        for name in ("ice-ufrag", "ice-pwd", "fingerprint", "setup"):
            own = [each for each in lines if each.startswith(f"a={name}:")]
            if name in shared:
                session += own if index == 0 else []
            if name in shared or (index and tagged_only):
                lines = [each for each in lines if each not in own]
        if index and tagged_only:
            lines = [each for each in lines if not each.startswith("a=candidate")]
        if index == 0 and draw(st.booleans()):
            lines.remove("a=recvonly")
            session.append("a=recvonly")
        lines += draw(st.sampled_from([[], ["b=AS:500"], ["a=rtcp-rsize", "a=foo:bar"]]))
        dice.shuffle(lines)
        written += [f"m={media}", *lines]
    session, attributes = session[:4], session[4:]
    dice.shuffle(attributes)
    text = draw(st.sampled_from(["\n", "\r\n"])).join([*session, *attributes, *written, ""])
    for plain, other in (
        ("VP8/", "vp8/"),
        ("apt=96", " apt = 96"),
        (";", " ; "),
        ("a=setup:actpass", "a=setup:ACTPASS"),
        (" udp ", " UDP "),
        ("sha-256", "SHA-256"),
        ("nack pli", "nack  pli"),
        ("a=extmap:4 ", "a=extmap:4/sendrecv "),
        ("hdrext:sdes:mid", "hdrext:sdes:mid with attributes"),
        ("profile-level-id=42e01f", "profile-level-id=42E034"),
        ("o 9 UDP", "o 9/1 UDP"),
        ("typ host", "typ host generation 0 network-cost 999"),
    ):
        if draw(st.booleans()):
            text = text.replace(plain, other)
    return text


@settings(max_examples=300, deadline=None)
@given(respelled())
def test_all_legal_spellings_are_the_same_session(text: str) -> None:
    assert read(text) == read(SPELLED)
