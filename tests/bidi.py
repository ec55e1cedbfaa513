"""Firefox, headless, its profile as it comes, by WebDriver BiDi (w3c.github.io/webdriver-bidi).

Firefox listens by itself: no driver stands between. It needs nothing but aiohttp, so what is not a
test can use it as well:

    async with firefox("firefox-esr") as browser:
        await browser.goto("http://127.0.0.1:8080/")
        title = await browser.evaluate("document.title")
"""

import asyncio
import itertools
import json
import os
import re
import signal
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp

DEADLINE = 60.0


class Firefox:
    """A tab of a browser that runs; `version` is the browser's, `pid` that of its first process."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, pid: int) -> None:
        self.version = ""
        self.pid = pid
        self._socket = socket
        self._numbers = itertools.count(1)
        self._context = ""

    async def begin(self) -> None:
        """Begin the one session that there is, and take its tab."""
        session = await self._ask("session.new", capabilities={})
        self.version = session["capabilities"]["browserVersion"]
        tree = await self._ask("browsingContext.getTree")
        self._context = tree["contexts"][0]["context"]

    async def goto(self, url: str) -> None:
        """Open a page and wait until it is loaded."""
        await self._ask("browsingContext.navigate", context=self._context, url=url, wait="complete")

    async def evaluate(self, expression: str) -> Any:
        """The value of an expression, or of its promise, as far as JSON has it.

        Raises RuntimeError where it throws.
        """
        reply = await self._ask(
            "script.evaluate",
            expression=f"Promise.resolve({expression}).then((it) => JSON.stringify(it) ?? 'null')",
            target={"context": self._context},
            awaitPromise=True,
        )
        if reply["type"] == "exception":
            raise RuntimeError(reply["exceptionDetails"]["text"])
        return json.loads(reply["result"]["value"])

    async def _ask(self, method: str, **params: object) -> Any:
        number = next(self._numbers)
        await self._socket.send_json({"id": number, "method": method, "params": params})
        async with asyncio.timeout(DEADLINE):
            # What else comes are events, and nobody asked for any.
            while (reply := await self._socket.receive_json()).get("id") != number:
                pass
        if "error" in reply:
            raise RuntimeError(f"{method}: {reply['message']}")
        return reply["result"]


@asynccontextmanager
async def firefox(
    program: str, preferences: Mapping[str, bool | int | str] | None = None
) -> AsyncIterator[Firefox]:
    """A Firefox of its own, which ends with the context.

    `preferences` are what `about:config` shows, where they are not to be the default's. Raises
    RuntimeError where it ends by itself, TimeoutError where it does not answer.
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        lines = (
            f"user_pref({json.dumps(name)}, {json.dumps(value)});\n"
            for name, value in (preferences or {}).items()
        )
        Path(profile, "user.js").write_text("".join(lines), encoding="utf-8")
        async with (
            _listening(program, profile) as (pid, address),
            aiohttp.ClientSession() as http,
            http.ws_connect(f"{address}/session", max_msg_size=0) as socket,
        ):
            browser = Firefox(socket, pid)
            await browser.begin()
            yield browser


@asynccontextmanager
async def _listening(program: str, profile: str) -> AsyncIterator[tuple[int, str]]:
    """The browser's process and the address that it listens at."""
    flags = ("--headless", "--no-remote", "--profile", profile, "--remote-debugging-port", "0")
    process = await asyncio.create_subprocess_exec(
        program, *flags,
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    assert process.stderr is not None
    reading = asyncio.create_task(_address(process.stderr))
    try:
        yield process.pid, await reading
    finally:
        # Its tabs are processes of their own, and would outlive it for a while.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        await process.communicate()


async def _address(errors: asyncio.StreamReader) -> str:
    async with asyncio.timeout(DEADLINE):
        async for line in errors:
            if found := re.search(rb"BiDi listening on (ws://\S+)", line):
                return found[1].decode()
    raise RuntimeError("Firefox ended before it listened")
