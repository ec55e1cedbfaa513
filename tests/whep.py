"""A server over HTTP, and offers as other people's players make them."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
from aiohttp import web
from aiortc import (
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpReceiver,
    RTCSessionDescription,
)
from origin import serving_app
from programs import Program, run, soon

from ballstream.config import DIRECT, Web
from ballstream.signaling.messages import Accept, Refused
from ballstream.web import defence
from ballstream.web.endpoint import Endpoint

SDP = {"Content-Type": "application/sdp"}
NOWHERE = ("--http", "127.0.0.1:0")
"""Any port that is free."""

SMALL = ("--size", "320x240")
"""Pictures that cost a browser little."""


@dataclass(frozen=True, slots=True)
class Served:
    """A running server, the address of its page, and a client to ask it with."""

    program: Program
    url: str
    http: aiohttp.ClientSession

    @property
    def whep(self) -> str:
        return f"{self.url}whep"

    async def ask(
        self, method: str, path: str = "whep", **arguments: object
    ) -> tuple[aiohttp.ClientResponse, str]:
        """The response to a request, and its body."""
        async with asyncio.timeout(30):
            async with self.http.request(method, self.url + path, **arguments) as response:  # type: ignore[arg-type]
                return response, await response.text()

    async def post(self, sdp: str, **headers: str) -> tuple[aiohttp.ClientResponse, str]:
        """The response to an offer, and the answer."""
        return await self.ask("POST", data=sdp, headers={**SDP, **headers})


@asynccontextmanager
async def serving_http(*flags: str, env: dict[str, str] | None = None) -> AsyncIterator[Served]:
    async with run("server", "-s", "whep", *NOWHERE, "--json", *flags, env=env) as program:
        await program.says("the page is ")
        found = re.search(r"the page is (http://\S+)", program.errors)
        assert found is not None
        async with aiohttp.ClientSession() as http:
            yield Served(program, found[1], http)


@asynccontextmanager
async def endpoint_of(
    accept: Accept, settings: Web, refused: Refused = lambda error: None
) -> AsyncIterator[aiohttp.ClientSession]:
    """The endpoint alone, in this process; gives a client to ask it with."""
    app = web.Application(
        middlewares=[defence.limit_rate(settings), defence.check_origin(settings)]
    )
    endpoint = Endpoint(settings, DIRECT, accept, refused)
    endpoint.add_routes(app)
    async with serving_app(app) as origin:
        try:
            async with aiohttp.ClientSession(origin) as http:
                yield http
        finally:
            await endpoint.close()


@asynccontextmanager
async def offering(*parts: str, codec: str | None = None) -> AsyncIterator[RTCPeerConnection]:
    """A connection that offers `video`, `audio` and `channel` in the order given."""
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    try:
        for part in parts:
            if part == "channel":
                connection.createDataChannel("coordinates")
                continue
            transceiver = connection.addTransceiver(part, direction="recvonly")
            if codec is not None and part == "video":
                capabilities = RTCRtpReceiver.getCapabilities("video")
                assert capabilities is not None
                wanted = f"video/{codec}".lower()
                transceiver.setCodecPreferences(
                    [each for each in capabilities.codecs if each.mimeType.lower() == wanted]
                )
        await connection.setLocalDescription(await connection.createOffer())
        yield connection
    finally:
        await connection.close()


async def make_offer(*parts: str, codec: str | None = None) -> str:
    """An offer whose maker never comes."""
    async with offering(*parts, codec=codec) as connection:
        sdp: str = connection.localDescription.sdp
        return sdp


async def connect(connection: RTCPeerConnection, answer: str) -> None:
    """Apply an answer and wait until the connection stands."""
    connected = asyncio.Event()

    def check() -> None:
        if connection.connectionState == "connected":
            connected.set()

    connection.on("connectionstatechange", check)
    await connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    check()
    await soon(connected.wait())
