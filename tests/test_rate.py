import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ballstream.rate import RateLimit


def test_a_burst_is_allowed_and_no_more() -> None:
    limit = RateLimit(per_second=8, burst=3)
    assert [limit.allows(100.0) for _ in range(5)] == [True, True, True, False, False]


def test_one_more_is_allowed_when_its_time_has_come() -> None:
    limit = RateLimit(per_second=8, burst=1)
    assert [limit.allows(at) for at in (0.0, 0.0625, 0.125, 0.1875, 0.25)] == [
        True, False, True, False, True,
    ]  # fmt: skip


def test_silence_is_not_saved_up_beyond_the_burst() -> None:
    limit = RateLimit(per_second=8, burst=3)
    for _ in range(3):
        assert limit.allows(0.0)
    assert [limit.allows(1e6) for _ in range(5)] == [True, True, True, False, False]


@pytest.mark.parametrize("start", [0.0, -5.0, 1e6])
def test_the_average_holds_whenever_it_starts(start: float) -> None:
    limit = RateLimit(per_second=8, burst=4)
    allowed = sum(limit.allows(start + step / 64) for step in range(640))
    # Four at once, and eight a second for 639/64 s.
    assert allowed == 4 + 79


@given(st.lists(st.floats(0, 0.5), max_size=200))
@settings(deadline=None)
def test_no_pattern_gets_more_than_burst_and_average(gaps: list[float]) -> None:
    limit = RateLimit(per_second=10, burst=5)
    at = 0.0
    allowed = 0
    for gap in gaps:
        at += gap
        allowed += limit.allows(at)
        assert allowed <= 5 + 10 * at + 1e-6


def test_a_larger_amount_takes_as_many_or_none_at_all() -> None:
    limit = RateLimit(per_second=4, burst=4)
    assert limit.allows(0.0, 3)
    assert not limit.allows(0.0, 2)
    assert limit.allows(0.0)
    assert not limit.allows(0.25, 2)
    assert limit.allows(0.5, 2)
