import asyncio
import logging

import pytest
from aiortc.stats import RTCTransportStats
from programs import soon

from ballstream.config import DIRECT
from ballstream.errors import InternalFailure, PeerLost
from ballstream.link import peer as peer_module
from ballstream.link.negotiation import accept_answer, answer_offer, make_offer
from ballstream.link.peer import Peer
from ballstream.rate import RateLimit


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


class Clock:
    """A clock that runs a second a look."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        self.now += 1
        return self.now


async def connect_by_channel(client: Peer, server: Peer) -> None:
    client.connection.createDataChannel("coordinates")
    answer = await answer_offer(server.connection, await make_offer(client.connection))
    await accept_answer(client.connection, answer)
    await soon(asyncio.gather(client.connected(), server.connected()))


async def test_without_media_silence_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Peer(DIRECT) as client, Peer(DIRECT) as server:
        await connect_by_channel(client, server)
        polled = asyncio.Semaphore(0)
        transport = server._transport

        async def poll() -> RTCTransportStats | None:
            polled.release()
            return await transport()

        monkeypatch.setattr(peer_module, "time", Clock())
        monkeypatch.setattr(peer_module, "_POLL", 0.001)
        monkeypatch.setattr(server, "_transport", poll)
        watching = asyncio.create_task(server.watch())
        for _ in range(50):  # of which each takes a second at the least, by this clock
            await soon(polled.acquire())
        assert not watching.done()
        await client.connection.close()
        await soon(watching)


async def test_who_gave_signs_of_life_is_missed_without_media(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with Peer(DIRECT) as client, Peer(DIRECT) as server:
        await connect_by_channel(client, server)
        monkeypatch.setattr(peer_module, "time", Clock())
        monkeypatch.setattr(peer_module, "_POLL", 0.001)
        server.gives_signs = True
        with pytest.raises(PeerLost, match=r"nothing came .* for 4 s"):
            await soon(server.watch())


async def test_that_we_stood_still_ourselves_is_no_silence_of_the_peer_s(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Stopped:
        """A clock that stands at an instant, until the process was stopped for a while."""

        now = 100.0

        def monotonic(self) -> float:
            return self.now

    async with Peer(DIRECT) as client, Peer(DIRECT) as server:
        await connect_by_channel(client, server)
        clock, polled = Stopped(), asyncio.Semaphore(0)

        async def poll() -> None:
            polled.release()

        monkeypatch.setattr(peer_module, "time", clock)
        monkeypatch.setattr(peer_module, "_POLL", 0.001)
        monkeypatch.setattr(peer_module, "_saying", RateLimit(1, 1))
        monkeypatch.setattr(server, "_transport", poll)
        server.gives_signs = True

        async def looks() -> None:
            for _ in range(2):
                await soon(polled.acquire())

        watching = asyncio.create_task(server.watch())
        await looks()
        clock.now += 10
        await looks()
        assert not watching.done(), "it has had no time to say anything"
        for _ in range(2):
            clock.now += 1.5
            await looks()
        server.heard()
        clock.now += 1.5
        await looks()
        clock.now += 1.5
        await looks()
        assert not watching.done()
        clock.now += 1.5
        with pytest.raises(PeerLost, match=r"nothing came .* for 4 s"):
            await soon(watching)
        assert server.heard_at == 113.0
    said = [each.getMessage() for each in caplog.records if each.levelno >= logging.WARNING]
    assert said == ["this program itself stood still for 10.0 s"]


async def test_who_lost_its_consent_was_there_until_it_gave_it_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Failed:
        connectionState = "failed"  # noqa: N815 - aiortc's name

    async with Peer(DIRECT) as peer:
        monkeypatch.setattr(peer_module, "time", Clock())
        connection, peer.connection = peer.connection, Failed()  # type: ignore[assignment]
        with pytest.raises(PeerLost, match="broke"):
            await soon(peer.watch())
        assert peer.heard_at == 101.0, "it was heard later than consent was given last"
        peer.connection = connection


async def test_a_failing_callback_is_kept_and_the_connection_goes_on() -> None:
    def fail(*_: object) -> None:
        raise KeyError("no")

    async with Peer(DIRECT) as client, Peer(DIRECT) as server:
        server.guard.on(server.connection, "datachannel", fail, "taking a channel")
        await connect_by_channel(client, server)
        with pytest.raises(InternalFailure, match="taking a channel"):
            await soon(server.guard.failure())
        assert server.connection.connectionState == "connected"


async def fail(*_: object) -> None:
    raise ValueError("no")


async def test_an_error_of_aiortc_s_own_is_not_taken_for_the_other_end_s_goodbye(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with Peer(DIRECT) as client, Peer(DIRECT) as server:
        await connect_by_channel(client, server)
        assert server.connection.sctp is not None
        monkeypatch.setattr(server.connection.sctp, "_handle_data", fail)
        watching = asyncio.create_task(server.watch())
        client.connection.createDataChannel("another")  # so that something comes
        with pytest.raises(InternalFailure, match=r"reading packets \(ValueError: no\)"):
            await soon(watching)
