"""How offer and answer get across: one JSON object a line, on a socket or a terminal."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable

import msgspec

from ..config import IceServer
from ..errors import BallstreamError, SignalingError

MAX_LINE = 256 * 1024
"""Longest line in bytes; an offer of Chromium's with every codec is under 16 KiB."""

_MOST_BLANK_LINES = 16


class Offer(msgspec.Struct, frozen=True, tag_field="type", tag="offer"):
    """Client to server: the client's session description."""

    sdp: str


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
        raise SignalingError(f"that is not a signalling message: {_short(error)}") from None
    return message


class Channel(ABC):
    """A way to and from one peer, for one session."""

    patience: float | None = None
    """Seconds that the peer has for its offer or answer; None where a person has to paste it."""

    ice_servers: tuple[IceServer, ...] = ()
    """What the peer says that one can use to find a way to it."""

    client: int | None = None
    """The number by which the server shows the client at the other end."""

    async def refuse(self, error: BallstreamError) -> None:
        """Tell a client that there will be no answer, and why."""
        await self.send(Failure(str(error)))

    @abstractmethod
    async def send(self, message: Message) -> None:
        """Send a message; one that can no longer be delivered is dropped."""

    @abstractmethod
    async def receive(self) -> Message | None:
        """The next message, or None at the end; raises SignalingError for anything else."""


Handler = Callable[[Channel], Awaitable[None]]


async def read_line(reader: asyncio.StreamReader) -> bytes:
    """The next line that is not blank, or nothing at the end of the stream."""
    for _ in range(_MOST_BLANK_LINES):
        try:
            line = await reader.readline()
        except ValueError:
            raise SignalingError(f"a line is longer than {MAX_LINE} bytes") from None
        except OSError:
            return b""
        if not line or line.strip():
            return line
    raise SignalingError("nothing but blank lines came")


def _short(text: object) -> str:
    return f"{text!s:.200}"


async def ask(channel: Channel, offer: Offer) -> Answer:
    """Send an offer and wait for the answer; raises SignalingError where there is none."""
    await channel.send(offer)
    try:
        async with asyncio.timeout(channel.patience):
            message = await channel.receive()
    except TimeoutError:
        raise SignalingError(
            f"no answer within {channel.patience:g} s: does a ballstream-server listen there?"
        ) from None
    match message:
        case Answer():
            return message
        case Failure(reason):
            raise SignalingError(f"the server refused: {_short(reason)}")
        case None:
            raise SignalingError("the server hung up before it answered")
        case _:
            raise SignalingError("the server sent something else than an answer")


async def until_bye(channel: Channel) -> None:
    """Return at the peer's goodbye; a peer that only hangs up may go on with its media.

    Raises SignalingError for any other message.
    """
    message = await channel.receive()
    if message is None:
        await asyncio.Event().wait()
    if not isinstance(message, Bye):
        raise SignalingError("after offer and answer there is only the bye")
