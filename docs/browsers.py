"""Measure the page in browsers, and leave it in docs/browsers.json: `make browsers`.

Needs Chromium and Firefox, found on the PATH; both run headless, one page after the other, against
a real server on this machine. A browser that is not there is left out, and that is said.
"""

import argparse
import asyncio
import itertools
import json
import os
import re
import shutil
import signal
import statistics
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, fields
from itertools import starmap
from pathlib import Path
from typing import Any

import aiohttp
import psutil

sys.path.append(str(Path(__file__).parents[1] / "tests"))
from bidi import Firefox, firefox

RESULTS = Path(__file__).with_name("browsers.json")
CODECS = ("VP8", "H264")
NETWORKS = (None, "loss=2%")
"""What the server emulates, each way."""

DEADLINE = 60.0

_CHROMIUM = (
    "--headless",
    "--no-sandbox",
    "--no-first-run",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_STATE = "document.getElementById('state').dataset.state"
_STATUS = "document.getElementById('status').textContent"
_PATH = "document.getElementById('path').textContent"
_WORDS = {"processor": "MediaStreamTrackProcessor)", "callback": "requestVideoFrameCallback)"}


class Chromium:
    """A tab of a browser that runs; `version` is the browser's, `pid` that of its first process."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, pid: int) -> None:
        self.version = ""
        self.pid = pid
        self._socket = socket
        self._numbers = itertools.count(1)

    async def begin(self) -> None:
        """Ask for the version."""
        product: str = (await self._ask("Browser.getVersion"))["product"]
        self.version = product.partition("/")[2]

    async def goto(self, url: str) -> None:
        """Open a page."""
        await self._ask("Page.navigate", url=url)

    async def evaluate(self, expression: str) -> Any:
        """The value of an expression; None where it throws."""
        reply = await self._ask("Runtime.evaluate", expression=expression)
        return reply["result"].get("value")

    async def _ask(self, method: str, **params: object) -> Any:
        number = next(self._numbers)
        await self._socket.send_json({"id": number, "method": method, "params": params})
        async with asyncio.timeout(DEADLINE):
            while (reply := await self._socket.receive_json()).get("id") != number:
                pass
        if "error" in reply:
            raise RuntimeError(f"{method}: {reply}")
        return reply["result"]


@asynccontextmanager
async def _listening(*command: str) -> AsyncIterator[tuple[int, str]]:
    """A browser's process id and the address of its debugging socket."""
    process = await asyncio.create_subprocess_exec(
        *command, stderr=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL
    )
    assert process.stderr is not None
    try:
        address = await _first(process.stderr, rb"istening on (ws://\S+)")
        reading = asyncio.create_task(process.stderr.read())
        yield process.pid, address
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
    await reading


async def _first(stream: asyncio.StreamReader, pattern: bytes) -> str:
    """What the pattern's group is in the first line that has it; RuntimeError where none has."""
    async with asyncio.timeout(DEADLINE):
        async for line in stream:
            if found := re.search(pattern, line):
                return found[1].decode()
    raise RuntimeError("a program ended before it listened")


@asynccontextmanager
async def chromium(path: str) -> AsyncIterator[Chromium]:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        flags = (*_CHROMIUM, f"--user-data-dir={profile}", "--remote-debugging-port=0")
        async with _listening(path, *flags) as (pid, address), aiohttp.ClientSession() as http:
            base = address.replace("ws://", "http://").partition("/devtools")[0]
            async with http.put(f"{base}/json/new?about:blank") as response:
                tab = await response.json()
            async with http.ws_connect(tab["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                browser = Chromium(socket, pid)
                await browser.begin()
                yield browser


@dataclass(frozen=True)
class Way:
    """How frames go, in which codec, over which network; None is that of the machine."""

    path: str
    codec: str
    network: str | None


@dataclass(frozen=True)
class Run:
    """What one run came to; `answered` is of the frames due, `cpu` the browser's, of one core."""

    latency_p50_ms: float
    latency_p95_ms: float
    answered: float
    cpu: float


def cpu_seconds(pid: int) -> float:
    """What a process and its children have used."""
    total = 0.0
    root = psutil.Process(pid)
    for process in (root, *root.children(recursive=True)):
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
    return total


@asynccontextmanager
async def serving(
    codec: str, network: str | None
) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """A server that ends with its first session, and the address of its page."""
    process = await asyncio.create_subprocess_exec(
        Path(sys.executable).with_name("ballstream-server"),
        *("-s", "whep", "--http", "127.0.0.1:0", "--sessions", "1", "--json", "--codec", codec),
        *([] if network is None else ["--impair", network, "--impair-seed", "1"]),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    try:
        yield process, await _first(process.stderr, rb"the page is (http\S+)")
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await process.wait()


async def measure(browser: Chromium | Firefox, way: Way, seconds: float) -> Run:
    """One session of the page; raises RuntimeError where there is none."""
    async with serving(way.codec, way.network) as (server, url):
        await browser.goto(f"{url}?path={way.path}")
        async with asyncio.timeout(DEADLINE):
            while (state := await browser.evaluate(_STATE)) != "playing":
                if state in ("refused", "lost"):
                    raise RuntimeError(await browser.evaluate(_STATUS))
                await asyncio.sleep(0.1)
        if not str(said := await browser.evaluate(_PATH)).endswith(_WORDS[way.path]):
            raise RuntimeError(f"another path was taken: {said}")
        before = cpu_seconds(browser.pid)
        await asyncio.sleep(seconds)
        cpu = cpu_seconds(browser.pid) - before
        await browser.goto("about:blank")
        async with asyncio.timeout(DEADLINE):
            output, _ = await server.communicate()
    (session,) = json.loads(output)["sessions"]
    latency = session["latency_ms"]
    answered = 100 * session["frames_answered"] / session["frames_due"]
    return Run(latency["p50"], latency["p95"], answered, 100 * cpu / seconds)


def medians(runs: list[Run]) -> dict[str, float]:
    """The medians of the runs."""
    return {
        figure.name: round(statistics.median(getattr(run, figure.name) for run in runs), 2)
        for figure in fields(Run)
    }


async def results(repeat: int, seconds: float) -> dict[str, Any]:
    """What every way came to in every browser that is there, or why it came to nothing."""
    found = []
    for title, programs, start, paths in (
        ("Chromium", ("chromium", "google-chrome"), chromium, ("processor", "callback")),
        ("Firefox", ("firefox-esr", "firefox"), firefox, ("callback",)),
    ):
        program = next(filter(None, map(shutil.which, programs)), None)
        if program is None:
            print(f"left out: there is no {programs[0]}", file=sys.stderr)
            continue
        async with start(program) as browser:
            name = f"{title} {browser.version.partition('.')[0]}"
            for way in starmap(Way, itertools.product(paths, CODECS, NETWORKS)):
                try:
                    figures: dict[str, Any] = medians(
                        [await measure(browser, way, seconds) for _ in range(repeat)]
                    )
                except RuntimeError as error:
                    figures = {"refused": str(error)}
                found.append({"browser": name, **asdict(way), **figures})
                print(found[-1], file=sys.stderr)
    return {"cpus": os.cpu_count(), "runs": repeat, "seconds": seconds, "ways": found}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=3, help="runs of each way (default: 3)")
    parser.add_argument("--seconds", type=float, default=15, help="of each run (default: 15)")
    arguments = parser.parse_args()
    measured = asyncio.run(results(arguments.repeat, arguments.seconds))
    RESULTS.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
