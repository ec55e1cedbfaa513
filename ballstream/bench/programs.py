"""The programs of a run: Python, an environment of their own, and what they say."""

import asyncio
import os
import sys
import tempfile
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from ..errors import BallstreamError
from ..signaling.sockets import LONGEST_PATH

_SHORT_FOLDERS = ("/tmp", "/var/tmp")  # noqa: S108 - what is made in them is only ours to enter
_LAST_WORDS = 4096
_OURS = "BALLSTREAM_"


class Program:
    """A program that runs.

    What it says on standard error is read as it comes, so that it never has to wait for us.
    """

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._reading = asyncio.create_task(self._read_errors())
        self._errors = b""

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.returncode is None

    def terminate(self) -> None:
        self._process.terminate()

    def tell(self, line: str) -> None:
        """Say something short to it, on its standard input."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n".encode())

    def close_input(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()

    async def ready(self) -> str:
        """Wait for its first line; raises BallstreamError where it ends without one."""
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        if not line:
            await self._ended()
            raise self._failure()
        return line.decode()

    async def output(self) -> str:
        """Wait for its end; what it printed. Raises BallstreamError where it failed."""
        assert self._process.stdout is not None
        output = await self._process.stdout.read()
        await self._ended()
        if self._process.returncode != 0:
            raise self._failure()
        return bytes(output).decode()

    async def kill(self) -> None:
        """End it, if it has not ended, and wait until it is gone."""
        if self.running:
            self._process.kill()
        await self._ended()

    async def _ended(self) -> None:
        await self._process.wait()
        await self._reading

    def _failure(self) -> BallstreamError:
        lines = self._errors.decode(errors="replace").strip().splitlines() or ["it said nothing"]
        return BallstreamError(f"a run failed: {lines[-1]}")

    async def _read_errors(self) -> None:
        assert self._process.stderr is not None
        while some := await self._process.stderr.read(1 << 16):
            self._errors = (self._errors + some)[-_LAST_WORDS:]


@asynccontextmanager
async def running(
    code: str, *arguments: str, env: Mapping[str, str] | None = None
) -> AsyncIterator[Program]:
    """Run Python code as a program, which ends with the context.

    Its environment is ours without the variables that are flags of ballstream, and with `env`.
    """
    process = await asyncio.create_subprocess_exec(
        # -P: no module of the folder that we happen to be in takes the place of another.
        *(sys.executable, "-P", "-c", code, *arguments),
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
        env=_environment(env or {}),
    )
    program = Program(process)
    try:
        yield program
    finally:
        await program.kill()


def _environment(own: Mapping[str, str]) -> dict[str, str]:
    """What the programs see: a flag in a variable of the user's would make it another scenario."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    return {**inherited, **own}


def folder_for_socket(name: str) -> str:
    """A folder in which temporary files go, short enough for a folder with a socket in it.

    `name` is the path that is to follow. Raises BallstreamError where there is none.
    """
    for folder in (tempfile.gettempdir(), *_SHORT_FOLDERS):
        path = Path(folder)
        fits = len(os.fsencode(path / name)) <= LONGEST_PATH
        if fits and path.is_dir() and os.access(path, os.W_OK | os.X_OK):
            return folder
    raise BallstreamError(
        f"no folder for a socket: TMPDIR is {tempfile.gettempdir()}, and the path of a socket has "
        f"at most {LONGEST_PATH} bytes; set TMPDIR to a shorter one"
    )
