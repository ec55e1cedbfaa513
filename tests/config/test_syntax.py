import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ballstream.config import MAX_BITRATE, MIN_BITRATE, Address, IceServer, Secret
from ballstream.config import syntax as syntaxes
from ballstream.config.syntax import (
    ADDRESS,
    BITRATE,
    HTTP_URL,
    ICE_SERVER,
    IP_ADDRESS,
    NAME,
    SIZE,
    TOKEN,
    Syntax,
)

ALL = [each for each in vars(syntaxes).values() if isinstance(each, Syntax)]


@given(
    st.integers(80, 960).map(lambda half: 2 * half), st.integers(60, 540).map(lambda half: 2 * half)
)
def test_a_size_is_read_as_written(width: int, height: int) -> None:
    assert SIZE.read(SIZE.write((width, height))) == (width, height)
    assert SIZE.read(f"{width}X{height}") == (width, height)


@given(st.integers(MIN_BITRATE, MAX_BITRATE))
def test_a_bitrate_is_read_as_written(bitrate: int) -> None:
    assert BITRATE.read(BITRATE.write(bitrate)) == bitrate
    assert BITRATE.read(str(bitrate)) == bitrate


@pytest.mark.parametrize(
    ("text", "bitrate"),
    [("1M", 1_000_000), ("1.5m", 1_500_000), ("800k", 800_000), ("2e5", 200_000)],
)
def test_bitrates(text: str, bitrate: int) -> None:
    assert BITRATE.read(text) == bitrate


def test_bitrates_are_written_short() -> None:
    assert [BITRATE.write(each) for each in (1_000_000, 1_500_000, 200_001)] == [
        "1M",
        "1500k",
        "200001",
    ]


@given(
    st.one_of(st.ip_addresses().map(str), st.from_regex(r"[a-z.-]+", fullmatch=True)),
    st.integers(0, 65535),
)
def test_an_address_is_read_as_written(host: str, port: int) -> None:
    assert ADDRESS.read(ADDRESS.write(Address(host, port))) == Address(host, port)


@given(st.from_regex(r"[!-~]+", fullmatch=True))
def test_a_token_is_read_as_written_and_shown_to_nobody(text: str) -> None:
    token = TOKEN.read(text)
    assert token == text
    assert repr(token) == "'(secret)'"


@given(st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=64))
def test_a_name_is_what_can_be_printed(text: str) -> None:
    assert NAME.read(text) == text


@pytest.mark.parametrize("text", ["", 65 * "x", "a\tb", "\x1b[2J", "\u202egnp"])
def test_what_is_no_name(text: str) -> None:
    with pytest.raises(ValueError, match="1 to 64 printable characters"):
        NAME.read(text)


@pytest.mark.parametrize(
    ("text", "server"),
    [
        ("stun:a.example", IceServer("stun:a.example")),
        ("stun:[::1]:3478", IceServer("stun:[::1]:3478")),
        ("turn:me:pw@a.example", IceServer("turn:a.example", "me", Secret("pw"))),
        (
            "turns:m%40e:p%3Aw@a.example:1?transport=tcp",
            IceServer("turns:a.example:1?transport=tcp", "m@e", Secret("p:w")),
        ),
    ],
)
def test_ice_servers(text: str, server: IceServer) -> None:
    assert ICE_SERVER.read(text) == server


@pytest.mark.parametrize(
    "text",
    [
        "http://a.example", "stun:", "stun:a?transport=udp", "stun:a:0", "stun:a:65536", "stun:a:x",
        "turn:me:s3same@a?transport=sctp", "turn:me:s3same@a b", "turn:me:s3same@", "stun:a:\u0663",
        "stun:a:" + 9999 * "9",
    ],
)  # fmt: skip
def test_what_is_no_ice_server(text: str) -> None:
    with pytest.raises(ValueError, match="not like stun:host:3478") as error:
        ICE_SERVER.read(text)
    assert "s3same" not in str(error.value)


@pytest.mark.parametrize("text", ["turn:a.example", "turn:me@a.example", "turn::s3same@a.example"])
def test_a_turn_server_needs_credentials(text: str) -> None:
    with pytest.raises(ValueError, match="needs credentials") as error:
        ICE_SERVER.read(text)
    assert "s3same" not in str(error.value)


def test_urls_and_ip_addresses() -> None:
    assert HTTP_URL.read("https://a.example/whep") == "https://a.example/whep"
    assert IP_ADDRESS.read("2001:DB8::1") == "2001:db8::1"
    with pytest.raises(ValueError, match="use --token"):
        HTTP_URL.read("https://me:pw@a.example/")


def refusal_of(syntax: Syntax[object], text: str) -> str | None:
    try:
        syntax.read(text)
    except ValueError as error:
        return str(error)
    return None


@given(st.sampled_from(ALL), st.text())
def test_whatever_is_not_read_is_refused_in_words(syntax: Syntax[object], text: str) -> None:
    refusal = refusal_of(syntax, text)
    assert refusal is None or re.search(
        r"is not|are not|not like|must be|needs|is of|use -|>>.*<<: \w", refusal, re.DOTALL
    )
