import asyncio
import contextlib
import gc
import os
import re
import resource
import socket
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
from programs import soon

from ballstream.errors import BallstreamError, InternalFailure, SignalingError
from ballstream.signaling.messages import (
    MAX_LINE,
    Accept,
    Answer,
    Bye,
    Exchange,
    Failure,
    IncomingOffer,
    Offer,
    decode,
    encode,
)
from ballstream.signaling.sockets import connect_tcp, connect_unix, listen_tcp, listen_unix


def nobody_refused(error: BallstreamError) -> None:
    raise AssertionError(error)


async def answer(offer: IncomingOffer) -> None:
    """The smallest server: answers an offer with what it says, and waits for the bye."""
    await offer.answer(offer.sdp.upper())
    await offer.gone.wait()
    await offer.goodbye()


class Way:
    """One of the two kinds of sockets."""

    def __init__(self, tcp: bool, folder: Path) -> None:
        self.path = None if tcp else folder / "socket"

    def listen(
        self, accept: Accept, refused: Callable[[BallstreamError], None] = nobody_refused
    ) -> AbstractAsyncContextManager[str]:
        if self.path is None:
            return listen_tcp("127.0.0.1", 0, accept, refused)
        return listen_unix(self.path, accept, refused)

    def connect(self, address: str) -> AbstractAsyncContextManager[Exchange]:
        if self.path is None:
            return connect_tcp("127.0.0.1", int(address.rpartition(":")[2]), 1)
        return connect_unix(self.path, 1)

    @asynccontextmanager
    async def raw(
        self, address: str
    ) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        if self.path is None:
            port = int(address.rpartition(":")[2])
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        else:
            reader, writer = await asyncio.open_unix_connection(self.path)
        try:
            yield reader, writer
        finally:
            writer.close()


@pytest.fixture(params=["tcp", "unix"])
def way(request: pytest.FixtureRequest, tmp_path: Path) -> Way:
    return Way(request.param == "tcp", tmp_path)


@pytest.fixture
def elsewhere() -> Iterator[Path]:
    """A folder that every user may enter."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


async def test_many_clients_at_once(way: Way) -> None:
    async with (
        way.listen(answer) as address,
        way.connect(address) as first,
        way.connect(address) as second,
    ):
        for exchange, text in ((second, "b"), (first, "a")):
            assert await soon(exchange.exchange(text)) == text.upper()
            await exchange.goodbye()
            await soon(exchange.gone.wait())


async def test_the_address_is_the_real_one(tmp_path: Path) -> None:
    async with listen_tcp("127.0.0.1", 0, answer, nobody_refused) as address:
        assert re.fullmatch(r"tcp://127\.0\.0\.1:[1-9]\d*", address)
    async with listen_unix(tmp_path / "x", answer, nobody_refused) as address:
        assert address == f"unix:{tmp_path / 'x'}"


async def test_an_address_in_brackets_is_one_without() -> None:
    async with listen_tcp("[::1]", 0, answer, nobody_refused) as address:
        assert address.startswith("tcp://[::1]:")
        async with connect_tcp("[::1]", int(address.rpartition(":")[2]), 1) as exchange:
            assert await soon(exchange.exchange("x")) == "X"


async def test_the_name_goes_with_the_offer(way: Way) -> None:
    async def greet(offer: IncomingOffer) -> None:
        await offer.answer(f"hello {offer.name}")

    async with way.listen(greet) as address, way.connect(address) as exchange:
        assert await soon(exchange.exchange("x", "arm")) == "hello arm"


async def test_the_file_goes_with_the_socket(socket_path: Path) -> None:
    async with listen_unix(socket_path, answer, nobody_refused):
        assert socket_path.is_socket()
    assert not socket_path.exists()


async def test_the_client_may_come_first(socket_path: Path) -> None:
    async def call() -> str:
        async with connect_unix(socket_path, 20) as exchange:
            return await exchange.exchange("x")

    calling = asyncio.create_task(call())
    await asyncio.sleep(0)
    async with listen_unix(socket_path, answer, nobody_refused):
        assert await soon(calling) == "X"


async def test_an_unreachable_server_is_named_with_the_flags_to_look_at() -> None:
    async with listen_tcp("127.0.0.1", 0, answer, nobody_refused) as address:
        port = int(address.rpartition(":")[2])
    with pytest.raises(
        SignalingError, match=rf"127.0.0.1:{port} .*\(Connection refused\).*--signaling-port"
    ):
        async with connect_tcp("127.0.0.1", port, 0):
            pass


async def test_a_port_in_use_is_named() -> None:
    async with listen_tcp("127.0.0.1", 0, answer, nobody_refused) as address:
        port = int(address.rpartition(":")[2])
        with pytest.raises(SignalingError, match=r"in use.*--signaling-port"):
            async with listen_tcp("127.0.0.1", port, answer, nobody_refused):
                pass


@pytest.mark.parametrize(
    ("host", "text"),
    [
        ("203.0.113.7", r"203\.0\.113\.7:1 \(Cannot assign .*another --signaling-host"),
        ("[2001:db8::7]", r"\[2001:db8::7\]:1 \(Cannot assign .*another --signaling-host"),
    ],
)
async def test_an_address_that_is_not_here(host: str, text: str) -> None:
    with pytest.raises(SignalingError, match=text):
        async with listen_tcp(host, 1, answer, nobody_refused):
            pass


async def test_what_fails_while_listening_is_no_failure_to_listen(way: Way) -> None:
    with pytest.raises(OSError, match="of the caller's own"):
        async with way.listen(answer):
            raise OSError("of the caller's own")


@contextlib.contextmanager
def no_more_files() -> Iterator[None]:
    """Let this process open no further file."""
    gc.collect()  # else what earlier tests left might be closed meanwhile
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest_free = os.dup(0)
    os.close(lowest_free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


async def test_too_many_open_files_are_not_taken_for_nobody(way: Way) -> None:
    async with way.listen(answer) as address:
        with no_more_files(), pytest.raises(SignalingError, match="Too many open files"):
            async with way.connect(address):
                pass
    with no_more_files(), pytest.raises(SignalingError, match=r"\(Too many open files\)$"):
        async with way.listen(answer):
            pass


async def test_a_socket_file_in_use_is_left_alone(socket_path: Path) -> None:
    async with listen_unix(socket_path, answer, nobody_refused):
        with pytest.raises(SignalingError, match=r"in use.*--signaling-path"):
            async with listen_unix(socket_path, answer, nobody_refused):
                pass
        assert socket_path.exists()


async def test_a_server_that_is_too_busy_to_take_us_is_there(socket_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as busy, socket.socket(socket.AF_UNIX) as waiting:
        busy.bind(str(socket_path))
        busy.listen(0)
        waiting.connect(str(socket_path))
        with pytest.raises(SignalingError, match=r"in use.*--signaling-path"):
            async with listen_unix(socket_path, answer, nobody_refused):
                pass
        assert socket_path.exists()


async def test_a_socket_file_that_nobody_listens_on_is_replaced(socket_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(socket_path))
    async with (
        listen_unix(socket_path, answer, nobody_refused),
        connect_unix(socket_path, 1) as exchange,
    ):
        assert await soon(exchange.exchange("x")) == "X"


async def test_the_file_of_a_second_server_survives_the_end_of_the_first(
    socket_path: Path,
) -> None:
    async with listen_unix(socket_path, answer, nobody_refused):
        socket_path.unlink()
        second = listen_unix(socket_path, answer, nobody_refused)
        await second.__aenter__()
    async with connect_unix(socket_path, 0) as exchange:
        assert await soon(exchange.exchange("x")) == "X"
    await second.__aexit__(None, None, None)
    assert not socket_path.exists()


@contextlib.contextmanager
def as_somebody_else() -> Iterator[None]:
    """Be a user who may do nothing here, where we may do everything."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


async def test_a_socket_of_another_user_is_not_taken_for_stale(elsewhere: Path) -> None:
    path = elsewhere / "socket"
    async with listen_unix(path, answer, nobody_refused):
        path.chmod(0)
        elsewhere.chmod(0o777)
        with as_somebody_else():
            with pytest.raises(SignalingError, match=r"may not connect to.*--signaling-path"):
                async with listen_unix(path, answer, nobody_refused):
                    pass
            with pytest.raises(SignalingError, match="this user may not connect to"):
                async with connect_unix(path, 30):
                    pass
        assert path.is_socket()


async def test_a_file_that_is_no_socket_is_left_alone(tmp_path: Path) -> None:
    precious = tmp_path / "thesis.tex"
    precious.write_text("chapter one")
    with pytest.raises(SignalingError, match="not a socket"):
        async with listen_unix(precious, answer, nobody_refused):
            pass
    assert precious.read_text() == "chapter one"


async def test_a_server_that_hangs_up_is_not_one_that_is_silent(socket_path: Path) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.close()

    server = await asyncio.start_unix_server(serve, socket_path)
    async with connect_unix(socket_path, 1) as exchange:
        with pytest.raises(SignalingError, match="hung up"):
            await soon(exchange.exchange("x"))
    server.close()


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (b"\n" * 1000, "nothing but blank lines"),
        (b"hello\n", "not a signalling message"),
        (b"x" * (MAX_LINE + 100_000), "longer than"),
        (encode(Bye()) * 2, "the first message must be an offer"),
        (encode(Offer("v=0", "x" * 65)), "64 printable characters"),
    ],
)
async def test_who_makes_no_offer_is_told_why_and_so_are_we(
    way: Way, said: bytes, reason: str
) -> None:
    refused: list[str] = []
    async with (
        way.listen(answer, lambda error: refused.append(str(error))) as address,
        way.raw(address) as (reader, writer),
    ):
        writer.write(said)
        failure = decode(await soon(reader.read()))
    assert isinstance(failure, Failure)
    assert reason in failure.message
    assert refused == [failure.message]


async def test_who_hangs_up_without_a_word_is_no_refusal(way: Way) -> None:
    async with way.listen(answer) as address, way.raw(address) as (reader, writer):
        writer.write_eof()
        assert await soon(reader.read()) == b""


async def test_a_client_too_many_is_told_so(socket_path: Path) -> None:
    refused: list[str] = []
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(
            listen_unix(socket_path, answer, lambda error: refused.append(str(error)))
        )
        for _ in range(64):
            _, writer = await asyncio.open_unix_connection(socket_path)
            stack.callback(writer.close)
        async with connect_unix(socket_path, 1) as exchange:
            with pytest.raises(SignalingError, match="refused: too many clients wait here"):
                await soon(exchange.exchange("x"))
    assert refused == ["too many clients wait here; try again"]


async def test_who_has_made_an_offer_does_not_wait_any_more(socket_path: Path) -> None:
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(listen_unix(socket_path, answer, nobody_refused))
        for _ in range(70):
            reader, writer = await asyncio.open_unix_connection(socket_path)
            stack.callback(writer.close)
            writer.write(encode(Offer("x")))
            assert decode(await soon(reader.readline())) == Answer("X")


async def test_the_last_word_arrives_though_something_was_left_unread(way: Way) -> None:
    async def refuse(offer: IncomingOffer) -> None:
        await offer.refuse(BallstreamError("full"))

    async with way.listen(refuse) as address, way.raw(address) as (reader, writer):
        writer.write(encode(Offer("x")) + b"x" * 100_000)
        assert decode(await soon(reader.read())) == Failure("full")


async def test_who_only_ends_its_own_half_is_answered(way: Way) -> None:
    async def reply(offer: IncomingOffer) -> None:
        await offer.answer("y")

    async with way.listen(reply) as address, way.raw(address) as (reader, writer):
        writer.write(encode(Offer("x")))
        writer.write_eof()
        assert await soon(reader.read()) == b'{"type":"answer","sdp":"y"}\n'


async def test_a_peer_that_does_not_read_cannot_hold_the_end_up(way: Way) -> None:
    began = asyncio.Event()

    async def talk(offer: IncomingOffer) -> None:
        began.set()
        await offer.refuse(BallstreamError("x" * 10_000_000))

    async with way.listen(talk) as address, way.raw(address) as (_, writer):
        writer.write(encode(Offer("x")))
        await soon(began.wait())


async def test_an_end_that_comes_first_ends_the_sessions(way: Way) -> None:
    cancelled = asyncio.Event()

    async def stay(offer: IncomingOffer) -> None:
        await offer.answer("y")
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    async with way.listen(stay) as address, way.connect(address) as exchange:
        assert await soon(exchange.exchange("x")) == "y"
    assert cancelled.is_set()


async def test_that_we_fail_to_read_an_offer_is_told_and_said(
    socket_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(_: object) -> None:
        raise ValueError("no")

    monkeypatch.setattr("ballstream.signaling.sockets.read_offer", broken)
    refused: list[BallstreamError] = []
    async with (
        listen_unix(socket_path, answer, refused.append),
        connect_unix(socket_path, 1) as exchange,
    ):
        with pytest.raises(SignalingError, match=r"itself failed while reading an offer \(Val"):
            await soon(exchange.exchange("x"))
    assert [type(each) for each in refused] == [InternalFailure]


async def test_what_fails_beside_an_offer_is_left_to_the_event_loop(socket_path: Path) -> None:
    heard: asyncio.Queue[dict[str, object]] = asyncio.Queue()
    asyncio.get_running_loop().set_exception_handler(lambda _, context: heard.put_nowait(context))

    async def accept(_: IncomingOffer) -> None:
        raise KeyError("no")

    async with (
        listen_unix(socket_path, accept, nobody_refused),
        connect_unix(socket_path, 1) as exchange,
    ):
        with pytest.raises(SignalingError, match="hung up"):
            await soon(exchange.exchange("x"))
        assert isinstance((await soon(heard.get()))["exception"], KeyError)
    assert heard.empty()


async def test_a_path_that_no_socket_can_have_is_not_tried_again(tmp_path: Path) -> None:
    path = tmp_path / (108 * "x")
    with pytest.raises(SignalingError, match="more than the 107 bytes"):
        async with asyncio.timeout(1), connect_unix(path, 30):
            pass
