"""What others serve over HTTP, each at an origin of its own on loopback."""

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def serving_app(
    app: web.Application, tls: ssl.SSLContext | None = None
) -> AsyncIterator[str]:
    """Serve an application; gives the origin."""
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
        scheme = "http" if tls is None else "https"
        yield f"{scheme}://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def serving_folder(folder: Path) -> AsyncIterator[str]:
    """Serve the files of a folder; gives the origin."""
    app = web.Application()
    app.router.add_static("/", folder)
    async with serving_app(app) as origin:
        yield origin


@asynccontextmanager
async def endpoint(handler: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """Answer whatever is asked for; gives an address there."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    async with serving_app(app, tls) as origin:
        yield f"{origin}/live"
