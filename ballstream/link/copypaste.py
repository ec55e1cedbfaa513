"""Signalling by hand: the lines appear on one terminal and are pasted into the other."""

import asyncio
import contextlib
import sys
import termios
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import TextIO

from .signaling import MAX_LINE, Channel, Message, decode, encode, read_line


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
async def open_terminal(json: bool) -> AsyncIterator[TerminalChannel]:
    """A channel from standard input to standard output, or to standard error for `--json`.

    With `--json` nothing but the document at the end may stand on standard output.
    """
    loop = asyncio.get_running_loop()
    output = sys.stderr if json else sys.stdout
    reader = asyncio.StreamReader(limit=MAX_LINE)
    with _unlimited_lines():
        transport, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
        )
        try:
            yield TerminalChannel(reader, output)
        finally:
            transport.close()


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
