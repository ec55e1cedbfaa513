"""Signalling over TCP and Unix sockets.

The server listens and takes any number of clients at once; the client connects and offers.
"""

import asyncio
import errno
import socket
import stat
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from ..errors import SignalingError
from .messages import MAX_LINE, Channel, Handler, Message, decode, encode, read_line

_ROUNDS_TO_ACCEPT = 5
_SEND_TIMEOUT, _LINGER = 5.0, 0.5
_FIRST_RETRY, _LONGEST_RETRY = 0.05, 0.5


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
