"""Offer and answer in lines, without anything that carries them."""

import asyncio

import pytest
from programs import soon

from ballstream.errors import InternalFailure, NoRoute, SignalingError
from ballstream.signaling.lines import LineOffer, Lines, exchanging, read_offer
from ballstream.signaling.messages import (
    MAX_LINE,
    Answer,
    Bye,
    Failure,
    IncomingOffer,
    Message,
    Offer,
    encode,
)


class Written(Lines):
    """Lines that a peer has written in advance, and a list for what it is told."""

    def __init__(self, *said: Message | bytes, patience: float | None = 30, end: bool = True):
        super().__init__(asyncio.StreamReader(limit=MAX_LINE), patience)
        self.sent: list[Message] = []
        self.say(*said)
        if end:
            self._reader.feed_eof()

    def say(self, *said: Message | bytes) -> None:
        for each in said:
            self._reader.feed_data(each if isinstance(each, bytes) else encode(each))

    async def send(self, message: Message) -> None:
        self.sent.append(message)


async def ask(lines: Lines) -> str:
    async with exchanging(lines) as exchange:
        answer: str = await soon(exchange.exchange("the offer"))
        return answer


async def test_the_client_asks_and_says_goodbye() -> None:
    lines = Written(Answer("the answer"))
    async with exchanging(lines) as exchange:
        assert await soon(exchange.exchange("the offer", "arm")) == "the answer"
        await exchange.goodbye()
    assert lines.sent == [Offer("the offer", "arm"), Bye()]


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Failure("the server is full"), "refused: the server is full"),
        (Bye(), "something else"),
        (Offer("v=0"), "something else"),
        (b"", "hung up"),
        (b"HTTP/1.1 400 Bad Request\r\n", "not a signalling message"),
        (b"x" * (MAX_LINE + 2), "longer than"),
        (b"\n" * 100, "blank lines"),
    ],
)
async def test_what_is_no_answer_is_said_so(reply: Message | bytes, reason: str) -> None:
    with pytest.raises(SignalingError, match=reason):
        await ask(Written(reply))


async def test_what_a_server_says_is_cut_short() -> None:
    with pytest.raises(SignalingError) as caught:
        await ask(Written(Failure("x" * 100_000)))
    assert len(str(caught.value)) < 300


async def test_a_server_that_does_not_answer() -> None:
    with pytest.raises(SignalingError, match=r"no answer within 0\.01 s"):
        await ask(Written(patience=0.01, end=False))


async def test_the_server_says_goodbye_to_the_client() -> None:
    lines = Written(Answer("v"), end=False)
    async with exchanging(lines) as exchange:
        await soon(exchange.exchange("the offer"))
        assert not exchange.gone.is_set()
        lines.say(b"\n  \n", Bye())
        await soon(exchange.gone.wait())


async def test_after_the_answer_there_is_only_the_bye() -> None:
    lines = Written(Answer("v"), Answer("v"))
    async with exchanging(lines) as exchange:
        await soon(exchange.exchange("the offer"))
        with pytest.raises(SignalingError, match="only the bye"):
            await soon(exchange.gone.wait())


async def test_that_we_fail_to_hear_a_goodbye_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = Written(Answer("v"), end=False)
    async with exchanging(lines) as exchange:
        await soon(exchange.exchange("the offer"))
        monkeypatch.setattr("ballstream.signaling.lines.decode", broken)
        lines.say(Bye())
        with pytest.raises(InternalFailure, match=r"waiting for a goodbye \(ValueError: no\)"):
            await soon(exchange.gone.wait())


def broken(*_: object) -> None:
    raise ValueError("no")


async def offered(*said: Message | bytes) -> LineOffer:
    offer = await soon(read_offer(Written(*said)))
    assert isinstance(offer, LineOffer)
    return offer


async def test_an_offer_comes_with_a_name_or_without() -> None:
    offer = await offered(Offer("v=0", "left arm"))
    assert (offer.sdp, offer.name, offer.client) == ("v=0", "left arm", None)
    assert (await offered(Offer("v=0"))).name is None
    assert (await offered(Offer("v=0", ""))).name is None
    assert (await offered(Offer("v=0", "ü" * 64))).name == "ü" * 64


@pytest.mark.parametrize("name", ["x" * 65, "a\nb", "\x1b[2J", "\u202eabc", "\x7f"])
async def test_a_name_is_short_and_can_be_printed(name: str) -> None:
    with pytest.raises(SignalingError, match="64 printable characters"):
        await offered(Offer("v=0", name))


async def test_the_bye_of_an_earlier_session_is_passed_over() -> None:
    assert (await offered(Bye(), b"\r\n", Offer("v=0"))).sdp == "v=0"


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ([Answer("v=0")], "must be an offer"),
        ([Bye(), Bye()], "must be an offer"),
        ([b"hello\n"], "not a signalling message"),
        ([b"\n" * 100], "blank lines"),
        ([b"x" * (MAX_LINE + 2)], "longer than"),
    ],
)
async def test_what_is_no_offer_is_said_so(said: list[Message | bytes], reason: str) -> None:
    with pytest.raises(SignalingError, match=reason):
        await offered(*said)


async def test_who_hangs_up_has_no_offer() -> None:
    assert await soon(read_offer(Written())) is None
    assert await soon(read_offer(Written(Bye()))) is None


async def test_who_takes_too_long_is_told_how_long() -> None:
    with pytest.raises(SignalingError, match=r"no offer within 0\.01 s"):
        await soon(read_offer(Written(patience=0.01, end=False)))


async def test_the_server_answers_hears_the_goodbye_and_says_it() -> None:
    lines = Written(Offer("v=0"), Bye())

    async def accept(offer: IncomingOffer) -> None:
        await offer.answer(offer.sdp.upper())
        await offer.gone.wait()
        await offer.goodbye()

    offer = await soon(read_offer(lines))
    await soon(offer.run(accept))
    assert lines.sent == [Answer("V=0"), Bye()]


async def test_the_server_refuses_in_words() -> None:
    lines = Written(Offer("v=0"))

    async def accept(offer: IncomingOffer) -> None:
        await offer.refuse(NoRoute("no way"))

    offer = await soon(read_offer(lines))
    await soon(offer.run(accept))
    assert lines.sent == [Failure("no way")]


async def test_a_client_that_says_more_than_bye_fails_its_session() -> None:
    async def accept(offer: IncomingOffer) -> None:
        with pytest.raises(SignalingError, match="only the bye"):
            await offer.gone.wait()

    await soon((await offered(Offer("v=0"), Offer("v=0"))).run(accept))


async def test_a_client_that_hangs_up_may_go_on_with_its_media() -> None:
    async def accept(offer: IncomingOffer) -> None:
        for _ in range(10):
            await asyncio.sleep(0)
        assert not offer.gone.is_set()

    await soon((await offered(Offer("v=0"))).run(accept))


async def test_nobody_listens_on_after_a_session() -> None:
    lines = Written(Offer("1"), end=False)

    async def accept(offer: IncomingOffer) -> None:
        pass

    first = await soon(read_offer(lines))
    await soon(first.run(accept))
    lines.say(Bye(), Offer("2"))
    assert (await soon(read_offer(lines))).sdp == "2"
