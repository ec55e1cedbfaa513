import random
from math import ceil

import pytest

from ballstream.impairment.lateness import Lateness, LatenessMs


def test_of_nothing_nothing_is_said() -> None:
    assert Lateness().statistics() == LatenessMs(0)


def test_figures_are_of_all_and_percentiles_within_one_per_cent() -> None:
    dice = random.Random(7)
    values = [dice.expovariate(1 / 0.2) for _ in range(5000)]
    lateness = Lateness()
    for value in values:
        lateness.add(value / 1000)
    figures = lateness.statistics()
    values.sort()
    assert figures.n == 5000
    assert figures.mean == pytest.approx(sum(values) / 5000)
    assert figures.max == pytest.approx(values[-1])
    for percent, found in ((50, figures.p50), (95, figures.p95), (99, figures.p99)):
        exact = values[ceil(50 * percent) - 1]
        assert found is not None
        assert exact <= found <= exact * 1.01


def test_what_was_in_time_is_not_late() -> None:
    lateness = Lateness()
    lateness.add(0.0)
    assert lateness.statistics() == LatenessMs(1, 0.0, 0.0, 0.0, 0.0, 0.0)
