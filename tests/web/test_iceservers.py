"""Link headers: what we write is read, and what others write, too."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ballstream.config import IceServer, Secret
from ballstream.web.iceservers import MAX_SERVERS, link, servers

TURN = IceServer("turn:turn.example:3478?transport=udp", "robot", Secret("arm"))


def test_a_stun_server() -> None:
    assert link(IceServer("stun:stun.example:3478")) == '<stun:stun.example:3478>; rel="ice-server"'


def test_a_turn_server_with_its_credentials() -> None:
    assert link(TURN) == (
        '<turn:turn.example:3478?transport=udp>; rel="ice-server"; username="robot"; '
        'credential="arm"; credential-type="password"'
    )


@given(
    user=st.text(st.characters(codec="ascii", min_codepoint=32), min_size=1),
    password=st.text(st.characters(codec="ascii", min_codepoint=32), min_size=1),
)
def test_what_is_written_is_read(user: str, password: str) -> None:
    server = IceServer("turns:turn.example", user, Secret(password))
    assert servers([link(server), link(TURN)]) == (server, TURN)


@pytest.mark.parametrize(
    ("value", "urls"),
    [
        ('<stun:a.example>; rel="ice-server", <stun:b.example>; rel=ice-server', ["a", "b"]),
        ('<stun:a.example> ; REL="ice-server"', ["a"]),
        ('<https://a.example/next>; rel="next"', []),
        ('<https://a.example>; rel="ice-server"', []),
        ('<turn:user@a.example>; rel="ice-server"', []),
        ("stun:a.example", []),
        ("", []),
    ],
)
def test_what_others_write(value: str, urls: list[str]) -> None:
    assert [each.url for each in servers([value])] == [f"stun:{name}.example" for name in urls]


@given(st.lists(st.text()))
def test_whatever_stands_there_is_no_error(values: list[str]) -> None:
    assert len(servers(values)) <= MAX_SERVERS


def test_no_more_than_a_few() -> None:
    assert len(servers(['<stun:a.example>; rel="ice-server"'] * 100)) == MAX_SERVERS


def test_a_credential_does_not_show_in_what_is_printed() -> None:
    assert "arm" not in repr(TURN)
