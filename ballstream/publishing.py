"""The server's video on its way to media servers, for as long as the server runs.

This is the shell that joins the exchange over HTTP (`web/remote.py`) with the connection that it
is about (`link/publication.py`).
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial

from .beside import hand_over
from .config import ServerConfig
from .config.syntax import check_url
from .errors import (
    BallstreamError,
    InternalFailure,
    NoRoute,
    PeerLost,
    SignalingError,
    Unavailable,
)
from .impairment.sockets import refuse_what_bypasses
from .link.answerer import Streams
from .link.publication import publish
from .report.observers import Observer
from .signaling.retry import reason_of
from .web.remote import Place, Remote, reaching

logger = logging.getLogger(__name__)

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 10.0
_STEADY = 10.0
"""Seconds for which it must have gone well for the next pause to be a short one again."""

_PASSING = (Unavailable, PeerLost, NoRoute, InternalFailure)
"""What another attempt may mend."""


@asynccontextmanager
async def publishing(
    config: ServerConfig, streams: Streams, observer: Observer
) -> AsyncIterator[None]:
    """Send the video to every endpoint of the configuration while the context lasts.

    `observer` is told of each that takes it or does not. What can change is tried again. At the end
    every session with an endpoint has been deleted. Raises UsageError for what is no URL.
    """
    for url in config.publish:
        check_url(url)
    tasks = [
        asyncio.create_task(_keep_publishing(url, config, streams, observer))
        for url in config.publish
    ]
    for task in tasks:
        task.add_done_callback(hand_over)
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _keep_publishing(
    url: str, config: ServerConfig, streams: Streams, observer: Observer
) -> None:
    place = Place(url, config.publish_token, "--publish", "--publish-token")
    pause = _FIRST_PAUSE
    async with reaching(place) as remote:
        while True:
            begun = time.monotonic()
            error = await _publish(remote, config, streams, partial(observer.published, url))
            if time.monotonic() - begun >= _STEADY:
                pause = _FIRST_PAUSE
            again = isinstance(error, _PASSING)
            observer.unpublished(url, error, pause if again else None)
            if not again:
                return
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)


async def _publish(
    remote: Remote, config: ServerConfig, streams: Streams, on_connected: Callable[[], None]
) -> BallstreamError:
    """One session with an endpoint; returns why it ended, or did not begin."""
    try:
        await _discover(remote)
        try:
            await _offer(remote, config, streams, on_connected)
        except _ServersToldLate:
            await remote.goodbye()
            await _offer(remote, config, streams, on_connected)
    except BallstreamError as error:
        return error
    except Exception as error:
        logger.debug("publishing failed", exc_info=True)
        return InternalFailure("publishing the video", error)
    finally:
        await remote.goodbye()
    return PeerLost("the media server closed the connection")


async def _discover(remote: Remote) -> None:
    try:
        await remote.discover()
    except OSError as error:
        raise Unavailable(f"no reply ({reason_of(error)})") from None


async def _offer(
    remote: Remote, config: ServerConfig, streams: Streams, on_connected: Callable[[], None]
) -> None:
    network = config.network.or_by(remote.ice_servers)
    if config.impairment is not None:
        refuse_what_bypasses(each.url for each in network.ice_servers)

    async def ask(offer: str) -> str:
        reply = await remote.offer(offer)
        if reply.counter:
            raise SignalingError("the endpoint makes an offer itself: is it one of WHEP?")
        if remote.ice_servers and not network.ice_servers:
            raise _ServersToldLate
        return reply.sdp

    assert streams.published is not None
    await publish(ask, network, streams, streams.published, on_connected)


class _ServersToldLate(Exception):  # noqa: N818 - no error
    """ICE servers came with the answer, to an offer that would have needed them."""
