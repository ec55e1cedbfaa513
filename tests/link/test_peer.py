import asyncio

import pytest
from programs import soon

from ballstream.config import DIRECT
from ballstream.errors import PeerLost
from ballstream.link import peer as peer_module
from ballstream.link.negotiation import accept_answer, answer_offer, make_offer
from ballstream.link.peer import Peer


async def connect(client: Peer, server: Peer) -> None:
    """Join two ends that have a channel and the video section that keeps them reporting."""
    client.connection.createDataChannel("coordinates")
    client.connection.addTransceiver("video", direction="recvonly")
    answer = await answer_offer(server.connection, await make_offer(client.connection))
    await accept_answer(client.connection, answer)
    await soon(asyncio.gather(client.connected(), server.connected()))


async def test_the_other_end_closes() -> None:
    async with Peer(DIRECT) as server:
        async with Peer(DIRECT) as client:
            await connect(client, server)
        await soon(server.watch())


async def test_the_other_end_falls_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peer_module, "SILENCE", 0.6)
    async with Peer(DIRECT) as client, Peer(DIRECT) as server:
        await connect(client, server)
        with pytest.raises(PeerLost, match=r"nothing came .* for 0.6 s"):
            await soon(client.watch())


async def test_no_connection_comes_about(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peer_module, "CONNECT_TIMEOUT", 0.1)
    async with Peer(DIRECT) as client:
        client.connection.addTransceiver("video", direction="recvonly")
        await make_offer(client.connection)
        with pytest.raises(PeerLost, match="UDP"):
            await soon(client.connected())
