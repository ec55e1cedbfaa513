"""One run of a scenario: the real commands, as processes, over a socket of their own."""

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, nullcontext
from pathlib import Path
from typing import Any

import msgspec
import psutil

from ..errors import BallstreamError
from ..report.records import SessionReport
from .programs import Program, folder_for_socket, running
from .scenarios import Scenario

MEASURED = "measured"
"""The name of the client whose figures count."""

_SERVER = "from ballstream.commands.cli import server; server()"
_CLIENT = "from ballstream.commands.cli import client; client()"
_COMPANION = "from ballstream.bench.companion import main; main()"
_VIEWERS = "from ballstream.bench.viewers import main; main()"
_FOLDER = "ballstream-bench-"
_WARM_UP = 2.0
_MARGIN = 20.0
_GATHERING = 60.0


class Run(msgspec.Struct, frozen=True):
    """What one run gave: the session of the client that is scored, and the share of one core that
    each program took between warm-up and end, in percent.

    `viewer_frames` are the frames that each further viewer received, `config` how each end was
    configured, `impairment` what the network did that the server emulated, None where it did not.
    """

    session: SessionReport
    server_cpu: float
    client_cpu: float
    viewer_frames: list[int]
    config: dict[str, Any]
    impairment: dict[str, Any] | None = None

    @property
    def lateness_p99_ms(self) -> float | None:
        """How late the emulated network released a packet, of the direction that is worse."""
        if self.impairment is None:
            return None
        both = [self.impairment[way]["lateness_ms"]["p99"] for way in ("down", "up")]
        return max((each for each in both if each is not None), default=None)


Way = Callable[[Path], AbstractAsyncContextManager[Path]]
"""The socket of the server, into one from which the measured client finds another way to it."""


async def run_scenario(
    scenario: Scenario,
    duration: float,
    env: Mapping[str, str] | None = None,
    way: Way = nullcontext,
) -> Run:
    """Run a scenario for `duration` seconds; raises BallstreamError where an end fails.

    All who take part beside the client that is measured are there, and answer, before it starts.
    `env` is added to the environment of the server as its items are, and to that of the client
    with `.client` behind each value, so that both can be told where to write.
    """
    ours = dict(env or {})
    theirs = {name: f"{value}.client" for name, value in ours.items()}
    place = folder_for_socket(f"{_FOLDER}12345678/socket")
    with tempfile.TemporaryDirectory(prefix=_FOLDER, dir=place) as folder:
        path = Path(folder) / "socket"
        flags = _flags(path)
        most = ("--max-sessions", str(scenario.viewers + 64))
        measured = ("--json", "--name", MEASURED, "--duration", str(duration))
        async with (
            running(_SERVER, *flags, *scenario.server, *most, "--json", env=ours) as server,
            _company(scenario, flags, path) as company,
            way(path) as entrance,
            running(_CLIENT, *_flags(entrance), *scenario.client, *measured, env=theirs) as client,
            _limited(duration + _MARGIN, "a run did not end"),
        ):
            reception, (server_cpu, client_cpu) = await _both(client, server, duration)
            frames = await company.end()
            server.terminate()
            report = json.loads(await server.output())
    config = {"server": report["config"], "client": json.loads(reception)["config"]}
    session = measured_session(report)
    return Run(session, server_cpu, client_cpu, frames, config, report["impairment"])


def _flags(path: Path) -> tuple[str, ...]:
    """The flags for signalling over a socket."""
    return ("-s", "unix-socket", "--signaling-path", str(path))


def measured_session(report: Mapping[str, Any]) -> SessionReport:
    """The session of the measured client, from the document of the server."""
    for each in report["sessions"]:
        if each["client"] == MEASURED and each["frames_answered"]:
            return msgspec.convert(each, SessionReport)
    raise BallstreamError("a run failed: the server heard no answer of the client to be measured")


async def _both(client: Program, server: Program, duration: float) -> tuple[str, list[float]]:
    """What the client printed at its end, and what both took of a core until then."""
    cpu = asyncio.create_task(_cpu_shares((server, client), duration))
    try:
        return await client.output(), await cpu
    finally:
        cpu.cancel()
        await asyncio.gather(cpu, return_exceptions=True)


class Company:
    """Who takes part beside the measured client."""

    def __init__(self, clients: list[Program], viewers: Program | None) -> None:
        self._clients = clients
        self._viewers = viewers

    async def end(self) -> list[int]:
        """Let the viewers go; the frames that each got.

        Raises BallstreamError where somebody left early, or got nothing: a server that has nothing
        to do for them is quick.
        """
        for client in self._clients:
            if not client.running:
                await client.output()
                raise BallstreamError("a run failed: one of the further clients left early")
        if self._viewers is None:
            return []
        self._viewers.close_input()
        frames = [int(line) for line in (await self._viewers.output()).split()]
        if not all(frames):
            raise BallstreamError("a run failed: one of the viewers got no frame")
        return frames


@asynccontextmanager
async def _company(
    scenario: Scenario, flags: tuple[str, ...], path: Path
) -> AsyncIterator[Company]:
    """All further clients and viewers, each of whom is there; they end with the context."""
    async with AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(
                running(_COMPANION, *flags, *scenario.client, "--name", f"companion-{number}")
            )
            for number in range(scenario.clients)
        ]
        viewers = None
        if scenario.viewers:
            watching = running(_VIEWERS, str(path), str(scenario.viewers))
            viewers = await stack.enter_async_context(watching)
        async with _limited(_GATHERING, "not all of the further clients were there"):
            for program in (*clients, *([viewers] if viewers else [])):
                await program.ready()
        yield Company(clients, viewers)


@asynccontextmanager
async def _limited(seconds: float, what: str) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise BallstreamError(f"{what} within {seconds:g} s") from None


async def _cpu_shares(programs: tuple[Program, ...], duration: float) -> list[float]:
    """The share of one core, in percent, that each program and its children take."""
    await asyncio.sleep(_WARM_UP)
    before = [_cpu_seconds(program.pid) for program in programs]
    measured = max(duration - _WARM_UP, 0.5)
    await asyncio.sleep(measured)
    after = [_cpu_seconds(program.pid) for program in programs]
    return [100 * (b - a) / measured for a, b in zip(before, after, strict=True)]


def _cpu_seconds(pid: int) -> float:
    try:
        program = psutil.Process(pid)
        family = [program, *program.children(recursive=True)]
        return sum(sum(each.cpu_times()[:2]) for each in family)
    except psutil.NoSuchProcess:
        raise BallstreamError("a run ended before it was measured") from None
