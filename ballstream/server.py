"""The server: takes offers, runs a session for each, and tells observers what happens."""

import asyncio
import errno
import logging
from collections import deque
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    contextmanager,
    nullcontext,
)
from types import TracebackType
from typing import TYPE_CHECKING, Self, assert_never

from .config import ServerConfig, SignalingMethod, Web
from .errors import BallstreamError, InternalFailure, Unavailable
from .impairment.emulation import Direction
from .impairment.sockets import Emulation, emulated
from .link.stage import Stage
from .report.observers import Observer, Observers, Watched
from .report.records import SessionReport
from .session import Session
from .signaling.exposure import check_exposure
from .signaling.messages import IncomingOffer
from .signaling.sockets import listen_tcp, listen_unix
from .signaling.terminal import listen_terminal

if TYPE_CHECKING:
    from .web.site import Site

logger = logging.getLogger(__name__)

_CLOSE_TIMEOUT = 5.0
_MOST_REPORTS = 1_000


class Server:
    """Streams a ball to whoever makes an offer, and scores what they answer; an `async with`.

    Within the context it listens at `addresses`; at its end every session has ended and nothing is
    left. `observers` are told of every client. Raises UsageError where the scene cannot be built,
    its frames not be sent, or it would be open to everyone; and, on entering, SignalingError where
    it cannot listen, UsageError where it cannot emulate the network that is configured.

    It has ten fields, as here meet what is shown, who comes, on which network, and who is told.
    """

    def __init__(
        self, config: ServerConfig | None = None, observers: Iterable[Observer] = ()
    ) -> None:
        self.addresses: tuple[str, ...] = ()
        """Where clients find it, in the form that `connect` takes."""

        self.deserted = asyncio.Event()
        """Set when nobody can come any more, because the terminal for pasting has ended."""

        self.emulation: Emulation | None = None
        """The network that is emulated, from the beginning of the context on; None without."""

        self._config = config or ServerConfig()
        check_exposure(self._config)
        self._stage = Stage(self._config)
        self._places = Places(self._config.max_sessions)
        self._open = AsyncExitStack()
        self._site = None if self._config.web is None else self._make_site(self._config.web)
        own = () if self._site is None else self._site.observers
        self._reports = _Reports()
        self._observers = Observers((*observers, *own, self._reports))

    def _make_site(self, settings: Web) -> "Site":
        from .web.site import Site  # who needs no HTTP need not wait for it to load

        config = self._config
        scene = {
            "width": config.size[0],
            "height": config.size[1],
            "fps": config.fps,
            "radius": config.radius,
            "motion": self._stage.motion,
        }
        return Site(
            config,
            settings,
            scene,
            self._accept,
            self._refused,
            self._places.unready,
            lambda: self.emulation,
        )

    @property
    def origin(self) -> float:
        """The instant of the monotonic clock at which the scene's time is 0."""
        return self._stage.origin

    @property
    def address(self) -> str:
        """The first of the addresses."""
        return self.addresses[0]

    async def __aenter__(self) -> Self:
        config = self._config
        urls = [each.url for each in config.network.ice_servers]
        async with AsyncExitStack() as opening:
            self.emulation = await opening.enter_async_context(
                emulated(config.impairment, Direction.DOWN, urls)
            )
            await opening.enter_async_context(self._stage)
            opening.callback(self._observers.closed)
            await opening.enter_async_context(self._publishing())
            for door in self._doors():
                self.addresses += (await opening.enter_async_context(door),)
            opening.push_async_callback(self._places.end)
            self._open = opening.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._open.aclose()

    def _publishing(self) -> AbstractAsyncContextManager[None]:
        if not self._config.publish:
            return nullcontext()
        from .publishing import publishing  # who needs no HTTP need not wait for it to load

        return publishing(self._config, self._stage.streams, self._observers)

    def _doors(self) -> Iterator[AbstractAsyncContextManager[str]]:
        """The ways in, each of which gives its address."""
        signaling = self._config.signaling
        match signaling.method:
            case SignalingMethod.TCP_SOCKET:
                yield listen_tcp(signaling.host, signaling.port, self._accept, self._refused)
            case SignalingMethod.UNIX_SOCKET:
                yield listen_unix(signaling.path, self._accept, self._refused)
            case SignalingMethod.COPY_AND_PASTE:
                lines = self._config.reporting.lines
                yield listen_terminal(lines, self._accept, self._refused, self.deserted.set)
            case SignalingMethod.WHEP:
                pass
            case _:
                assert_never(signaling.method)
        if self._site is not None:
            yield self._site.serving()

    async def _accept(self, offer: IncomingOffer) -> None:
        """The life of a client: its offer is refused, or answered, and then it is streamed to."""
        try:
            with self._places.taken() as offer.client:
                session = Session(
                    offer.client,
                    offer.name,
                    self._config,
                    self._stage,
                    self._observers,
                    self.emulation,
                )
                await session.run(offer, self._places.closing)
        except BallstreamError as error:
            await self._refuse(offer, error)
        except Exception as error:
            logger.debug("answering an offer failed", exc_info=True)
            await self._refuse(offer, _as_refusal(error))

    async def _refuse(self, offer: IncomingOffer, error: BallstreamError) -> None:
        self._refused(error)
        await offer.refuse(error)

    def _refused(self, error: BallstreamError) -> None:
        self._observers.refused(error)

    @property
    def failed(self) -> bool:
        """Whether one of the observers failed, and what it was to be told is incomplete."""
        return self._observers.failed

    def ended(self) -> AsyncIterator[SessionReport]:
        """The report of each session that is scored, when it has ended, until the server does.

        None is missed by whoever asks late, but for the oldest of more than a thousand that wait.
        The iteration raises InternalFailure where we failed to keep them.
        """
        return self._reports


def _as_refusal(error: Exception) -> BallstreamError:
    """What an offer is refused with where answering it failed."""
    if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
        return Unavailable(f"the server gets no further sockets ({error.strerror}, ulimit -n)")
    return InternalFailure("answering an offer", error)


class Places:
    """Room for so many sessions at a time, each in the task that takes a place.

    `closing` is set when they are to end.
    """

    def __init__(self, most: int) -> None:
        self.closing = asyncio.Event()
        self._most = most
        self._last = 0
        self._tasks: set[asyncio.Task[None]] = set()

    def unready(self) -> str | None:
        """Why there can be no further session at present; None where there can."""
        if self.closing.is_set():
            return "the server is about to end"
        if len(self._tasks) >= self._most:
            return f"the server is full ({self._most} sessions)"
        return None

    @contextmanager
    def taken(self) -> Iterator[int]:
        """A place for this task, and its number; raises Unavailable where there is none."""
        if (reason := self.unready()) is not None:
            raise Unavailable(reason)
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._last += 1
        try:
            yield self._last
        finally:
            self._tasks.discard(task)

    async def end(self) -> None:
        """Let the sessions end; what hangs in spite of it is left to whoever runs it."""
        self.closing.set()
        if self._tasks:
            await asyncio.wait(tuple(self._tasks), timeout=_CLOSE_TIMEOUT)


class _Reports(Observer):
    """The reports of sessions as they end, for one who iterates over them."""

    def __init__(self) -> None:
        self._waiting: deque[SessionReport] = deque(maxlen=_MOST_REPORTS)
        self._changed = asyncio.Event()
        self._closed = False
        self._error: InternalFailure | None = None

    def ended(self, session: Watched, report: SessionReport) -> None:
        if not session.passive:
            self._waiting.append(report)
            self._changed.set()

    def closed(self) -> None:
        self._closed = True
        self._changed.set()

    def left_out(self, error: Exception) -> None:
        self._error = InternalFailure("keeping the reports of sessions", error)
        self._changed.set()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> SessionReport:
        while not self._waiting:
            if self._error is not None:
                raise self._error
            if self._closed:
                raise StopAsyncIteration
            self._changed.clear()
            await self._changed.wait()
        return self._waiting.popleft()
