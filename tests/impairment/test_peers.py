"""Two aiortc peers whose packets pass the emulated network: STUN, DTLS and SCTP."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from math import sqrt

import pytest
from aiortc import RTCDataChannel, RTCPeerConnection
from programs import soon

from ballstream import impairment
from ballstream.impairment.conditions import Impairment
from ballstream.impairment.emulation import Direction, Link
from ballstream.impairment.grammar import parse_plan
from ballstream.impairment.record import LinkRecord
from ballstream.impairment.sockets import Emulation, emulate

PATIENCE = 0.1
"""Seconds after which a message counts as lost; on a busy machine it may only be late."""


@asynccontextmanager
async def echo() -> AsyncIterator[RTCDataChannel]:
    """A channel to a peer that sends back what it gets."""
    near, far = RTCPeerConnection(), RTCPeerConnection()
    channel = near.createDataChannel("echo", ordered=False, maxRetransmits=0)
    opened = asyncio.Event()
    channel.on("open", opened.set)

    @far.on("datachannel")
    def on_datachannel(other: RTCDataChannel) -> None:
        other.on("message", other.send)

    try:
        await near.setLocalDescription(await near.createOffer())
        await far.setRemoteDescription(near.localDescription)
        await far.setLocalDescription(await far.createAnswer())
        await near.setRemoteDescription(far.localDescription)
        await soon(opened.wait())
        yield channel
    finally:
        await near.close()
        await far.close()


async def round_trips(channel: RTCDataChannel, number: int) -> dict[int, float]:
    """Send numbered messages one by one; how long each took to come back, in s, if it did."""
    sent: dict[int, float] = {}
    taken: dict[int, float] = {}
    came = asyncio.Event()

    def on_message(message: object) -> None:
        assert isinstance(message, str)
        taken[int(message)] = time.monotonic() - sent[int(message)]
        if int(message) == len(sent) - 1:
            came.set()

    channel.on("message", on_message)
    for place in range(number):
        came.clear()
        sent[place] = time.monotonic()
        channel.send(str(place))
        try:
            async with asyncio.timeout(PATIENCE):
                await came.wait()
        except TimeoutError:
            continue
    return taken


def run(network: Impairment, number: int) -> tuple[dict[int, float], Emulation]:
    """Round trips of messages where all that either peer sends goes down."""

    async def both() -> tuple[dict[int, float], Emulation]:
        async with emulate(network, Direction.DOWN) as emulation, echo() as channel:
            emulation.start()
            return await round_trips(channel, number), emulation

    with asyncio.Runner(loop_factory=impairment.loop) as runner:
        return runner.run(both())


def test_a_round_trip_takes_both_delays() -> None:
    taken, emulation = run(Impairment(parse_plan("delay=20ms")), 30)
    assert len(taken) >= 15
    assert min(taken.values()) >= 0.04
    record = emulation.record()
    assert record.down.lost == 0
    assert record.down.lateness_ms.n > 60


def test_peers_find_each_other_in_spite_of_losses_which_are_those_that_were_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gone: list[bool] = []
    offer = Link.offer

    def spy(link: Link[object], datagram: object, size: int, at: float) -> float | None:
        release = offer(link, datagram, size, at)
        if link.plan == plan:
            gone.append(release is None)
        return release

    monkeypatch.setattr(Link, "offer", spy)
    plan = parse_plan("delay=2ms,loss=20%")
    _, emulation = run(Impairment(plan, seed=4), 60)
    down: LinkRecord = emulation.record().down
    assert down.packets == len(gone) > 100
    assert abs(down.lost / down.packets - 0.2) < 5 * sqrt(0.2 * 0.8 / down.packets)
    again: Link[None] = Link(plan, 4, Direction.DOWN)
    monkeypatch.undo()
    assert gone == [again.offer(None, 1, 0.0) is None for _ in gone]
