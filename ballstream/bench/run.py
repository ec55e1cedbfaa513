"""One run of a scenario: the real commands, as processes, over a socket of their own."""

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import msgspec
import psutil

from ..errors import BallstreamError
from ..report.records import SessionReport
from .scenarios import Scenario

_WARM_UP = 2.0
_MARGIN = 20.0
_LONGEST_PATH = 103
"""Bytes in the path of a socket: 108 on Linux and 104 elsewhere, with a zero at the end."""


class Run(msgspec.Struct, frozen=True):
    """What one run gave: the session of the client that is scored, and the share of one core that
    each program took between warm-up and end, in percent.

    `viewer_frames` are the frames that each further viewer received.
    """

    session: SessionReport
    server_cpu: float
    client_cpu: float
    viewer_frames: list[int]


async def run_scenario(
    scenario: Scenario, duration: float, env: Mapping[str, str] | None = None
) -> Run:
    """Run a scenario for `duration` seconds; raises BallstreamError where an end fails.

    `env` is added to the environment of the server as its items are, and to that of the client
    with `.client` behind each value, so that both can be told where to write.
    """
    ours = dict(env or {})
    theirs = {name: f"{value}.client" for name, value in ours.items()}
    with tempfile.TemporaryDirectory(prefix="ballstream-bench-") as folder:
        path = Path(folder) / "socket"
        if len(os.fsencode(path)) > _LONGEST_PATH:
            raise BallstreamError(
                f"the name of the folder for temporary files is too long for a socket in it: "
                f"{folder!r}; set TMPDIR to a shorter one"
            )
        flags = ("-s", "unix-socket", "--signaling-path", str(path), "--json")
        count = scenario.viewers + 64
        async with (
            _program(
                "server", (*flags, *scenario.server, "--max-sessions", str(count)), ours
            ) as server,
            _viewers(path, scenario.viewers) as viewers,
            _clients(scenario, flags),
            _program(
                "client", (*flags, *scenario.client, "--duration", str(duration)), theirs
            ) as client,
            _limited(duration + _MARGIN),
        ):
            cpu = asyncio.create_task(_cpu_shares((server, client), duration))
            await _output(client)
            server_cpu, client_cpu = await cpu
            frames = await _stop_viewers(viewers)
            server.terminate()
            document = json.loads(await _output(server))
    sessions = [msgspec.convert(each, SessionReport) for each in document["sessions"]]
    session = max(sessions, key=lambda each: each.frames_answered)
    return Run(session, server_cpu, client_cpu, frames)


@asynccontextmanager
async def _limited(seconds: float) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise BallstreamError(f"a run did not end within {seconds:g} s") from None


@asynccontextmanager
async def _program(
    name: str, flags: tuple[str, ...], env: Mapping[str, str]
) -> AsyncIterator[asyncio.subprocess.Process]:
    code = f"from ballstream.commands.cli import {name}; {name}()"
    async with _process("-c", code, *flags, env=env) as process:
        yield process


@asynccontextmanager
async def _viewers(path: Path, count: int) -> AsyncIterator[asyncio.subprocess.Process | None]:
    if count == 0:
        yield None
        return
    async with _process("-m", "ballstream.bench.viewers", str(path), str(count)) as process:
        assert process.stdout is not None
        await process.stdout.readline()  # they are all there
        yield process


@asynccontextmanager
async def _clients(scenario: Scenario, flags: tuple[str, ...]) -> AsyncIterator[None]:
    """Further clients, which end with the context."""
    async with AsyncExitStack() as stack:
        for _ in range(scenario.clients):
            await stack.enter_async_context(_program("client", (*flags, *scenario.client), {}))
        yield


@asynccontextmanager
async def _process(
    *arguments: str, env: Mapping[str, str] | None = None
) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",  # nothing in the working folder is meant
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**_clean(os.environ), **(env or {})},
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


def _clean(environment: Mapping[str, str]) -> dict[str, str]:
    """An environment without our variables: a scenario is what its name says."""
    return {
        name: value
        for name, value in environment.items()
        if not name.upper().startswith("BALLSTREAM_")
    }


async def _output(process: asyncio.subprocess.Process) -> str:
    """Wait for the end of a program; what it printed."""
    output, errors = await process.communicate()
    if process.returncode != 0:
        lines = errors.decode().strip().splitlines() or ["it said nothing"]
        raise BallstreamError(f"a run failed: {lines[-1]}")
    text: str = output.decode()
    return text


async def _stop_viewers(viewers: asyncio.subprocess.Process | None) -> list[int]:
    """End the viewers' process by closing its input; the frames that each of them got."""
    if viewers is None:
        return []
    assert viewers.stdin is not None
    viewers.stdin.close()
    return [int(line) for line in (await _output(viewers)).split()]


async def _cpu_shares(
    processes: tuple[asyncio.subprocess.Process, ...], duration: float
) -> list[float]:
    """The share of one core, in percent, that each program and its children take."""
    await asyncio.sleep(_WARM_UP)
    before = [_cpu_seconds(process.pid) for process in processes]
    measured = max(duration - _WARM_UP, 0.5)
    await asyncio.sleep(measured)
    after = [_cpu_seconds(process.pid) for process in processes]
    return [100 * (b - a) / measured for a, b in zip(before, after, strict=True)]


def _cpu_seconds(pid: int) -> float:
    try:
        program = psutil.Process(pid)
        family = [program, *program.children(recursive=True)]
        return sum(sum(each.cpu_times()[:2]) for each in family)
    except psutil.NoSuchProcess:
        raise BallstreamError("a run ended before it was measured") from None
