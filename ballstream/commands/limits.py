"""What the system grants a server, held against what it may need."""

import asyncio
import errno
import logging
import resource
from typing import Any

logger = logging.getLogger(__name__)

_OWN = 64
"""Descriptors of the server itself: libraries while they load, event loop, listeners, files."""

_EACH = 8
"""Of a session: its signalling, and one for each address and server of ICE."""


def allow_descriptors(sessions: int) -> None:
    """Raise the limit of open files to what so many sessions need; warn where that is not granted.

    Beyond it neither signalling nor media gets a socket, which looks as if the network was broken.
    """
    needed = _OWN + _EACH * sessions
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if _holds(soft, needed):
        return
    granted = needed if _holds(hard, needed) else hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (granted, hard))
    if granted < needed:
        logger.warning(
            "%s sessions may need %s open files, and the limit is %s (ulimit -n): raise it, or "
            "lower --max-sessions",
            sessions,
            needed,
            granted,
        )


def say_once_what_runs_out() -> None:
    """Say it in one line when the running loop gets no more sockets, not at every attempt."""
    loop = asyncio.get_running_loop()
    said = False

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        nonlocal said
        error = context.get("exception")
        if not isinstance(error, OSError) or error.errno not in (errno.EMFILE, errno.ENFILE):
            loop.default_exception_handler(context)
        elif not said:
            said = True
            soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
            logger.error(
                "%s: no further sockets, the limit is %s (ulimit -n); this is said once",
                error.strerror,
                soft,
            )

    loop.set_exception_handler(handle)


def _holds(limit: int, needed: int) -> bool:
    return limit == resource.RLIM_INFINITY or limit >= needed
