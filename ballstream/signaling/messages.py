"""What signalling is about: one question and one answer, and their form where they go as lines."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from typing import Literal

import msgspec

from ..config import IceServer
from ..errors import BallstreamError, SignalingError
from .trickle import Candidate

MAX_LINE = 256 * 1024
"""Longest line in bytes; an offer of Chromium's with every codec is under 16 KiB."""

MAX_NAME = 64
"""Characters in the name that a client may give itself."""


class Offer(msgspec.Struct, frozen=True, tag_field="type", tag="offer", omit_defaults=True):
    """Client to server: the client's session description, and by which name to show it."""

    sdp: str
    name: str | None = None


class Answer(msgspec.Struct, frozen=True, tag_field="type", tag="answer"):
    """Server to client: the server's session description."""

    sdp: str


class Failure(msgspec.Struct, frozen=True, tag_field="type", tag="error"):
    """Server to client: there will be no answer, and why."""

    message: str


class Bye(msgspec.Struct, frozen=True, tag_field="type", tag="bye"):
    """Either to the other: the session is over."""


Message = Offer | Answer | Failure | Bye

_decoder = msgspec.json.Decoder(Message)


def encode(message: Message) -> bytes:
    """The line of a message, with its line end."""
    return msgspec.json.encode(message) + b"\n"


def decode(line: bytes) -> Message:
    """Read a line; raises SignalingError where it is none of the messages."""
    try:
        message: Message = _decoder.decode(line)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise SignalingError(f"that is not a signalling message: {short(error)}") from None
    return message


def short(text: object) -> str:
    """As much of what a peer says as fits into a line of ours."""
    return f"{text!s:.200}"


class Gone(asyncio.Event):
    """Set at the peer's goodbye; where it said something else instead, `wait` raises that."""

    def __init__(self) -> None:
        super().__init__()
        self._error: BallstreamError | None = None

    def fail(self, error: BallstreamError) -> None:
        """Let everybody who waits know that there will be none, and why."""
        self._error = error
        self.set()

    async def wait(self) -> Literal[True]:
        """Return at the goodbye; raises SignalingError where something else came.

        InternalFailure where we failed to hear it.
        """
        await super().wait()
        if self._error is not None:
            raise self._error
        return True


class Exchange(ABC):
    """The client's side of signalling, for one session."""

    ice_servers: tuple[IceServer, ...] = ()
    """What the server says that one can use to find a way to it."""

    def __init__(self) -> None:
        self.gone = Gone()
        """The server said goodbye; one that only hangs up may go on with its media."""

    @abstractmethod
    async def exchange(self, offer: str, name: str | None = None) -> str:
        """Send an offer's SDP; returns the answer's. Raises SignalingError where there is none."""

    @abstractmethod
    async def goodbye(self) -> None:
        """Say that the session is over; never raises."""


class IncomingOffer(ABC):
    """The server's side of signalling, for one session.

    Raises SignalingError for a name that is longer than 64 characters or not printable.
    """

    def __init__(self, sdp: str, name: str | None) -> None:
        if name is not None and (len(name) > MAX_NAME or not name.isprintable()):
            raise SignalingError(f"a client's name has at most {MAX_NAME} printable characters")
        self.sdp = sdp
        self.name = name or None
        self.client: int | None = None
        """The number by which the server shows the client; the server sets it."""

        self.gone = Gone()
        """The client said goodbye; one that only hangs up may go on with its media."""

        self.on_candidate: Callable[[Candidate], Awaitable[None]] | None = None
        """Told of the client's later candidates; whoever answers may set it before."""

    @abstractmethod
    async def answer(self, sdp: str) -> None:
        """Send the answer; never raises, not even where it can no longer be delivered."""

    @abstractmethod
    async def refuse(self, error: BallstreamError) -> None:
        """Say that there will be no answer, and why; never raises."""

    @abstractmethod
    async def goodbye(self) -> None:
        """Say that the session is over; never raises."""


Accept = Callable[[IncomingOffer], Awaitable[None]]
"""Runs the whole session of an offer; raises nothing."""

Refused = Callable[[BallstreamError], None]
"""Told of a client that never got as far as an offer, and why."""
