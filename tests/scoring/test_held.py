"""The held error against a brute-force integration, and where it is known exactly."""

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ballstream.scene.motion import bounce
from ballstream.scoring.distribution import Statistics
from ballstream.scoring.held import HeldError

answers = st.lists(
    st.tuples(st.floats(0.001, 0.4), st.floats(0, 0.3), st.integers(-3, 3)),
    min_size=1,
    max_size=25,
)


@settings(deadline=None, max_examples=40)
@example([(0.25, 0.0, 0), (0.25, 0.28125, 0)], 0.0, 50, 0)  # an answer at the very end
@example([(0.25, 0.0, 0), (0.25, 0.0, 0), (0.375, 0.25, 0)], 6.1e-05, 3000, 1)  # just before it
@given(answers, st.floats(0, 2), st.sampled_from([50, 280, 3000]), st.integers(0, 5))
def test_it_is_the_integral_over_the_time(
    gaps: list[tuple[float, float, int]], tail: float, speed: float, seed: int
) -> None:
    motion = bounce(640, 480, 20, speed, seed)
    held, begin, at = HeldError(motion.centre), 1.0, 0.9
    arrivals: list[tuple[float, tuple[float, float]]] = []
    newest = -1
    for number, (gap, latency, back) in enumerate(gaps):
        at += gap
        x, y = motion.centre(max(at - latency, 0))
        frame = max(number + back, 0)
        held.answer(frame, (x + 0.05, y), at, begin)
        if frame >= newest:
            newest = frame
            arrivals.append((at, (x + 0.05, y)))
    until = at + tail
    found = held.statistics(until, begin)
    start = max(begin, arrivals[0][0])
    if until - start < 0.02:
        return
    # The middle of each of many short times: what begins at the end lasts for no time.
    instants = start + (np.arange(5000) + 0.5) / 5000 * (until - start)
    times = np.array([each for each, _ in arrivals])
    places = np.array([place for _, place in arrivals])
    inside = places[np.searchsorted(times, instants, side="right") - 1]
    true = np.array([motion.centre(float(each)) for each in instants])
    errors = np.hypot(*(true - inside).T)
    assert found.n == 1 + np.count_nonzero(times > start)
    assert found.mean == pytest.approx(errors.mean(), rel=0.01, abs=0.005)
    # What is held for less than a short time can be the furthest off, at one of its two ends.
    ends = [
        math.dist(motion.centre(at), place)
        for (begins, place), ends in zip(arrivals, [*times[1:], until], strict=True)
        if ends > max(begins, start)
        for at in (max(begins, start), float(ends))
    ]
    assert found.max == pytest.approx(max(errors.max(), *ends), rel=0.01, abs=0.05)
    for percent, value in ((50, found.p50), (95, found.p95), (99, found.p99)):
        assert value is not None
        # Where the curve jumps, a little of the time decides between two values.
        low, high = np.percentile(errors, (percent - 0.2, percent + 0.2))
        assert low * 0.99 - 0.01 <= value <= high * 1.01 + 0.01


def test_a_perfect_loop_has_half_of_what_the_ball_moves_in_a_frame_time() -> None:
    def centre(at: float) -> tuple[float, float]:
        return 280 * at, 100.0

    held = HeldError(centre)
    for frame in range(300):
        held.answer(frame, centre(frame / 30), frame / 30, 1.0)
    found = held.statistics(10, 1.0)
    assert found.n == 270
    assert found.mean == pytest.approx(280 / (2 * 30), rel=1e-9)
    assert found.max == pytest.approx(280 / 30, rel=1e-9)
    for share, value in ((0.5, found.p50), (0.95, found.p95), (0.99, found.p99)):
        assert value == pytest.approx(share * 280 / 30, rel=0.01)


def test_of_two_answers_the_one_for_the_newer_frame_is_held() -> None:
    held = HeldError(lambda at: (0.0, 0.0))
    held.answer(7, (3.0, 0.0), 1.0, 1.0)
    held.answer(6, (9.0, 0.0), 1.5, 1.0)
    held.answer(None, (5.0, 0.0), 2.0, 1.0)
    held.answer(6, (9.0, 0.0), 2.5, 1.0)
    found = held.statistics(3.0, 1.0)
    assert (found.n, found.max) == (2, 5)
    assert found.mean == pytest.approx(4)


def test_a_pause_counts_in_full_and_a_long_one_without_missing_a_rhythm() -> None:
    motion = bounce(640, 480, 20, 280, 0)
    held = HeldError(motion.centre)
    held.answer(0, (320.0, 232.0), 0.0, 1.0)
    found = held.statistics(3600.0, 1.0)
    true = np.array([motion.centre(each) for each in np.arange(1, 3600, 0.02)])
    errors = np.hypot(true[:, 0] - 320, true[:, 1] - 232)
    assert found.mean == pytest.approx(errors.mean(), rel=0.01)
    for percent, value in ((50, found.p50), (95, found.p95), (99, found.p99)):
        assert value == pytest.approx(np.percentile(errors, percent), rel=0.012)


def test_what_never_was_held_has_no_error() -> None:
    held = HeldError(lambda at: (0.0, 0.0))
    assert held.statistics(5.0, 1.0) == Statistics(0)
    held.answer(1, (1.0, 0.0), 0.2, 1.0)
    assert held.statistics(0.5, 1.0) == Statistics(0)
    assert held.statistics(1.5, 1.0).n == 1
