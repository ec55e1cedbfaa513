"""Signalling over TCP and Unix sockets.

The server listens and takes any number of clients at once; the client connects and offers.
"""

import asyncio
import errno
import os
import socket
import stat
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

from ..beside import hand_over
from ..config import Address
from ..errors import SignalingError, Unavailable
from .lines import LineOffer, Lines, exchanging, read_offer, turn_away
from .messages import MAX_LINE, Accept, Exchange, Message, Refused, encode
from .retry import persist, reason_of

_PATIENCE = 10.0
_MOST_WAITING = 64
_ROUNDS_TO_ACCEPT = 5
_SEND_TIMEOUT, _LINGER = 5.0, 0.5

LONGEST_PATH = 107
"""Bytes in the path of a Unix socket; see unix(7)."""

_WRONG_HOST = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}

_Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class SocketLines(Lines):
    """Lines over a connected socket."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        super().__init__(reader, _PATIENCE)
        self._writer = writer

    async def send(self, message: Message) -> None:
        with suppress(OSError):  # a TimeoutError is one, too
            self._writer.write(encode(message))
            async with asyncio.timeout(_SEND_TIMEOUT):
                await self._writer.drain()

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
async def connect_tcp(host: str, port: int, patience: float) -> AsyncIterator[Exchange]:
    """The client's side with a server that is tried for at most `patience` seconds.

    An IPv6 address may stand in brackets. Raises SignalingError where there is no server.
    """
    address = _address(host, port)
    hint = "is ballstream-server running there? See --signaling-host, --signaling-port and --wait"

    def connect() -> Awaitable[_Streams]:
        return asyncio.open_connection(address.host, port, limit=MAX_LINE)

    async with _connected(connect, patience, str(address), hint) as exchange:
        yield exchange


@asynccontextmanager
async def connect_unix(path: Path, patience: float) -> AsyncIterator[Exchange]:
    """The same over a Unix socket."""
    if len(os.fsencode(path)) > LONGEST_PATH:  # no time would mend that
        raise SignalingError(
            f"{path} has more than the {LONGEST_PATH} bytes that the path of a socket may have: "
            "choose another --signaling-path, in the server, too"
        )
    hint = "is ballstream-server running with this --signaling-path? See also --wait"

    def connect() -> Awaitable[_Streams]:
        return asyncio.open_unix_connection(path, limit=MAX_LINE)

    async with _connected(connect, patience, str(path), hint) as exchange:
        yield exchange


@asynccontextmanager
async def _connected(
    connect: Callable[[], Awaitable[_Streams]], patience: float, place: str, hint: str
) -> AsyncIterator[Exchange]:
    lines = SocketLines(*await persist(connect, patience, place, hint))
    try:
        async with exchanging(lines) as exchange:
            yield exchange
    finally:
        await lines.close()


@asynccontextmanager
async def listen_tcp(host: str, port: int, accept: Accept, refused: Refused) -> AsyncIterator[str]:
    """Call `accept` with the offer of each client that connects, while the context lasts.

    Gives the address, `tcp://127.0.0.1:1234`, where port 0 has become one that was free. Whatever
    `accept` still does at the end of the context is cancelled. Raises SignalingError where the
    address cannot be had.
    """
    address = _address(host, port)
    clients = _Clients(accept, refused)
    with _explained(str(address), "--signaling-port"):
        server = await _listening(clients, address)
    async with _serving(server, clients):
        yield f"tcp://{_address(host, server.sockets[0].getsockname()[1])}"


async def _listening(clients: "_Clients", address: Address) -> asyncio.Server:
    host, port = address.host, address.port
    try:
        server = await asyncio.start_server(clients.start, host, port, limit=MAX_LINE)
        if server.sockets:
            return server
    except OSError as error:
        if error.errno is not None:
            raise
    # asyncio passes over what it can have no socket for and, from Python 3.12 on, what it cannot
    # bind, and at the end does not say why. Trying it by hand does.
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as trial:
        trial.bind((host, port))
    raise OSError(errno.EAFNOSUPPORT, os.strerror(errno.EAFNOSUPPORT))


@asynccontextmanager
async def listen_unix(path: Path, accept: Accept, refused: Refused) -> AsyncIterator[str]:
    """The same on a Unix socket, `unix:/path`, whose file lasts as long as the context."""
    clients = _Clients(accept, refused)
    with _bound(path) as bound:
        server = await asyncio.start_unix_server(clients.start, sock=bound, limit=MAX_LINE)
        async with _serving(server, clients):
            yield f"unix:{path}"


class _Clients:
    """Those who are connected, each with a task that ends with the listening."""

    def __init__(self, accept: Accept, refused: Refused) -> None:
        self._accept = accept
        self._refused = refused
        self._tasks: dict[asyncio.Task[None], SocketLines] = {}
        self._waiting = 0

    def start(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a client that has connected."""
        lines = SocketLines(reader, writer)
        task = asyncio.create_task(self._serve(lines))
        self._tasks[task] = lines
        task.add_done_callback(self._tasks.pop)
        task.add_done_callback(hand_over)

    async def _serve(self, lines: SocketLines) -> None:
        try:
            try:
                offer = await self._first_offer(lines)
            except Exception as error:
                await turn_away(lines, error, self._refused)
            else:
                if offer is not None:
                    await offer.run(self._accept)
        finally:
            await lines.close()

    async def _first_offer(self, lines: SocketLines) -> LineOffer | None:
        if self._waiting >= _MOST_WAITING:
            raise Unavailable("too many clients wait here; try again")
        self._waiting += 1
        try:
            return await read_offer(lines)
        finally:
            self._waiting -= 1

    async def end(self) -> None:
        """Cancel what still runs, and wait for it."""
        running = dict(self._tasks)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        for lines in running.values():  # a task that had not begun has closed nothing
            await lines.close()


@asynccontextmanager
async def _serving(server: asyncio.Server, clients: _Clients) -> AsyncIterator[None]:
    try:
        yield
    finally:
        # A connection that the loop is just accepting when the server closes stays open for ever.
        for _ in range(_ROUNDS_TO_ACCEPT):
            await asyncio.sleep(0)
        server.close()
        await clients.end()


def _address(host: str, port: int) -> Address:
    return Address(host.removeprefix("[").removesuffix("]"), port)


@contextmanager
def _explained(place: str, flag: str) -> Iterator[None]:
    """Say of what keeps us from listening at a place which flag may help."""
    try:
        yield
    except OSError as error:
        raise SignalingError(_cannot_listen(place, error, flag)) from None


def _cannot_listen(place: str, error: OSError, flag: str) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"{place} is in use already: stop the other program or choose another {flag}"
    text = f"cannot listen on {place} ({reason_of(error)})"
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return text  # no other place would do
    if isinstance(error, socket.gaierror) or error.errno in _WRONG_HOST:
        flag = "--signaling-host"
    return f"{text}: choose another {flag}"


@contextmanager
def _bound(path: Path) -> Iterator[socket.socket]:
    """A Unix socket bound to a file, which goes at the end if it is still the same."""
    with _explained(str(path), "--signaling-path"):
        unbound = socket.socket(socket.AF_UNIX)
    with unbound as bound:
        with _explained(str(path), "--signaling-path"):
            _bind(bound, path)
        ours = _identity(path)
        try:
            yield bound
        finally:
            _remove(path, ours)


def _bind(bound: socket.socket, path: Path) -> None:
    try:
        bound.bind(os.fspath(path))
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        _remove_stale(path)
        bound.bind(os.fspath(path))


def _remove_stale(path: Path) -> None:
    """Remove a socket file that nobody listens on.

    Raises SignalingError where it is none, OSError where somebody listens or it cannot be told.
    """
    found = _identity(path)
    if not stat.S_ISSOCK(path.stat().st_mode):
        raise SignalingError(f"{path} exists and is not a socket: choose another --signaling-path")
    with socket.socket(socket.AF_UNIX) as probe:
        probe.setblocking(False)  # of a Unix socket it is known at once
        try:
            probe.connect(os.fspath(path))
        except ConnectionRefusedError:
            _remove(path, found)
            return
        except PermissionError:
            raise SignalingError(
                f"{path} is a socket that this user may not connect to: choose another "
                "--signaling-path"
            ) from None
        except BlockingIOError:  # so many are waiting that there is no room for one more
            pass
    raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _remove(path: Path, identity: tuple[int, int] | None) -> None:
    """Remove a file unless another has taken its place."""
    if identity is not None and _identity(path) == identity:
        path.unlink(missing_ok=True)
