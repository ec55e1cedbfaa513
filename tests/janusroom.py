"""Debian's Janus with the bridge and the WHEP server of deploy/janus, on ports of their own."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from programs import soon

from ballstream.signaling.retry import persist

DEPLOY = Path(__file__).parents[1] / "deploy" / "janus"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Program:
    """A program that is there once it listens on its port."""

    command: tuple[str, ...]
    port: int
    folder: Path
    process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        with (self.folder / f"{Path(self.command[-1]).name}.log").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *self.command, cwd=self.folder, stdout=log, stderr=log, start_new_session=True
            )

        async def knock() -> None:
            _, writer = await asyncio.open_connection("127.0.0.1", self.port)
            writer.close()

        await persist(knock, 30, self.command[0], "it does not listen")

    async def kill(self) -> None:
        assert self.process is not None
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        await soon(self.process.wait())


@dataclass
class Janus:
    """The three programs; `server` is Janus itself."""

    server: Program
    whip: str
    whep: str
    others: list[Program] = field(default_factory=list)


@asynccontextmanager
async def running_janus(folder: Path) -> AsyncIterator[Janus]:
    """All of them, from a copy of deploy/janus in which `npm install` was done."""
    http, ws, bridge, whep = (free_port() for _ in range(4))
    for file, written, port in (("http", "8088", http), ("websockets", "8188", ws)):
        path = folder / f"janus.transport.{file}.jcfg"
        text = (DEPLOY / path.name).read_text()
        assert written in text
        path.write_text(text.replace(written, str(port)))
    janus = Program(("janus", "-F", str(folder)), http, folder)
    others = [
        Program(
            (sys.executable, str(DEPLOY / "bridge.py"), f"127.0.0.1:{bridge}",
             f"http://127.0.0.1:{http}/janus"),
            bridge, folder,
        ),
        Program(("node", "whep.mjs", str(whep), f"ws://127.0.0.1:{ws}"), whep, folder),
    ]  # fmt: skip
    try:
        for program in (janus, *others):
            await program.start()
        yield Janus(
            janus,
            f"http://127.0.0.1:{bridge}/whip/1",
            f"http://127.0.0.1:{whep}/whep/endpoint/1",
            others,
        )
    finally:
        for program in (janus, *others):
            if program.process is not None:
                await program.kill()
