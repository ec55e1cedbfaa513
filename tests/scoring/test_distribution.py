import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ballstream.scoring.distribution import Distribution, Recent, Statistics


def distribution(*values: float) -> Distribution:
    taken = Distribution()
    for value in values:
        taken.add(value)
    return taken


def test_nothing_has_no_figures() -> None:
    assert Distribution().statistics() == Statistics(0, None, None, None, None, None)
    assert Distribution().recent() == Recent(None, None)


def test_one_value_is_all_figures() -> None:
    assert distribution(2.5).statistics() == Statistics(1, 2.5, 2.5, 2.5, 2.5, 2.5)


def test_figures_of_a_hundred_and_one_values() -> None:
    values = [float(value) for value in range(101)]
    random.Random(1).shuffle(values)
    assert distribution(*values).statistics() == Statistics(101, 50.0, 50.0, 95.0, 99.0, 100.0)


def test_percentiles_lie_between_values_where_they_fall_there() -> None:
    statistics = distribution(0, 10).statistics()
    assert statistics.p50 == 5
    assert statistics.p95 == 9.5
    assert statistics.p99 == pytest.approx(9.9)


def test_negative_values_count_too() -> None:
    assert distribution(-3, -1, -2).statistics().max == -1


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=200))
@settings(deadline=None)
def test_the_figures_are_in_order(values: list[float]) -> None:
    taken = distribution(*values).statistics()
    assert taken.n == len(values)
    assert taken.max == max(values)
    assert taken.mean == pytest.approx(sum(values) / len(values))
    assert taken.p50 is not None
    assert taken.p95 is not None
    assert taken.p99 is not None
    slack = 1e-6
    assert min(values) - slack <= taken.p50 <= taken.p95 + slack
    assert taken.p95 <= taken.p99 + slack <= max(values) + 2 * slack


def test_percentiles_are_exact_up_to_twenty_thousand_values() -> None:
    values = distribution(*range(20_000)).statistics()
    assert values.p50 == 9_999.5
    assert values.p95 == pytest.approx(0.95 * 19_999)


def test_memory_is_bounded_and_the_sample_is_fair() -> None:
    taken = distribution(*range(200_000))
    assert len(taken._kept) == 20_000
    assert len(taken._window) == 120
    statistics = taken.statistics()
    assert (statistics.n, statistics.mean, statistics.max) == (200_000, 99_999.5, 199_999)
    # The standard error of these percentiles is 710 at the most.
    assert statistics.p50 == pytest.approx(100_000, abs=3_000)
    assert statistics.p95 == pytest.approx(190_000, abs=1_500)
    assert statistics.p99 == pytest.approx(198_000, abs=700)


def test_recent_looks_at_the_last_hundred_and_twenty_values() -> None:
    taken = distribution(*[1000.0] * 500, *range(120))
    assert taken.recent() == Recent(59.5, 113.05)
    assert distribution(1, 2, 3).recent() == Recent(2, 2.9)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=300))
@settings(deadline=None)
def test_recent_agrees_with_numpy(values: list[float]) -> None:
    recent = distribution(*values).recent()
    expected = np.percentile(values[-120:], (50, 95))
    assert [recent.p50, recent.p95] == pytest.approx(expected.tolist(), abs=1e-6)
