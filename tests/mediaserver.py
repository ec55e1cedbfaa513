"""A media server in the test's process: WHIP in, WHEP out, the pictures coded anew in between."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import web
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCSessionDescription,
    VideoStreamTrack,
)
from aiortc.contrib.media import MediaRelay
from av import VideoFrame
from origin import serving_app
from programs import soon
from whep import SDP

Alter = Callable[[VideoFrame], VideoFrame]


class Altered(VideoStreamTrack):
    """What was published, with every frame altered."""

    def __init__(self, track: MediaStreamTrack, alter: Alter) -> None:
        super().__init__()
        self._track = track
        self._alter = alter

    async def recv(self) -> VideoFrame:
        frame = await self._track.recv()
        assert isinstance(frame, VideoFrame)
        altered = self._alter(frame)
        altered.pts, altered.time_base = frame.pts, frame.time_base
        return altered


class MediaServer:
    """Takes one publisher after the other at `/whip`, and shows the last at `/whep`.

    With `offers` it answers a player's offer with one of its own.
    """

    def __init__(self, *, offers: bool = False, alter: Alter | None = None) -> None:
        self.url = ""
        self.requests: list[tuple[str, str]] = []
        self.deleted = asyncio.Event()
        self.published = asyncio.Event()
        self._offers = offers
        self._alter = alter
        self._relay = MediaRelay()
        self._track: MediaStreamTrack | None = None
        self._connections: list[RTCPeerConnection] = []

    async def whip(self, request: web.Request) -> web.Response:
        connection = self._connect()

        @connection.on("track")
        def keep(track: MediaStreamTrack) -> None:
            self._track = track
            self.published.set()

        await connection.setRemoteDescription(RTCSessionDescription(await request.text(), "offer"))
        await connection.setLocalDescription(await connection.createAnswer())
        return self._described(201, connection)

    async def whep(self, request: web.Request) -> web.Response:
        if self._track is None:
            raise web.HTTPNotFound
        connection = self._connect()
        shown = self._relay.subscribe(self._track, buffered=False)
        connection.addTransceiver(
            shown if self._alter is None else Altered(shown, self._alter), direction="sendonly"
        )
        if self._offers:
            await connection.setLocalDescription(await connection.createOffer())
            return self._described(406, connection)
        await connection.setRemoteDescription(RTCSessionDescription(await request.text(), "offer"))
        await connection.setLocalDescription(await connection.createAnswer())
        return self._described(201, connection)

    def _connect(self) -> RTCPeerConnection:
        connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._connections.append(connection)
        return connection

    def _described(self, status: int, connection: RTCPeerConnection) -> web.Response:
        location = f"session/{self._connections.index(connection)}"
        return web.Response(
            status=status,
            text=connection.localDescription.sdp,
            headers={**SDP, "Location": location},
        )

    async def patch(self, request: web.Request) -> web.Response:
        connection = self._connections[int(request.match_info["number"])]
        answer = RTCSessionDescription(await request.text(), "answer")
        await connection.setRemoteDescription(answer)
        return web.Response(status=204)

    async def delete(self, request: web.Request) -> web.Response:
        await self._connections[int(request.match_info["number"])].close()
        self.deleted.set()
        return web.Response()

    async def forget(self) -> None:
        """Close all connections, as a server does that is started again."""
        self._track = None
        self.published.clear()
        await asyncio.gather(*(connection.close() for connection in self._connections))

    @web.middleware
    async def note(self, request: web.Request, handler: web.RequestHandler) -> web.StreamResponse:
        self.requests.append((request.method, request.path))
        response: web.StreamResponse = await handler(request)  # type: ignore[operator]
        return response


@asynccontextmanager
async def media_server(
    *, offers: bool = False, alter: Alter | None = None
) -> AsyncIterator[MediaServer]:
    """A media server at an address of its own."""
    server = MediaServer(offers=offers, alter=alter)
    app = web.Application(middlewares=[server.note])  # type: ignore[list-item]
    app.router.add_post("/whip", server.whip)
    app.router.add_post("/whep", server.whep)
    app.router.add_patch("/session/{number}", server.patch)
    app.router.add_delete("/session/{number}", server.delete)
    async with serving_app(app) as server.url:
        try:
            yield server
        finally:
            await soon(server.forget())
