import asyncio
import json
import time

import pytest
from joined import Records, joined
from programs import soon

from ballstream.endings import By, Ending, Reason
from ballstream.errors import InternalFailure, SignalingError
from ballstream.link import offerer
from ballstream.link.offerer import Arrivals, open_link
from ballstream.protocol.frames import Image, ImageCodec
from ballstream.protocol.messages import Feedback
from ballstream.vision.decoding import picture_of


@pytest.mark.parametrize(
    ("transport", "codec", "stock"),
    [("track", "VP8", False), ("datachannel", "PNG", False), ("track", "VP8", True)],
)
async def test_pictures_come_and_answers_go(transport: str, codec: str, stock: bool) -> None:
    records = Records()
    begun = time.monotonic()
    async with joined(transport, records, stock=stock) as (server, link):
        living = asyncio.create_task(link.closed())
        for _ in range(5):
            picture = await soon(anext(link.pictures))
            assert link.answer(picture.frame, 1.5, 2.5, 0.12345)
            estimate = json.loads(await soon(records.messages.get()))
            client_ms = estimate.pop("client_ms")
            if stock:
                assert client_ms is None, "aiortc does not say when the packets came"
            else:
                assert 0 <= client_ms <= 1e3 * (time.monotonic() - begun)
            assert estimate == {
                "type": "estimate", "frame": picture.frame, "x": 1.5, "y": 2.5, "detect_ms": 0.123,
            }  # fmt: skip
            assert picture.frame in [drawn.number for drawn in records.frames]
        assert records.opened_once.is_set()
        assert link.codec == server.codec == codec
        assert server.transport == transport
        assert link.pictures.received >= 5
        assert link.lost == link.breaks == link.rejected == 0
        assert server.say(Feedback(5, 0.5, 1.5))
        while link.feedback is None:
            await soon(anext(link.pictures))
        assert link.feedback == Feedback(5, 0.5, 1.5)
        living.cancel()
        await asyncio.gather(living, return_exceptions=True)


async def test_answers_go_twice_while_the_server_says_that_packets_are_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(offerer, "_ALIVE_PERIOD", 1000)
    records = Records()
    async with joined("track", records) as (server, link):
        living = asyncio.create_task(link.closed())

        async def answered() -> dict[str, object]:
            picture = await soon(anext(link.pictures))
            assert link.answer(picture.frame, 1.5, 2.5)
            estimate: dict[str, object] = json.loads(await soon(records.messages.get()))
            return estimate

        assert server.say(Feedback(5, None, None, repeat=True))
        while link.feedback is None:
            await soon(anext(link.pictures))
        first = await answered()
        assert json.loads(await soon(records.messages.get())) == {**first, "again": True}
        # Of one without a number nobody could tell that it is a copy.
        assert link.answer(None, 1.5, 2.5)
        assert server.say(Feedback(5, None, None))
        while link.feedback.repeat:
            await soon(anext(link.pictures))
        unnumbered, last = json.loads(await soon(records.messages.get())), await answered()
        assert "again" not in {*unnumbered, *last}
        living.cancel()
        await asyncio.gather(living, return_exceptions=True)


async def test_it_gives_a_sign_of_life(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(offerer, "_ALIVE_PERIOD", 0.05)
    records = Records()
    async with joined("datachannel", records) as (_, link):
        living = asyncio.create_task(link.closed())
        signs = [json.loads(await soon(records.messages.get())) for _ in range(3)]
        living.cancel()
        await asyncio.gather(living, return_exceptions=True)
    assert {sign["type"] for sign in signs} == {"alive"}
    assert all(0 <= sign["skipped"] <= sign["received"] for sign in signs)


@pytest.mark.parametrize("transport", ["track", "datachannel"])
async def test_the_end_of_the_connection_is_that_of_the_pictures(transport: str) -> None:
    async with joined(transport, Records()) as (server, link):
        living = asyncio.create_task(link.closed())
        await soon(anext(link.pictures))
        await server.peer.connection.close()

        async def rest() -> None:
            async for _ in link.pictures:
                pass

        await soon(rest())
        assert await soon(living) == Ending(By.SERVER, Reason.CLOSED)
        assert not link.answer(1, 1, 1)


async def test_what_fails_in_it_is_raised_by_pictures_and_end() -> None:
    async with joined("track", Records()) as (_, link):
        link._peer.guard.fail("testing", ValueError("no"))
        with pytest.raises(InternalFailure, match="testing"):
            await soon(link.closed())
        with pytest.raises(InternalFailure, match="testing"):
            async for _ in link.pictures:
                pass


async def test_without_an_answer_there_is_no_link() -> None:
    async def refuse(offer: str) -> str:
        assert "m=application" in offer
        assert "m=video" in offer
        raise SignalingError("no")

    with pytest.raises(SignalingError, match="no"):
        async with open_link(refuse, convert=picture_of):
            pass


def test_an_answer_to_an_earlier_picture_counts_from_its_own_arrival() -> None:
    arrivals = Arrivals(lambda picture: picture)
    for number in range(100):
        arrivals.take((Image(number, 2, 2, ImageCodec.RAW, b""), float(number)))
    assert arrivals.instant(99) == 99.0
    assert arrivals.instant(50) == 50.0
    assert arrivals.instant(1) is None, "that is too long ago to be remembered"


def test_where_pictures_have_no_numbers_the_last_one_taken_counts() -> None:
    arrivals = Arrivals(lambda picture: None)
    assert arrivals.instant(7) is None
    for number in range(3):
        arrivals.take((Image(number, 2, 2, ImageCodec.RAW, b""), float(number)))
    assert arrivals.instant(7) == arrivals.instant(None) == 2.0
