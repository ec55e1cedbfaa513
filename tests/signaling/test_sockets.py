import asyncio
import json
import socket
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from programs import soon

from ballstream.errors import SignalingError
from ballstream.signaling.messages import (
    MAX_LINE,
    Answer,
    Bye,
    Channel,
    Failure,
    Message,
    Offer,
    ask,
    decode,
    encode,
    until_bye,
)
from ballstream.signaling.sockets import connect_tcp, connect_unix, listen_tcp, listen_unix

MESSAGES: list[tuple[Message, dict[str, str]]] = [
    (Offer("v=0"), {"type": "offer", "sdp": "v=0"}),
    (Answer("v=0"), {"type": "answer", "sdp": "v=0"}),
    (Failure("no"), {"type": "error", "message": "no"}),
    (Bye(), {"type": "bye"}),
]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.mark.parametrize(("message", "content"), MESSAGES)
def test_a_message_is_one_line_of_json(message: Message, content: dict[str, str]) -> None:
    line = encode(message)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert json.loads(line) == content
    assert decode(line) == message


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"hello\n",
        b"{}",
        b"[]",
        b'{"type": "offer"}',
        b'{"type": "offer", "sdp": 7}',
        b'{"type": "candidate", "candidate": ""}',
        b'{"sdp": "v=0"}',
        b"\xff\xfe",
        b'{"type": "offer", "sdp": "\xff"}',
        b"[" * 10_000,
        b'{"type": "offer", "sdp": ' + b"[" * 5_000,
    ],
)
def test_anything_else_is_refused(line: bytes) -> None:
    with pytest.raises(SignalingError):
        decode(line)


@given(st.binary(max_size=200))
def test_no_line_raises_anything_but_a_signaling_error(line: bytes) -> None:
    with suppress(SignalingError):
        decode(line)


async def answer(channel: Channel) -> None:
    """The smallest server: answers an offer with what it says, and waits for the bye."""
    offer = await channel.receive()
    assert isinstance(offer, Offer)
    await channel.send(Answer(offer.sdp.upper()))
    await until_bye(channel)


async def test_many_clients_at_once_over_tcp() -> None:
    port = free_port()
    async with (
        listen_tcp("127.0.0.1", port, answer),
        connect_tcp("127.0.0.1", port, 1) as first,
        connect_tcp("127.0.0.1", port, 1) as second,
    ):
        for channel, text in ((second, "b"), (first, "a")):
            assert await soon(ask(channel, Offer(text))) == Answer(text.upper())
            await channel.send(Bye())
            assert await soon(channel.receive()) is None


async def test_over_a_unix_socket_whose_file_goes_with_it(socket_path: Path) -> None:
    async with listen_unix(socket_path, answer), connect_unix(socket_path, 1) as channel:
        assert await soon(ask(channel, Offer("x"))) == Answer("X")
        await channel.send(Bye())
        assert await soon(channel.receive()) is None
    assert not socket_path.exists()


async def test_the_client_may_come_first(socket_path: Path) -> None:
    async def call() -> Answer:
        async with connect_unix(socket_path, 20) as channel:
            return await ask(channel, Offer("x"))

    calling = asyncio.create_task(call())
    await asyncio.sleep(0)
    async with listen_unix(socket_path, answer):
        assert await soon(calling) == Answer("X")


async def test_an_unreachable_server_is_named_with_the_flags_to_look_at() -> None:
    port = free_port()
    with pytest.raises(SignalingError, match=f"127.0.0.1:{port}.*--signaling-port"):
        async with connect_tcp("127.0.0.1", port, 0):
            pass


async def test_a_port_in_use_is_named() -> None:
    port = free_port()
    async with listen_tcp("127.0.0.1", port, answer):
        with pytest.raises(SignalingError, match=r"in use.*--signaling-port"):
            async with listen_tcp("127.0.0.1", port, answer):
                pass


async def test_a_socket_file_in_use_is_left_alone(socket_path: Path) -> None:
    async with listen_unix(socket_path, answer):
        with pytest.raises(SignalingError, match=r"in use.*--signaling-path"):
            async with listen_unix(socket_path, answer):
                pass
        assert socket_path.exists()


async def test_a_socket_file_that_nobody_listens_on_is_replaced(socket_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(socket_path))
    async with listen_unix(socket_path, answer), connect_unix(socket_path, 1) as channel:
        assert await soon(ask(channel, Offer("x"))) == Answer("X")


async def test_a_file_that_is_no_socket_is_left_alone(tmp_path: Path) -> None:
    precious = tmp_path / "thesis.tex"
    precious.write_text("chapter one")
    with pytest.raises(SignalingError, match="not a socket"):
        async with listen_unix(precious, answer):
            pass
    assert precious.read_text() == "chapter one"


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (encode(Failure("the server is full")), "refused: the server is full"),
        (encode(Bye()), "something else"),
        (b"", "hung up"),
        (b"HTTP/1.1 400 Bad Request\r\n", "not a signalling message"),
        (b"x" * (MAX_LINE + 2), "longer than"),
    ],
)
async def test_what_is_no_answer_is_said_so(socket_path: Path, reply: bytes, reason: str) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(reply)
        writer.close()

    server = await asyncio.start_unix_server(serve, socket_path)
    async with connect_unix(socket_path, 1) as channel:
        with pytest.raises(SignalingError, match=reason):
            await soon(ask(channel, Offer("x")))
    server.close()


async def test_nothing_but_blank_lines_ends_the_conversation(socket_path: Path) -> None:
    refused = asyncio.Event()

    async def serve(channel: Channel) -> None:
        with pytest.raises(SignalingError, match="blank lines"):
            await channel.receive()
        refused.set()

    async with listen_unix(socket_path, serve):
        _, writer = await asyncio.open_unix_connection(socket_path)
        writer.write(b"\n" * 1000)
        await soon(refused.wait())
        writer.close()


async def test_the_last_word_arrives_though_something_was_left_unread(socket_path: Path) -> None:
    async def refuse(channel: Channel) -> None:
        await channel.send(Failure("full"))

    async with listen_unix(socket_path, refuse):
        reader, writer = await asyncio.open_unix_connection(socket_path)
        writer.write(b"x" * 100_000)
        assert decode(await soon(reader.read())) == Failure("full")
        writer.close()


async def test_a_peer_that_does_not_read_cannot_hold_the_end_up(socket_path: Path) -> None:
    async def talk(channel: Channel) -> None:
        await channel.send(Failure("x" * 10_000_000))

    async with listen_unix(socket_path, talk):
        _, writer = await asyncio.open_unix_connection(socket_path)
        await asyncio.sleep(0)
    writer.close()


async def test_what_a_server_says_is_cut_short(socket_path: Path) -> None:
    async def refuse(channel: Channel) -> None:
        await channel.receive()
        await channel.send(Failure("x" * 100_000))

    async with listen_unix(socket_path, refuse), connect_unix(socket_path, 1) as channel:
        with pytest.raises(SignalingError) as caught:
            await soon(ask(channel, Offer("x")))
    assert len(str(caught.value)) < 300


async def test_blank_lines_are_passed_over(socket_path: Path) -> None:
    ended = asyncio.Event()

    async def serve(channel: Channel) -> None:
        await until_bye(channel)
        ended.set()

    async with listen_unix(socket_path, serve):
        _, writer = await asyncio.open_unix_connection(socket_path)
        writer.write(b"\n  \n" + encode(Bye()))
        await soon(ended.wait())
        writer.close()
