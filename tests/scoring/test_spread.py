import pytest
from hypothesis import given
from hypothesis import strategies as st

from ballstream.scoring.distribution import Statistics
from ballstream.scoring.spread import Spread

values = st.floats(0, 2e3)
stretches = st.lists(st.tuples(st.floats(1e-4, 10), values, values), min_size=1, max_size=20)


def share_below(pieces: list[tuple[float, float, float]], value: float) -> float:
    """The exact share of the time in which a value is not exceeded."""
    below = 0.0
    for seconds, first, last in pieces:
        low, high = sorted((first, last))
        inside = float(value >= high) if high == low else (value - low) / (high - low)
        below += seconds * min(max(inside, 0.0), 1.0)
    return below / sum(seconds for seconds, *_ in pieces)


@given(stretches)
def test_percentiles_are_of_the_time_and_exact_to_a_percent(
    pieces: list[tuple[float, float, float]],
) -> None:
    spread = Spread()
    for piece in pieces:
        spread.add(*piece)
    found = spread.statistics(5)
    assert found.n == 5
    assert found.max == max(max(first, last) for _, first, last in pieces)
    total = sum(seconds for seconds, *_ in pieces)
    mean = sum(seconds * (first + last) / 2 for seconds, first, last in pieces) / total
    assert found.mean == pytest.approx(mean)
    for share, value in ((0.5, found.p50), (0.95, found.p95), (0.99, found.p99)):
        assert value is not None
        assert share_below(pieces, 1.0101 * value + 0.0011) >= share - 1e-6
        assert share_below(pieces, max(value / 1.0101 - 0.0011, -1.0)) <= share + 1e-6


def test_a_value_that_stays_is_all_there_is() -> None:
    spread = Spread()
    spread.add(2.0, 5.0, 5.0)
    found = spread.statistics(1)
    assert (found.mean, found.max) == (5, 5)
    assert found.p50 == pytest.approx(5, rel=0.01)


def test_of_no_time_nothing_is_known() -> None:
    assert Spread().statistics(3) == Statistics(3)


def test_what_is_beyond_all_bounds_counts() -> None:
    spread = Spread()
    spread.add(1.0, 1e7, 2e7)
    assert spread.statistics(1).max == 2e7
