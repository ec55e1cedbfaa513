#!/usr/bin/env python3
"""WHIP (RFC 9725) for a Janus VideoRoom: what is posted here becomes a publisher of the room.

    bridge.py [HOST:PORT] [JANUS] [ROOM]

by default 127.0.0.1:7080 http://127.0.0.1:8088/janus 1234.

POST an offer to `/whip/FEED`, where FEED is the number under which the room knows the publisher;
DELETE what `Location` names. Janus answers with all of its candidates at once, so there is nothing
to trickle. Needs aiohttp alone.
"""

import asyncio
import contextlib
import secrets
import sys
from typing import Any

import aiohttp
from aiohttp import web

LONG_POLL = 30  # seconds in which Janus has something to say, be it that there is nothing


class Publisher:
    """A session with Janus and a handle of its VideoRoom, kept alive by asking for events."""

    def __init__(self, http: aiohttp.ClientSession, janus: str) -> None:
        self._http, self._url = http, janus
        self._events: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._listening: asyncio.Task[None] | None = None
        self.on_end = lambda: None  # called when Janus has ended the session

    async def publish(self, room: int, feed: int, offer: str) -> str:
        """Join the room as `feed` with an offer; the answer."""
        session = (await self._ask(janus="create"))["data"]["id"]
        self._url = session_url = f"{self._url}/{session}"
        self._listening = asyncio.create_task(self._listen(session_url))
        handle = (await self._ask(janus="attach", plugin="janus.plugin.videoroom"))["data"]["id"]
        body = {"request": "joinandconfigure", "room": room, "ptype": "publisher", "id": feed}
        jsep = {"type": "offer", "sdp": offer}
        await self._ask(f"/{handle}", janus="message", body=body, jsep=jsep)
        while True:
            event = await self._events.get()
            if "error" in event.get("plugindata", {}).get("data", {}):
                raise web.HTTPConflict(text=event["plugindata"]["data"]["error"])
            if "jsep" in event:
                answer: str = event["jsep"]["sdp"]
                return answer

    async def leave(self) -> None:
        """End the session; whoever watches the feed sees no more of it."""
        if self._listening is not None:
            self._listening.cancel()
            await self._destroy()

    async def _ask(self, path: str = "", **request: Any) -> dict[str, Any]:
        request["transaction"] = secrets.token_hex(8)
        try:
            async with self._http.post(self._url + path, json=request) as response:
                said: dict[str, Any] = await response.json()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise web.HTTPBadGateway(text=f"Janus does not answer: {error}") from None
        if said["janus"] == "error":
            raise web.HTTPBadGateway(text=said["error"]["reason"])
        return said

    async def _listen(self, url: str) -> None:
        timeout = aiohttp.ClientTimeout(total=2 * LONG_POLL)
        kind = ""
        with contextlib.suppress(aiohttp.ClientError, TimeoutError):
            while kind not in ("hangup", "timeout", "error"):
                async with self._http.get(url, timeout=timeout) as response:
                    event = await response.json()
                kind = event["janus"]
                if kind == "event":
                    self._events.put_nowait(event)
        await self._destroy()
        self.on_end()

    async def _destroy(self) -> None:
        with contextlib.suppress(web.HTTPException):
            await self._ask(janus="destroy")


class Bridge:
    """The HTTP side, which knows every publisher by what its `Location` ends with."""

    def __init__(self, janus: str, room: int) -> None:
        self._janus, self._room = janus, room
        self._publishers: dict[str, Publisher] = {}

    async def post(self, request: web.Request) -> web.Response:
        if request.content_type != "application/sdp":
            raise web.HTTPUnsupportedMediaType(text="an offer is application/sdp")
        publisher = Publisher(self._http, self._janus)
        try:
            async with asyncio.timeout(8):
                feed = int(request.match_info["feed"])
                answer = await publisher.publish(self._room, feed, await request.text())
        except BaseException as error:
            await publisher.leave()
            if isinstance(error, TimeoutError):
                raise web.HTTPGatewayTimeout(text="Janus gives no answer") from None
            raise
        name = secrets.token_urlsafe(12)
        self._publishers[name] = publisher
        publisher.on_end = lambda: self._publishers.pop(name, None)
        headers = {"Location": f"/session/{name}"}
        return web.Response(
            status=201, text=answer, content_type="application/sdp", headers=headers
        )

    async def delete(self, request: web.Request) -> web.Response:
        publisher = self._publishers.pop(request.match_info["name"], None)
        if publisher is None:
            raise web.HTTPNotFound
        await publisher.leave()
        return web.Response()

    async def running(self, app: web.Application) -> Any:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as self._http:
            yield
            for publisher in self._publishers.values():
                await publisher.leave()


def main(address: str = "127.0.0.1:7080", *rest: str) -> None:
    janus, room = (*rest, *("http://127.0.0.1:8088/janus", "1234")[len(rest) :])
    bridge = Bridge(janus, int(room))
    app = web.Application()
    app.cleanup_ctx.append(bridge.running)
    app.router.add_post(r"/whip/{feed:\d+}", bridge.post)
    app.router.add_delete("/session/{name}", bridge.delete)
    host, _, port = address.rpartition(":")
    web.run_app(app, host=host, port=int(port))


if __name__ == "__main__":
    main(*sys.argv[1:])
