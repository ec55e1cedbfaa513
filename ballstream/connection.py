"""From an address to a link: signalling, negotiation, and the pictures that come."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Generic, NoReturn, TypeVar, assert_never
from urllib.parse import urlsplit

from .config import DIRECT, ClientConfig, Network, Secret, Signaling, SignalingMethod, Transport
from .config.syntax import check_url
from .endings import By, Ending, Reason, after
from .errors import UsageError
from .impairment.conditions import Impairment
from .impairment.emulation import Direction
from .impairment.sockets import Emulation, refuse_what_bypasses
from .impairment.sockets import emulated as emulated_at
from .link.offerer import Convert, Link, open_link
from .link.receiver import OnPicture
from .link.watch import Watch
from .signaling.messages import Exchange
from .signaling.sockets import connect_tcp, connect_unix
from .signaling.terminal import connect_terminal

if TYPE_CHECKING:
    from .vision.picture import Picture

Taken = TypeVar("Taken")


@asynccontextmanager
async def connect(
    address: str,
    *,
    transport: str = Transport.TRACK,
    watch: str | None = None,
    watch_token: str | None = None,
    token: str | None = None,
    name: str | None = None,
    wait: float = 10,
    network: Network = DIRECT,
    impairment: Impairment | None = None,
    stock: bool = False,
) -> "AsyncIterator[Link[Picture]]":
    """A link to the server at an address, over whichever transport and signalling.

        async with ballstream.connect("http://127.0.0.1:8080/whep") as link:
            async for picture in link.pictures:
                link.answer(picture.frame, x, y)

    Where the server publishes its video, the pictures can come from a media server instead: `watch`
    is the URL of a WHEP endpoint, with its `watch_token` if it wants one.

    `address` is `tcp://HOST:PORT`, `unix:PATH`, or the URL of a WHEP endpoint, with its `token` if
    it wants one; `transport` is `track` or `datachannel`; `name` is by which the server shows this
    client; `wait` says for how many seconds to try; `impairment` is a network to emulate; `stock`
    takes aiortc's own reception. The pictures end when the server says goodbye or closes the
    connection; where it is lost the iteration raises PeerLost.

    Raises UsageError for another address, or on an event loop that cannot emulate the network,
    SignalingError where there is no server or it refuses, NegotiationError, NoRoute or PeerLost
    where no connection comes about.
    """
    if watch is not None:
        check_url(watch)
        if transport == Transport.DATACHANNEL:
            raise UsageError("pictures come from `watch` or on a datachannel, not both")

    from .vision.decoding import picture_of  # who hands pictures on needs no OpenCV

    config = replace(
        _addressed(address),
        transport=_transport(transport),
        watch=watch,
        watch_token=None if watch_token is None else Secret(watch_token),
        token=None if token is None else Secret(token),
        name=name,
        wait=wait,
        network=network,
        impairment=impairment,
        stock=stock,
    )
    async with (
        emulated(config) as emulation,
        linked(config, picture_of, emulation) as connection,
    ):
        await connection.link.connected()
        yield connection.link


@dataclass(frozen=True, slots=True)
class Connection(Generic[Taken]):
    """A link and the task that ends with it; the server's part in the end is an Ending."""

    link: Link[Taken]
    ended: asyncio.Task[Ending]


def emulated(config: ClientConfig) -> AbstractAsyncContextManager[Emulation | None]:
    """The network that a client emulates as its configuration has it, around its link."""
    urls = [each.url for each in config.network.ice_servers]
    return emulated_at(config.impairment, Direction.UP, urls)


@asynccontextmanager
async def linked(
    config: ClientConfig, convert: Convert[Taken], emulation: Emulation | None
) -> AsyncIterator[Connection[Taken]]:
    """A link as a configuration has it, whose pictures are converted as they are taken.

    It starts the plan of the network that is emulated, if one is.
    """
    async with _exchanging(config) as exchange:

        async def ask(offer: str) -> str:
            return await exchange.exchange(offer, config.name)

        network = config.network.or_by(exchange.ice_servers)
        if emulation is not None:
            refuse_what_bypasses(each.url for each in network.ice_servers)
        try:
            async with open_link(
                ask,
                network,
                config.transport,
                stock=config.stock,
                watch=_elsewhere(config),
                convert=convert,
            ) as link:
                goodbye = after(exchange.gone.wait(), Ending(By.SERVER, Reason.GOODBYE))
                ended = asyncio.create_task(link.closed(goodbye, _start_with(link, emulation)))
                try:
                    yield Connection(link, ended)
                finally:
                    ended.cancel()
                    # What it failed with, the pictures have raised, or whoever waited for it.
                    await asyncio.gather(ended, return_exceptions=True)
        finally:
            await exchange.goodbye()


def _elsewhere(config: ClientConfig) -> Callable[[OnPicture], Watch] | None:
    """How the pictures come, where they do not come from the server."""
    if config.watch is None:
        return None
    from .web.watching import reach_whep  # who needs no HTTP need not wait for it to load

    return partial(
        Watch,
        partial(reach_whep, config.watch, config.watch_token, config.impairment),
        config.network,
        patience=config.wait,
        stock=config.stock,
    )


async def _start_with(link: Link[Taken], emulation: Emulation | None) -> NoReturn:
    """Start the network that is emulated, if one is, with the connection."""
    await link.opened.wait()
    if emulation is not None:
        emulation.start()
    await asyncio.Event().wait()
    raise AssertionError("it never returns")


def _exchanging(config: ClientConfig) -> AbstractAsyncContextManager[Exchange]:
    signaling = config.signaling
    match signaling.method:
        case SignalingMethod.TCP_SOCKET:
            return connect_tcp(signaling.host, signaling.port, config.wait)
        case SignalingMethod.UNIX_SOCKET:
            return connect_unix(signaling.path, config.wait)
        case SignalingMethod.COPY_AND_PASTE:
            return connect_terminal(config.reporting.lines)
        case SignalingMethod.WHEP:
            from .web.player import connect_whep  # who needs no HTTP need not wait for it to load

            return connect_whep(config.url, config.token, config.wait)
        case _:
            assert_never(signaling.method)


def _addressed(address: str) -> ClientConfig:
    """The configuration of a client of the server at an address."""
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        raise _no_address(address) from None
    match parts.scheme:
        case "tcp" if parts.hostname and port:
            return ClientConfig(
                Signaling(SignalingMethod.TCP_SOCKET, host=parts.hostname, port=port)
            )
        case "unix" if address != "unix:":
            path = Path(address.removeprefix("unix:"))
            return ClientConfig(Signaling(SignalingMethod.UNIX_SOCKET, path=path))
        case "http" | "https" if parts.hostname:
            return ClientConfig(Signaling(SignalingMethod.WHEP), url=address)
        case _:
            raise _no_address(address)


def _no_address(address: str) -> UsageError:
    return UsageError(
        f"{address!r} is no address of a server: tcp://HOST:PORT, unix:PATH, or the http:// or "
        "https:// URL of a WHEP endpoint"
    )


def _transport(word: str) -> Transport:
    try:
        return Transport(word)
    except ValueError:
        raise UsageError(f"{word!r} is no transport: track or datachannel") from None
