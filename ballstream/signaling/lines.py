"""Signalling as lines, one JSON object each, whatever carries them."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ..beside import hand_over
from ..errors import BallstreamError, InternalFailure, SignalingError
from .messages import (
    MAX_LINE,
    Accept,
    Answer,
    Bye,
    Exchange,
    Failure,
    Gone,
    IncomingOffer,
    Message,
    Offer,
    Refused,
    decode,
    short,
)

_MOST_BLANK_LINES = 16


class Lines(ABC):
    """A way to and from one peer; `patience` is how many seconds it has for offer or answer.

    There is no such limit (None) where a person has to paste it.
    """

    def __init__(self, reader: asyncio.StreamReader, patience: float | None) -> None:
        self.patience = patience
        self._reader = reader

    @abstractmethod
    async def send(self, message: Message) -> None:
        """Send a message; one that can no longer be delivered is dropped."""

    async def receive(self) -> Message | None:
        """The next message, or None at the end; raises SignalingError for anything else."""
        line = await _read_line(self._reader)
        return decode(line) if line else None


async def _read_line(reader: asyncio.StreamReader) -> bytes:
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


class LineExchange(Exchange):
    """The client's side."""

    def __init__(self, lines: Lines) -> None:
        super().__init__()
        self._lines = lines
        self._hearing: asyncio.Task[None] | None = None

    async def exchange(self, offer: str, name: str | None = None) -> str:
        await self._lines.send(Offer(offer, name))
        patience = self._lines.patience
        try:
            async with asyncio.timeout(patience):
                message = await self._lines.receive()
        except TimeoutError:
            raise SignalingError(
                f"no answer within {patience:g} s: does a ballstream-server listen there?"
            ) from None
        match message:
            case Answer(sdp):
                self._hearing = asyncio.create_task(_hear_goodbye(self._lines, self.gone))
                self._hearing.add_done_callback(hand_over)
                return sdp
            case Failure(reason):
                raise SignalingError(f"the server refused: {short(reason)}")
            case None:
                raise SignalingError("the server hung up before it answered")
            case _:
                raise SignalingError("the server sent something else than an answer")

    async def goodbye(self) -> None:
        await self._lines.send(Bye())

    async def close(self) -> None:
        """Listen no longer."""
        if self._hearing is not None:
            await _end(self._hearing)


@asynccontextmanager
async def exchanging(lines: Lines) -> AsyncIterator[Exchange]:
    """The client's side of a conversation, which ends with the context."""
    exchange = LineExchange(lines)
    try:
        yield exchange
    finally:
        await exchange.close()


class LineOffer(IncomingOffer):
    """The server's side."""

    def __init__(self, lines: Lines, offer: Offer) -> None:
        super().__init__(offer.sdp, offer.name)
        self._lines = lines

    async def answer(self, sdp: str) -> None:
        await self._lines.send(Answer(sdp))

    async def refuse(self, error: BallstreamError) -> None:
        await _refuse(self._lines, error)

    async def goodbye(self) -> None:
        await self._lines.send(Bye())

    async def run(self, accept: Accept) -> None:
        """Let `accept` run the session, and hear the goodbye meanwhile."""
        hearing = asyncio.create_task(_hear_goodbye(self._lines, self.gone))
        hearing.add_done_callback(hand_over)
        try:
            await accept(self)
        finally:
            await _end(hearing)


async def read_offer(lines: Lines) -> LineOffer | None:
    """The client's offer, or None where it hangs up.

    Raises SignalingError where it sends something else or takes too long.
    """
    try:
        async with asyncio.timeout(lines.patience):
            message = await lines.receive()
            if isinstance(message, Bye):  # of a session that had ended without it
                message = await lines.receive()
    except TimeoutError:
        raise SignalingError(f"no offer within {lines.patience:g} s") from None
    match message:
        case None:
            return None
        case Offer():
            return LineOffer(lines, message)
        case _:
            raise SignalingError("the first message must be an offer")


async def turn_away(lines: Lines, error: Exception, refused: Refused) -> None:
    """Tell `refused` and the client why no offer could be read."""
    refusal = _as_refusal(error)
    refused(refusal)
    await _refuse(lines, refusal)


def _as_refusal(error: Exception) -> BallstreamError:
    return (
        error if isinstance(error, SignalingError) else InternalFailure("reading an offer", error)
    )


async def _refuse(lines: Lines, error: BallstreamError) -> None:
    """Tell a client that there will be no answer, and why."""
    await lines.send(Failure(str(error)))


async def _hear_goodbye(lines: Lines, gone: Gone) -> None:
    try:
        message = await lines.receive()
        if isinstance(message, Failure):
            raise SignalingError(f"the other end gave up: {short(message.message)}")
        if message is not None and not isinstance(message, Bye):
            raise SignalingError("after offer and answer there is only the bye")
    except SignalingError as error:
        gone.fail(error)
    except Exception as error:
        gone.fail(InternalFailure("waiting for a goodbye", error))
    else:
        if message is not None:
            gone.set()


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
