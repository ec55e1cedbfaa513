"""How offer and answer get across: one JSON object a line, over TCP, a Unix socket or a terminal.

The server listens and takes any number of clients at once; the client connects and offers.
"""

import asyncio
import errno
import socket
import stat
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import msgspec

from ..config import IceServer
from ..errors import BallstreamError, SignalingError

MAX_LINE = 256 * 1024
"""Longest line in bytes; an offer of Chromium's with every codec is under 16 KiB."""

_ROUNDS_TO_ACCEPT = 5
_MOST_BLANK_LINES = 16
_SEND_TIMEOUT, _LINGER = 5.0, 0.5
_FIRST_RETRY, _LONGEST_RETRY = 0.05, 0.5


class Offer(msgspec.Struct, frozen=True, tag_field="type", tag="offer"):
    """Client to server: the client's session description."""

    sdp: str


class Answer(msgspec.Struct, frozen=True, tag_field="type", tag="answer"):
    """Server to client: the server's session description."""

    sdp: str


class Failure(msgspec.Struct, frozen=True, tag_field="type", tag="error"):
    """Server to client: there will be no answer, and why."""

    message: str


class Bye(msgspec.Struct, frozen=True, tag_field="type", tag="bye"):
    """Either to the other: the session is over."""


Message = Offer | Answer | Failure | Bye

_decoder = msgspec.json.Decoder(Message)


def encode(message: Message) -> bytes:
    """The line of a message, with its line end."""
    return msgspec.json.encode(message) + b"\n"


def decode(line: bytes) -> Message:
    """Read a line; raises SignalingError where it is none of the messages."""
    try:
        message: Message = _decoder.decode(line)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise SignalingError(f"that is not a signalling message: {_short(error)}") from None
    return message


class Channel(ABC):
    """A way to and from one peer, for one session."""

    patience: float | None = None
    """Seconds that the peer has for its offer or answer; None where a person has to paste it."""

    ice_servers: tuple[IceServer, ...] = ()
    """What the peer says that one can use to find a way to it."""

    client: int | None = None
    """The number by which the server shows the client at the other end."""

    async def refuse(self, error: BallstreamError) -> None:
        """Tell a client that there will be no answer, and why."""
        await self.send(Failure(str(error)))

    @abstractmethod
    async def send(self, message: Message) -> None:
        """Send a message; one that can no longer be delivered is dropped."""

    @abstractmethod
    async def receive(self) -> Message | None:
        """The next message, or None at the end; raises SignalingError for anything else."""


Handler = Callable[[Channel], Awaitable[None]]


class StreamChannel(Channel):
    """A channel over a connected socket."""

    patience = 10.0

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, message: Message) -> None:
        with suppress(OSError):  # a TimeoutError is one, too
            self._writer.write(encode(message))
            async with asyncio.timeout(_SEND_TIMEOUT):
                await self._writer.drain()

    async def receive(self) -> Message | None:
        line = await read_line(self._reader)
        return decode(line) if line else None

    async def close(self) -> None:
        """Hang up, after the peer could read what was said last."""
        with suppress(OSError):
            async with asyncio.timeout(_LINGER):
                # A socket that is closed with something unread takes back what was sent on it.
                self._writer.write_eof()
                while await self._reader.read(MAX_LINE):
                    pass
        self._writer.transport.abort()


async def read_line(reader: asyncio.StreamReader) -> bytes:
    """The next line that is not blank, or nothing at the end of the stream."""
    for _ in range(_MOST_BLANK_LINES):
        try:
            line = await reader.readline()
        except ValueError:
            raise SignalingError(f"a line is longer than {MAX_LINE} bytes") from None
        except OSError:
            return b""
        if not line or line.strip():
            return line
    raise SignalingError("nothing but blank lines came")


def _short(text: object) -> str:
    return f"{text!s:.200}"


async def ask(channel: Channel, offer: Offer) -> Answer:
    """Send an offer and wait for the answer; raises SignalingError where there is none."""
    await channel.send(offer)
    try:
        async with asyncio.timeout(channel.patience):
            message = await channel.receive()
    except TimeoutError:
        raise SignalingError(
            f"no answer within {channel.patience:g} s: does a ballstream-server listen there?"
        ) from None
    match message:
        case Answer():
            return message
        case Failure(reason):
            raise SignalingError(f"the server refused: {_short(reason)}")
        case None:
            raise SignalingError("the server hung up before it answered")
        case _:
            raise SignalingError("the server sent something else than an answer")


async def until_bye(channel: Channel) -> None:
    """Return at the peer's goodbye; a peer that only hangs up may go on with its media.

    Raises SignalingError for any other message.
    """
    message = await channel.receive()
    if message is None:
        await asyncio.Event().wait()
    if not isinstance(message, Bye):
        raise SignalingError("after offer and answer there is only the bye")


@asynccontextmanager
async def listen_tcp(host: str, port: int, handler: Handler) -> AsyncIterator[None]:
    """Call `handler` with a channel for each client that connects, while the context lasts.

    A handler that is still running at the end of the context is cancelled.
    """
    handlers = _Handlers(handler)
    try:
        server = await asyncio.start_server(handlers.start, host, port, limit=MAX_LINE)
    except OSError as error:
        raise SignalingError(_cannot_listen(f"{host}:{port}", error, "--signaling-port")) from None
    async with _open(server, handlers):
        yield


@asynccontextmanager
async def listen_unix(path: Path, handler: Handler) -> AsyncIterator[None]:
    """The same on a Unix socket, whose file is made for the context and removed after it."""
    await _remove_stale(path)
    handlers = _Handlers(handler)
    try:
        server = await asyncio.start_unix_server(handlers.start, path, limit=MAX_LINE)
    except OSError as error:
        raise SignalingError(_cannot_listen(str(path), error, "--signaling-path")) from None
    try:
        async with _open(server, handlers):
            yield
    finally:
        path.unlink(missing_ok=True)


@asynccontextmanager
async def connect_tcp(host: str, port: int, patience: float) -> AsyncIterator[Channel]:
    """A channel to the server, which is tried for at most `patience` seconds."""
    hint = "is ballstream-server running there? See --signaling-host, --signaling-port and --wait"
    async with _connected(
        lambda: asyncio.open_connection(host, port, limit=MAX_LINE),
        patience,
        f"{host}:{port}",
        hint,
    ) as channel:
        yield channel


@asynccontextmanager
async def connect_unix(path: Path, patience: float) -> AsyncIterator[Channel]:
    """The same over a Unix socket."""
    hint = "is ballstream-server running with this --signaling-path? See also --wait"
    async with _connected(
        lambda: asyncio.open_unix_connection(path, limit=MAX_LINE), patience, str(path), hint
    ) as channel:
        yield channel


_Opened = Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]


@asynccontextmanager
async def _connected(
    connect: Callable[[], _Opened], patience: float, place: str, hint: str
) -> AsyncIterator[Channel]:
    channel = StreamChannel(*await _persist(connect, patience, place, hint))
    try:
        yield channel
    finally:
        await channel.close()


async def _persist(
    connect: Callable[[], _Opened], patience: float, place: str, hint: str
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Try to connect until it works; raises SignalingError when the time is up."""
    reason: OSError | str = "no reply"
    pause = _FIRST_RETRY
    try:
        async with asyncio.timeout(max(patience, _FIRST_RETRY)):
            while True:
                try:
                    return await connect()
                except OSError as error:
                    reason = error.strerror or str(error)
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_RETRY)
    except TimeoutError:
        raise SignalingError(
            f"no server at {place} after {patience:g} s ({reason}): {hint}"
        ) from None


class _Handlers:
    """The handlers of a listening socket, each in a task that ends with the listening."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._tasks: dict[asyncio.Task[None], StreamChannel] = {}

    def start(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a client that has connected."""
        channel = StreamChannel(reader, writer)
        task = asyncio.create_task(self._serve(channel))
        self._tasks[task] = channel
        task.add_done_callback(self._tasks.pop)

    async def _serve(self, channel: StreamChannel) -> None:
        try:
            await self._handler(channel)
        finally:
            await channel.close()

    async def end(self) -> None:
        """Cancel what still runs, and wait for it."""
        running = dict(self._tasks)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        for channel in running.values():  # a task that had not begun has closed nothing
            await channel.close()


@asynccontextmanager
async def _open(server: asyncio.Server, handlers: _Handlers) -> AsyncIterator[None]:
    try:
        yield
    finally:
        # A connection that the loop is just accepting when the server closes stays open for ever.
        for _ in range(_ROUNDS_TO_ACCEPT):
            await asyncio.sleep(0)
        server.close()
        await handlers.end()


def _cannot_listen(place: str, error: OSError, flag: str) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"{place} is in use already: stop the other program or choose another {flag}"
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        flag = "--signaling-host"
    return f"cannot listen on {place} ({error.strerror or error}): choose another {flag}"


async def _remove_stale(path: Path) -> None:
    """Remove a socket file that nobody listens on; raises SignalingError if somebody does."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return
    if not stat.S_ISSOCK(mode):
        raise SignalingError(f"{path} exists and is not a socket: choose another --signaling-path")
    try:
        _, writer = await asyncio.open_unix_connection(path)
    except OSError:
        path.unlink(missing_ok=True)
        return
    writer.close()
    busy = OSError(errno.EADDRINUSE, "in use")
    raise SignalingError(_cannot_listen(str(path), busy, "--signaling-path"))
