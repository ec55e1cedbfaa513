import errno
import socket

import pytest
from programs import soon

from ballstream.errors import SignalingError
from ballstream.signaling.retry import persist


class LibraryError(OSError):
    """As HTTP libraries derive them: the number says what it is, and not the class."""


class Door:
    """Fails with each of some errors in turn, then opens."""

    def __init__(self, *errors: OSError) -> None:
        self.errors = list(errors)
        self.knocks = 0

    async def __call__(self) -> str:
        self.knocks += 1
        if self.errors:
            raise self.errors.pop(0)
        return "open"


def refused() -> OSError:
    return OSError(errno.ECONNREFUSED, "Connect call failed ('127.0.0.1', 9)")


async def test_what_time_may_mend_is_tried_again() -> None:
    door = Door(refused(), FileNotFoundError(errno.ENOENT, "x"), socket.gaierror(-2, "no such"))
    assert await soon(persist(door, 30, "there", "look")) == "open"
    assert door.knocks == 4


async def test_when_the_time_is_up_it_is_said_what_happened_last() -> None:
    door = Door(*(refused() for _ in range(100)))
    text = r"^no server at there after 0 s \(Connection refused\): look$"
    with pytest.raises(SignalingError, match=text):
        await soon(persist(door, 0, "there", "look"))
    assert door.knocks >= 1


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (errno.EMFILE, r"^cannot connect to there \(Too many open files\)$"),
        (errno.ENFILE, r"^cannot connect to there \(Too many open files in system\)$"),
        (errno.EACCES, r"^this user may not connect to there \(Permission denied\)$"),
        (errno.EPERM, r"^this user may not connect to there \(Operation not permitted\)$"),
    ],
)
async def test_what_no_time_mends_is_said_at_once(number: int, text: str) -> None:
    door = Door(LibraryError(number, "whatever"))
    with pytest.raises(SignalingError, match=text):
        await soon(persist(door, 30, "there", "look"))
    assert door.knocks == 1
