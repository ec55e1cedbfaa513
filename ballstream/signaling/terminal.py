"""Signalling by hand: the lines appear on one terminal and are pasted into the other."""

import asyncio
import contextlib
import os
import stat
import sys
import termios
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import TextIO

from ..errors import SignalingError
from .messages import MAX_LINE, Channel, Message, decode, encode, read_line


class TerminalChannel(Channel):
    """A channel over the terminal, or over whatever standard input and `output` lead to.

    Prompts go to standard error, so that a program may stand in for the person.
    """

    def __init__(self, reader: asyncio.StreamReader, output: TextIO) -> None:
        self._reader = reader
        self._output = output

    async def send(self, message: Message) -> None:
        kind = type(message).__name__.lower()
        self._say(f"Paste this line into the other end ({kind}):")
        with contextlib.suppress(OSError):
            self._output.write(encode(message).decode())
            self._output.flush()

    async def receive(self) -> Message | None:
        self._say("Waiting for a line from the other end:")
        line = await read_line(self._reader)
        return decode(line) if line else None

    def _say(self, text: str) -> None:
        sys.stderr.write(f"-- {text}\n")
        sys.stderr.flush()


@asynccontextmanager
async def open_terminal(output: TextIO) -> AsyncIterator[TerminalChannel]:
    """A channel that reads lines from standard input and writes them to `output`.

    Raises SignalingError where standard input is neither a terminal nor a pipe.
    """
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
            yield TerminalChannel(reader, output)
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
