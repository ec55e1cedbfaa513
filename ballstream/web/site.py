"""The HTTP server: page, WHEP, feed, metrics and health, in the event loop of the sessions."""

import asyncio
import errno
import gzip
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler as RequestHandler
from plotly.offline import get_plotlyjs
from prometheus_client.aiohttp import make_aiohttp_handler

from ..config import ServerConfig, Web
from ..errors import SignalingError
from ..impairment.sockets import Emulation, described
from ..report.environment import versions
from ..report.observers import Observer
from ..signaling.messages import MAX_LINE, Accept, Refused
from . import defence
from .emulated import EmulationCollector
from .endpoint import PATH, Endpoint
from .feed import MOST_READERS, Feed
from .metrics import Metrics
from .problem import problem

logger = logging.getLogger(__name__)

# aiohttp logs malformed requests with all that is in them; what fails here, `_explain` says.
_quiet = logging.getLogger(f"{__name__}.http")
_quiet.propagate = False
_quiet.addHandler(logging.NullHandler())

PAGE = Path(__file__).with_name("page")
_TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}

_MOST_CONNECTIONS = 256
_IDLE_TIMEOUT = 15.0
_WRITE_TIMEOUT = 10.0
_SHUTDOWN_TIMEOUT = 1.0


class Site:
    """Everything under one address; its `observers` are to be told of the sessions.

    `scene` is what a page needs to draw the truth over a frame, `accept` runs the session of a
    posted offer, `refused` is told of one that does not get so far, `unready` says why there can be
    none at present, and `emulation` is the network that is emulated at present. Raises UsageError
    where the address is open to everyone, or an allowed origin is none.
    """

    def __init__(
        self,
        config: ServerConfig,
        settings: Web,
        scene: Mapping[str, object],
        accept: Accept,
        refused: Refused,
        unready: Callable[[], str | None],
        emulation: Callable[[], Emulation | None] = lambda: None,
    ) -> None:
        defence.check_exposure(settings)
        defence.allowed_origins(settings)
        self._metrics = Metrics(versions(), config.max_sessions)
        self._settings = settings
        self._unready = unready
        self._metrics.registry.register(EmulationCollector(emulation))
        self._feed = Feed(scene, lambda: described(emulation()) or None)
        self._endpoint = Endpoint(settings, config.network, accept, refused)
        self._scrape = make_aiohttp_handler(self._metrics.registry)
        self._plotly: asyncio.Task[bytes] | None = None

    @property
    def observers(self) -> tuple[Observer, ...]:
        """What the page and Prometheus are told comes from these."""
        return self._feed, self._metrics

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        """Serve while the context lasts; gives the address of the endpoint.

        Raises SignalingError where the address cannot be had.
        """
        runner = web.AppRunner(
            self._application(),
            access_log=None,
            logger=_quiet,
            keepalive_timeout=_IDLE_TIMEOUT,
            shutdown_timeout=_SHUTDOWN_TIMEOUT,
        )
        await runner.setup()
        try:
            server = await self._listen(runner)
            try:
                port = server.sockets[0].getsockname()[1]
                yield f"http://{replace(self._settings.address, port=port)}{PATH}"
            finally:
                server.close()
                await self._feed.close()
                await self._endpoint.close()
        finally:
            await runner.cleanup()

    async def _listen(self, runner: web.AppRunner) -> asyncio.Server:
        serve = runner.server
        assert serve is not None

        def connect() -> asyncio.BaseProtocol:
            if len(serve.connections) >= _MOST_CONNECTIONS:
                return _Refusal()
            return serve()

        address = self._settings.address
        try:
            return await asyncio.get_running_loop().create_server(
                connect, address.host, address.port
            )
        except OSError as error:
            busy = "stop the other program or " if error.errno == errno.EADDRINUSE else ""
            raise SignalingError(
                f"cannot listen on {address} ({error.strerror or error}): {busy}choose another "
                "--http"
            ) from None

    def _application(self) -> web.Application:
        app = web.Application(
            middlewares=[
                defence.check_host(self._settings),
                defence.limit_rate(self._settings),
                defence.check_origin(self._settings),
                _explain,
            ],
            client_max_size=MAX_LINE,
        )
        app.on_response_prepare.append(defence.add_headers)
        self._endpoint.add_routes(app)
        app.router.add_get("/", _file(PAGE / "index.html"))
        for path in sorted(PAGE.iterdir()):
            app.router.add_get(f"/{path.name}", _file(path))
        app.router.add_get("/plotly.js", self._get_plotly)
        app.router.add_get("/feed", defence.guarded(self._settings, self._get_feed))
        app.router.add_get("/metrics", self._get_metrics)
        app.router.add_get("/healthz", _get_health)
        app.router.add_get("/readyz", self._get_readiness)
        return app

    async def _get_feed(self, request: web.Request) -> web.StreamResponse:
        if self._feed.readers >= MOST_READERS:
            return problem(503, "too many pages are open", retry_after=5)
        response = web.StreamResponse()
        response.content_type = "application/x-ndjson"
        await response.prepare(request)
        with suppress(OSError):  # the reader has gone
            async with aclosing(self._feed.lines()) as lines:
                async for line in lines:
                    if not await _written(response, line):
                        # It does not read, and what it was sent would wait for as long as it likes.
                        assert request.transport is not None
                        request.transport.abort()
                        break
        return response

    async def _get_metrics(self, request: web.Request) -> web.StreamResponse:
        if not self._metrics.complete:
            return problem(500, "the metrics are not complete any more: see the log")
        self._metrics.update()
        response: web.StreamResponse = await self._scrape(request)
        return response

    async def _get_readiness(self, _: web.Request) -> web.Response:
        reason = self._unready()
        return web.Response(text="ready\n") if reason is None else problem(503, reason)

    async def _get_plotly(self, _: web.Request) -> web.Response:
        if self._plotly is None:
            # It is five megabytes: packed once, in a thread, while the video goes on.
            self._plotly = asyncio.create_task(asyncio.to_thread(_packed_plotly))
        return web.Response(
            body=await asyncio.shield(self._plotly),
            content_type=_TYPES[".js"],
            headers={hdrs.CONTENT_ENCODING: "gzip", hdrs.CACHE_CONTROL: "max-age=86400"},
        )


class _Refusal(asyncio.Protocol):
    """Hangs up on a connection too many."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.abort()


@web.middleware
async def _explain(request: web.Request, handler: RequestHandler) -> web.StreamResponse:
    """Put the errors of aiohttp in the form of ours, and keep a failure in the log to a line."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        response = problem(error.status, error.reason.lower())
        for name in (hdrs.ALLOW, hdrs.LOCATION):
            if name in error.headers:
                response.headers[name] = error.headers[name]
        return response
    except (ConnectionError, asyncio.CancelledError):
        raise
    except Exception as error:
        asyncio.get_running_loop().call_exception_handler(
            {"message": "a request failed", "exception": error}
        )
        return problem(500, "the server failed")


def _file(path: Path) -> RequestHandler:
    body, content_type = path.read_bytes(), _TYPES[path.suffix]

    async def get(_: web.Request) -> web.Response:
        return web.Response(
            body=body,
            content_type=content_type,
            charset="utf-8",
            headers={hdrs.CACHE_CONTROL: "no-cache"},
        )

    return get


async def _written(response: web.StreamResponse, line: bytes) -> bool:
    try:
        async with asyncio.timeout(_WRITE_TIMEOUT):
            await response.write(line)
    except TimeoutError:
        return False
    return True


async def _get_health(_: web.Request) -> web.Response:
    return web.Response(text="alive\n")


def _packed_plotly() -> bytes:
    return gzip.compress(get_plotlyjs().encode(), compresslevel=6)
