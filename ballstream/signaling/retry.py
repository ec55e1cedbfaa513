"""Trying until the other end is there, which may be started later."""

import asyncio
import errno
import os
from collections.abc import Awaitable, Callable
from typing import TypeVar

from ..errors import SignalingError

_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 0.5

_SHORTAGES = {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS}
"""What this machine or process ran out of, which says nothing about the other end."""

_Connection = TypeVar("_Connection")


async def persist(
    connect: Callable[[], Awaitable[_Connection]], patience: float, place: str, hint: str
) -> _Connection:
    """Call `connect` until it raises no OSError, for at most `patience` seconds.

    Raises SignalingError when the time is up, with what happened last and the `hint`; at once where
    this end has too many files open or may not connect to `place`.
    """
    reason = "no reply"
    pause = _FIRST_PAUSE
    try:
        async with asyncio.timeout(max(patience, _FIRST_PAUSE)):
            while True:
                try:
                    return await connect()
                except OSError as error:
                    reason = reason_of(error)
                    if error.errno in (errno.EACCES, errno.EPERM):
                        raise SignalingError(
                            f"this user may not connect to {place} ({reason})"
                        ) from None
                    if error.errno in _SHORTAGES:
                        raise SignalingError(f"cannot connect to {place} ({reason})") from None
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
    except TimeoutError:
        raise SignalingError(
            f"no server at {place} after {patience:g} s ({reason}): {hint}"
        ) from None


def reason_of(error: OSError) -> str:
    """What the system says that went wrong, without the place, which asyncio puts into it."""
    if error.errno is not None and error.errno > 0:
        return os.strerror(error.errno)
    return error.strerror or str(error) or type(error).__name__
