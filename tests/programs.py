"""The two commands as real processes, every wait under a deadline that fails."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

DEADLINE = 30.0


async def soon(awaitable: Awaitable[Any], seconds: float = DEADLINE) -> Any:
    """Await under a deadline that fails."""
    async with asyncio.timeout(seconds):
        return await awaitable


class Program:
    """One of the commands, running as a user would run it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.errors = ""
        self._said_all = False
        self._line = asyncio.Condition()
        self._errors_read = asyncio.create_task(self._read_errors())

    async def _read_errors(self) -> None:
        assert self.process.stderr is not None
        async for line in self.process.stderr:
            async with self._line:
                self.errors += line.decode()
                self._line.notify_all()
        async with self._line:
            self._said_all = True
            self._line.notify_all()

    async def says(self, text: str) -> None:
        """Wait until the program has said something on standard error."""
        async with asyncio.timeout(DEADLINE), self._line:
            await self._line.wait_for(lambda: text in self.errors or self._said_all)
        assert text in self.errors, self.errors

    async def read_line(self) -> bytes:
        """The next line on standard output."""
        assert self.process.stdout is not None
        line: bytes = await soon(self.process.stdout.readline())
        return line

    def write_line(self, line: bytes) -> None:
        """Type a line into standard input."""
        assert self.process.stdin is not None
        self.process.stdin.write(line)

    def send_signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    @property
    def children(self) -> list[psutil.Process]:
        """The processes that it has started, and theirs; none where it has ended."""
        try:
            return psutil.Process(self.process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []

    def kill(self) -> None:
        """End it and all that it has started, whichever of them are still there."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)

    async def ends(self, seconds: float = DEADLINE) -> tuple[int, str]:
        """Wait for the end; the exit status and what is left on standard output."""
        assert self.process.stdout is not None
        output = await soon(self.process.stdout.read(), seconds)
        status = await soon(self.process.wait(), seconds)
        await soon(self._errors_read)
        return status, output.decode()

    async def report(self, seconds: float = DEADLINE) -> Any:
        """Wait for the end of a run with `--json`; the document."""
        status, output = await self.ends(seconds)
        assert status == 0, self.errors
        return json.loads(output)


@asynccontextmanager
async def run(
    command: str,
    *flags: str,
    env: dict[str, str] | None = None,
    cwd: Path | None = None,
    within: tuple[str, ...] = (),
) -> AsyncIterator[Program]:
    """Run `ballstream-<command>`; it is killed, with its children, when the context ends.

    `within` stands before the command, as `ip netns exec` does.
    """
    process = await asyncio.create_subprocess_exec(
        *within,
        Path(sys.executable).with_name(f"ballstream-{command}"),
        *flags,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **(env or {})},
        cwd=cwd,
        limit=1 << 20,
        start_new_session=True,
    )
    program = Program(process)
    try:
        yield program
    finally:
        program.kill()
        assert process.stdin is not None
        process.stdin.close()
        await program.ends()
