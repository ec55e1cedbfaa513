import asyncio

import pytest
from programs import soon

from ballstream.errors import InternalFailure
from ballstream.link.guard import Guard
from ballstream.link.published import Published
from ballstream.link.source import Drawn


class Audience:
    """Takes down what it is told."""

    def __init__(self) -> None:
        self.told: list[object] = []

    def sent(self, drawn: Drawn) -> None:
        self.told.append(drawn.number)

    def left_out(self, drawn: Drawn) -> None:
        self.told.append(-drawn.number)

    def interrupted(self) -> None:
        self.told.append("interrupted")


def drawn(number: int) -> Drawn:
    return Drawn(number, number / 2, 100 + number / 2)


def test_who_joins_hears_of_the_last_ten_seconds_and_of_what_follows() -> None:
    published, audience = Published(), Audience()
    with published.open_way():
        for number in range(1, 31):
            published.sent(drawn(number))
            published.sent(drawn(number))  # to another media server
        published.join(audience, Guard())
        assert audience.told == list(range(10, 31))
        audience.told.clear()
        published.left_out(drawn(31))
        published.sent(drawn(32))
        assert audience.told == [-31, 32]
        published.leave(audience)
        published.sent(drawn(33))
    assert audience.told == [-31, 32]


def test_it_is_interrupted_when_the_last_way_ends() -> None:
    published, audience = Published(), Audience()
    published.join(audience, Guard())
    assert audience.told == ["interrupted"]
    with published.open_way():
        with published.open_way():
            pass
        assert audience.told == ["interrupted"]
    assert audience.told == ["interrupted", "interrupted"]


async def test_one_that_fails_disturbs_nobody() -> None:
    class Faulty(Audience):
        def sent(self, drawn: Drawn) -> None:
            raise KeyError("sent")

    published, audience, guard = Published(), Audience(), Guard()
    published.join(Faulty(), guard)
    published.join(audience, Guard())
    published.sent(drawn(1))
    assert audience.told == ["interrupted", 1]
    with pytest.raises(InternalFailure, match="telling of a published frame"):
        await soon(asyncio.ensure_future(guard.failure()))
