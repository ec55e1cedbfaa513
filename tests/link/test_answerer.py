import asyncio

import pytest
from aiortc import RTCPeerConnection
from joined import Records, joined
from programs import soon

from ballstream.endings import By, Ending, Reason
from ballstream.errors import InternalFailure
from ballstream.link.source import Drawn


class Faulty(Records):
    """Raises at what it is told."""

    def __init__(self, fault: str) -> None:
        super().__init__()
        self._fault = fault

    def sent(self, drawn: Drawn) -> None:
        if self._fault == "sent":
            raise KeyError("sent")

    def said(self, message: object, at: float) -> None:
        if self._fault == "said":
            raise KeyError("said")


@pytest.mark.parametrize("transport", ["track", "datachannel"])
@pytest.mark.parametrize("fault", ["sent", "said"])
async def test_what_the_listener_raises_is_a_failure_and_closes_nothing(
    transport: str, fault: str
) -> None:
    async with joined(transport, Faulty(fault)) as (server, link):
        link.answer(None, None, None)
        with pytest.raises(InternalFailure, match=f"KeyError: '{fault}'"):
            await soon(server.failure())
        connections: list[RTCPeerConnection] = [server.peer.connection, link._peer.connection]
        assert {each.connectionState for each in connections} == {"connected"}


async def test_a_track_that_aiortc_gives_up_is_a_failure() -> None:
    async with joined("track", Records()) as (server, _):
        server._outlets.give_up()
        with pytest.raises(InternalFailure, match="aiortc gave it up"):
            await soon(server.failure())


async def test_the_client_s_end_is_no_failure() -> None:
    async with joined("track", Records()) as (server, link):
        closing = asyncio.create_task(server.closed())
        await soon(anext(link.pictures))
        await link._peer.connection.close()
        assert await soon(closing) == Ending(By.CLIENT, Reason.CLOSED)
        assert not server.passive
        assert await server.bytes_sent() > 0
