import random

import pytest

from ballstream.config import Redundancy
from ballstream.link.redundancy import MOST_PACKETS, Repeats

RATE = 30


class Path:
    """A stream of one packet a frame, whose receiver reports once a second."""

    def __init__(self, repeats: Repeats, highest: int = 65_000) -> None:
        self.repeats = repeats
        self.highest = highest
        self.lost = 0
        self.now = 100.0
        self.tell()

    def tell(self, delay: float | None = 0.04) -> None:
        self.repeats.report(self.highest & 0xFFFF, self.lost, delay, self.now)

    def second(self, lost: int = 0, delay: float | None = 0.04) -> bool:
        """Whether frames are repeated after a second in which so many were lost."""
        self.highest += RATE
        self.lost += lost
        self.now += 1
        self.tell(delay)
        return self.active

    @property
    def active(self) -> bool:
        return self.repeats.active(self.now)


def auto(*, told_apart: bool = True) -> Path:
    return Path(Repeats(Redundancy.AUTO, told_apart=told_apart))


def clean() -> Path:
    """A path that has shown itself to lose nothing."""
    path = auto()
    for _ in range(5):
        path.second()
    assert not path.active
    return path


def test_on_and_off_are_what_they_say() -> None:
    on, off = Path(Repeats(Redundancy.ON)), Path(Repeats(Redundancy.OFF))
    for _ in range(60):
        assert on.second()
        assert not off.second(lost=5)
    assert on.repeats.copies(1, on.now) == 1
    assert off.repeats.copies(1, off.now) == 0


def test_it_begins_with_copies_until_the_reports_have_spoken_of_no_loss() -> None:
    path = auto()
    assert path.repeats.copies(1, path.now) == 1
    assert [path.second() for _ in range(5)] == [True] * 4 + [False]
    assert path.repeats.copies(1, path.now) == 0


def test_the_first_report_of_a_loss_brings_them_back_and_some_seconds_without_end_them() -> None:
    path = clean()
    assert path.second(lost=1)
    assert [path.second() for _ in range(30)] == [True] * 29 + [False]


def test_a_request_brings_them_back_before_any_report() -> None:
    path = clean()
    path.repeats.asked(path.now)
    assert path.active


@pytest.mark.parametrize("seed", range(20))
def test_they_stay_through_a_minute_of_two_percent_whatever_they_repair(seed: int) -> None:
    chance = random.Random(seed)
    path = auto()
    path.second(lost=1)
    for _ in range(60):
        assert path.second(lost=sum(chance.random() < 0.02 for _ in range(RATE)))


@pytest.mark.parametrize("seed", range(20))
def test_a_receiver_that_cannot_tell_copies_apart_does_not_end_them_by_their_success(
    seed: int,
) -> None:
    chance = random.Random(seed)
    path = auto(told_apart=False)
    path.second(lost=1)
    for _ in range(60):
        assert path.second(lost=sum(chance.random() < 0.02**2 for _ in range(RATE)))


def test_where_more_is_lost_there_is_a_second_copy() -> None:
    path = auto()
    for _ in range(20):
        path.second(lost=1)
        path.second(lost=2)
    assert path.repeats.copies(1, path.now) == 2
    for _ in range(60):
        path.second(lost=path.highest // RATE % 2)
    assert path.repeats.copies(1, path.now) == 1


def test_frames_of_many_packets_are_not_repeated() -> None:
    path = auto()
    assert path.repeats.copies(MOST_PACKETS, path.now) == 1
    assert path.repeats.copies(MOST_PACKETS + 1, path.now) == 0


def test_what_is_repeated_in_a_second_has_a_limit() -> None:
    path = Path(Repeats(Redundancy.ON))
    sent = sum(path.repeats.copies(4, path.now + frame / 120) * 4 for frame in range(1200))
    assert 2400 - 4 <= sent <= 2400 + 32


def test_a_link_that_holds_packets_up_gets_no_copies_for_a_while() -> None:
    path = auto()
    path.second()
    assert path.second(delay=0.18)
    assert not path.second(lost=2, delay=0.3)
    path.repeats.asked(path.now)
    assert not any(path.second(lost=1) for _ in range(9))
    assert not path.second()
    assert path.second(lost=1)


def test_a_link_that_loses_a_third_for_seconds_gets_no_copies() -> None:
    path = auto()
    assert path.second(lost=10)
    assert path.second(lost=10)
    assert not path.second(lost=10)


def test_an_outage_is_no_crowded_link() -> None:
    path = auto()
    path.highest += 90
    assert path.second(lost=90)
    assert path.second()


def test_an_older_report_that_was_overtaken_changes_nothing() -> None:
    path = clean()
    path.repeats.report((path.highest - 10) & 0xFFFF, path.lost + 1, 0.04, path.now)
    assert not path.active
    assert not path.second()


def test_a_report_without_a_round_trip_is_as_good() -> None:
    path = auto()
    assert [path.second(delay=None) for _ in range(5)] == [True] * 4 + [False]
