"""A tab of a browser that can be left for another one: Playwright keeps all of its tabs awake."""

import asyncio
import re
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from browser import FLAGS, find_browser
from programs import DEADLINE, soon


class Tab:
    """A tab, asked over the DevTools protocol."""

    def __init__(
        self, http: aiohttp.ClientSession, address: str, socket: aiohttp.ClientWebSocketResponse
    ) -> None:
        self._http = http
        self._address = address
        self._socket = socket
        self._asked = 0

    async def goto(self, url: str) -> None:
        """Open a page and wait until it is loaded."""
        await self._ask("Page.enable")
        await self._ask("Page.navigate", url=url)
        async with asyncio.timeout(DEADLINE):
            while (await self._socket.receive_json()).get("method") != "Page.loadEventFired":
                pass

    async def evaluate(self, expression: str) -> Any:
        """The value of an expression, of a promise's if it is one."""
        reply = await self._ask(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in reply, reply
        return reply["result"].get("value")

    async def _ask(self, method: str, **params: object) -> Any:
        self._asked += 1
        await self._socket.send_json({"id": self._asked, "method": method, "params": params})
        async with asyncio.timeout(DEADLINE):
            while (reply := await self._socket.receive_json()).get("id") != self._asked:
                pass
        return reply["result"]

    async def leave(self) -> None:
        """Open another tab before this one."""
        async with self._http.put(f"{self._address}/json/new?about:blank"):
            pass


@asynccontextmanager
async def opened_tab(url: str) -> AsyncIterator[Tab]:
    """A page in the only tab of a headless Chromium."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = await asyncio.create_subprocess_exec(
            find_browser(),
            *("--headless", f"--user-data-dir={profile}", "--remote-debugging-port=0"),
            *FLAGS,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with aiohttp.ClientSession() as http:
                address = await soon(_address(process))
                async with http.put(f"{address}/json/new?about:blank") as response:
                    target = (await response.json())["webSocketDebuggerUrl"]
                async with http.ws_connect(target) as socket:
                    tab = Tab(http, address, socket)
                    await tab.goto(url)
                    yield tab
        finally:
            process.terminate()
            await soon(process.communicate())


async def _address(process: asyncio.subprocess.Process) -> str:
    assert process.stderr is not None
    async for line in process.stderr:
        if found := re.search(r"listening on ws://([^/]+)/", line.decode()):
            return f"http://{found[1]}"
    raise AssertionError("the browser ended before it listened")
