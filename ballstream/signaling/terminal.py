"""Signalling by hand: the lines appear on one terminal and are pasted into the other."""

import asyncio
import contextlib
import os
import stat
import sys
import termios
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import TextIO

from ..beside import hand_over
from ..errors import SignalingError
from .lines import Lines, exchanging, read_offer, turn_away
from .messages import MAX_LINE, Accept, Exchange, Message, Refused, encode


class TerminalLines(Lines):
    """Lines over the terminal, or over whatever standard input and `output` lead to.

    Prompts go to standard error, so that a program may stand in for the person.
    """

    def __init__(self, reader: asyncio.StreamReader, output: TextIO) -> None:
        super().__init__(reader, patience=None)
        self._output = output

    async def send(self, message: Message) -> None:
        kind = type(message).__name__.lower()
        self._say(f"Paste this line into the other end ({kind}):")
        with contextlib.suppress(OSError):
            self._output.write(encode(message).decode())
            self._output.flush()

    async def receive(self) -> Message | None:
        self._say("Waiting for a line from the other end:")
        return await super().receive()

    def _say(self, text: str) -> None:
        with contextlib.suppress(OSError):
            sys.stderr.write(f"-- {text}\n")
            sys.stderr.flush()


@asynccontextmanager
async def connect_terminal(output: TextIO) -> AsyncIterator[Exchange]:
    """The client's side: lines are read from standard input and written to `output`.

    Raises SignalingError where standard input is neither a terminal nor a pipe.
    """
    async with _open_terminal(output) as lines, exchanging(lines) as exchange:
        yield exchange


@asynccontextmanager
async def listen_terminal(
    output: TextIO, accept: Accept, refused: Refused, ended: Callable[[], None]
) -> AsyncIterator[str]:
    """Call `accept` with each offer that is pasted, one after the other, while the context lasts.

    `ended` is called when nobody can come any more: standard input has come to its end, or we
    failed to read it.
    Raises SignalingError where it is neither a terminal nor a pipe.
    """
    async with _open_terminal(output) as lines:
        turns = asyncio.create_task(_take_turns(lines, accept, refused))
        turns.add_done_callback(hand_over)
        turns.add_done_callback(lambda _: ended())
        try:
            yield "this terminal"
        finally:
            turns.cancel()
            await asyncio.gather(turns, return_exceptions=True)


async def _take_turns(lines: Lines, accept: Accept, refused: Refused) -> None:
    while True:
        try:
            offer = await read_offer(lines)
        except SignalingError as error:
            await turn_away(lines, error, refused)
            continue
        except Exception as error:
            await turn_away(lines, error, refused)
            break
        if offer is None:
            break
        # In a task that ends with the session: the server waits for it, and not for the next.
        await asyncio.create_task(offer.run(accept))


@asynccontextmanager
async def _open_terminal(output: TextIO) -> AsyncIterator[Lines]:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=MAX_LINE)
    mode = 0 if sys.stdin is None else os.fstat(sys.stdin.fileno()).st_mode
    if not mode or not (sys.stdin.isatty() or stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)):
        raise SignalingError("copy-and-paste needs a terminal or a pipe as standard input")
    with _unlimited_lines(), _blocking_afterwards():
        transport, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
        )
        try:
            yield TerminalLines(reader, output)
        finally:
            transport.close()


@contextlib.contextmanager
def _blocking_afterwards() -> Iterator[None]:
    """Undo what asyncio does to a terminal, which the shell goes on to share."""
    descriptor = os.dup(sys.stdin.fileno())
    try:
        yield
    finally:
        os.set_blocking(descriptor, True)
        os.close(descriptor)


@contextlib.contextmanager
def _unlimited_lines() -> Iterator[None]:
    """Let a terminal take lines of any length.

    In its usual mode the kernel keeps 4095 bytes of a line, and a pasted offer may be longer.
    """
    if not sys.stdin.isatty():
        yield
        return
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    during = termios.tcgetattr(descriptor)
    during[3] &= ~termios.ICANON
    termios.tcsetattr(descriptor, termios.TCSANOW, during)
    try:
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSANOW, before)
