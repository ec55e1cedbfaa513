import math
import tracemalloc
from collections.abc import Iterator

import msgspec
import numpy as np
import pytest
from answers import answer, interleaved, line, session
from hypothesis import given, settings
from hypothesis import strategies as st

from ballstream.report import history
from ballstream.report.history import (
    MOST_POINTS,
    RECENT,
    STRETCHES,
    WORST,
    Batch,
    Counts,
    Extent,
    Points,
    Scale,
    Stretches,
    even_edges,
    geometric_edges,
)
from ballstream.scoring.distribution import Statistics
from ballstream.scoring.score import Result, Verdict

FINITE = st.floats(0, 1e4).map(lambda value: round(value, 4))


def only(lines: list[str], *sessions: int) -> dict[int, Batch]:
    return dict(history.batches(lines, sessions))


def extent(*lines: str) -> Extent:
    made = Extent()
    for _, batch in history.batches(lines, [1]):
        made.add(batch)
    return made


def test_an_answer_becomes_numbers() -> None:
    batch = only([answer(1, 12.5, 250, 0.1, 0.2, (1, 2), (3, 4))], 1)[1]
    columns = ("at", "x", "y", "true_x", "true_y", "latency_ms")
    assert [batch[name].tolist() for name in columns] == [[12.5], [1], [2], [3], [4], [250]]
    assert batch["detection_error_px"].tolist() == [0.1]
    assert batch["tracking_error_px"].tolist() == [0.2]
    assert batch.since.tolist() == [12.25]


def test_what_is_empty_is_nan() -> None:
    verdict = Verdict(Result.ANSWERED, None, 1, 2, tracking_error_px=0.5)
    batch = only([line(1, 12.5, verdict)], 1)[1]
    assert math.isnan(batch["true_x"][0])
    assert math.isnan(batch["latency_ms"][0])
    assert batch["tracking_error_px"].tolist() == [0.5]
    assert batch.since.tolist() == [12.5], "without a frame the arrival decides"


@pytest.mark.parametrize("result", [Result.NOT_FOUND, Result.DUPLICATE, Result.REJECTED])
def test_only_answers_have_figures(result: Result) -> None:
    assert not only([line(1, 2, Verdict(result, 1, 2, 3, 4, 5, latency_ms=6))], 1)


def test_sessions_are_told_apart_and_others_left_out() -> None:
    found = only([answer(1, 1), answer(11, 2), answer(2, 3), answer(1, 4)], 1, 11)
    assert {number: batch["at"].tolist() for number, batch in found.items()} == {
        1: [1, 4],
        11: [2],
    }


@pytest.mark.parametrize("length", range(1, len(answer(1, 1))))
def test_a_line_that_was_cut_off_is_left_out(length: int) -> None:
    assert len(only([answer(1, 1), answer(1, 2)[:length]], 1)[1]) == 1


def test_batches_keep_all_lines_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "_BATCH", 3)
    lines = [answer(place % 2, place) for place in range(10)]
    found = list(history.batches(lines, [0, 1]))
    assert len(found) == 7
    at = [seconds for number, batch in found if number for seconds in batch["at"].tolist()]
    assert at == [1, 3, 5, 7, 9]


def test_the_extent_of_a_session_is_known_before_it_is_drawn() -> None:
    early = [answer(1, at, counted=False) for at in (1.25, 1.5)]
    made = extent(*early, *(answer(1, at) for at in (2.25, 2.0, 3.0)))
    assert (made.rows, made.counted, made.first, made.last) == (5, 3, 1.25, 3)
    assert (Extent().rows, Extent().counted) == (0, 0)


def test_which_answers_count_is_a_column_of_the_file() -> None:
    report, lines = session(1, 0.0, [0.01] * 80)
    # It does not matter what is missing, or when the others came.
    lines = [answer(1, 99, counted=False), *lines[40:], answer(1, 0.5)]
    kept = history.read(lambda: lines, [report]).histories[1]
    assert kept.rows == 41


def test_stretches_of_time() -> None:
    made = Stretches(10, 14, count=4)
    made.add(np.array([10.0, 10.5, 10.9, 13.0]), np.array([1.0, 4.0, 7.0, 5.0]))
    made.add(np.array([13.5, 14.0]), np.array([math.nan, 1.0]))
    assert made.seconds == 1
    assert made.at.tolist() == [10.5, 11.5, 12.5, 13.5]
    np.testing.assert_equal(made.least, [1, math.nan, math.nan, 1])
    np.testing.assert_equal(made.mean, [4, math.nan, math.nan, 3])
    np.testing.assert_equal(made.greatest, [7, math.nan, math.nan, 5])


VALUES = st.lists(st.tuples(st.floats(10, 20), FINITE), min_size=1, max_size=200)


@given(VALUES, st.integers(1, 20), st.integers(0, 200))
@settings(deadline=None)
def test_no_extreme_is_lost(rows: list[tuple[float, float]], count: int, cut: int) -> None:
    at, values = (np.array(column) for column in zip(*rows, strict=True))
    made = Stretches(10, 20, count)
    made.add(at[:cut], values[:cut])
    made.add(at[cut:], values[cut:])
    assert np.nanmax(made.greatest) == values.max()
    assert np.nanmin(made.least) == values.min()
    for moment, value in rows:
        place = min(int((moment - 10) / made.seconds), count - 1)
        assert made.least[place] <= value <= made.greatest[place]
    filled = ~np.isnan(made.mean)
    assert (made.least[filled] <= made.mean[filled] + 1e-6).all()
    assert (made.mean[filled] <= made.greatest[filled] + 1e-6).all()


def test_few_values_are_kept_as_they_are() -> None:
    made = history.trail(extent(answer(1, 1), answer(1, 2)), MOST_POINTS)
    assert isinstance(made, Points)
    made.add(np.array([1.0, 2.0]), np.array([5.0, math.nan]))
    made.add(np.array([3.0]), np.array([4.0]))
    assert made.at.tolist() == [1, 3]
    assert made.values.tolist() == [5, 4]


def test_many_values_become_stretches() -> None:
    made = history.trail(extent(answer(1, 1), answer(1, 2)), MOST_POINTS + 1)
    assert isinstance(made, Stretches)
    assert 3 * len(made.at) <= MOST_POINTS


def test_edges_are_round_numbers() -> None:
    assert even_edges(0.32, 0.71, 5).tolist() == [0.3, 0.4, 0.5, 0.6, 0.7, 0.8]
    assert even_edges(3.4, 9.4, 30).tolist()[:3] == [3.4, 3.6, 3.8]
    assert even_edges(0, 0, 100).tolist() == [0, 0.0001]


@given(FINITE, FINITE, st.integers(5, 300))
@settings(deadline=None)
def test_even_edges_hold_both_values(one: float, other: float, most: int) -> None:
    least, greatest = sorted((one, other))
    edges = even_edges(least, greatest, most)
    assert edges[0] <= least < edges[1]
    assert edges[-2] <= greatest < edges[-1]
    assert len(edges) - 1 <= most + 2
    widths = np.diff(edges)
    assert widths.max() == pytest.approx(widths.min())


@given(FINITE, FINITE)
@settings(deadline=None)
def test_geometric_edges_hold_both_values(one: float, other: float) -> None:
    least, greatest = sorted((one, other))
    edges = geometric_edges(least, greatest, 50)
    assert edges[0] <= max(least, 1e-4) * (1 + 1e-9)
    assert greatest < edges[-1]
    assert (np.diff(edges) > 0).all()


def test_a_value_on_an_edge_belongs_to_the_right() -> None:
    made = Counts(even_edges(0.1, 0.4, 5))
    made.add(np.array([0.1, 0.2, 0.3, 0.3, 0.39, math.nan]))
    assert made.edges.tolist() == [0.1, 0.2, 0.3, 0.4, 0.5]
    assert made.inside.tolist() == [1, 1, 3, 0]


@given(st.lists(st.lists(FINITE, max_size=50), max_size=4))
@settings(deadline=None)
def test_counts_add_up(rounds: list[list[float]]) -> None:
    made = Counts(np.array([0.0, 1.0, 10.0, 100.0]))
    for values in rounds:
        made.add(np.array(values))
    everything = [value for values in rounds for value in values]
    assert made.total == len(everything)
    assert made.inside.tolist() == [
        sum(low <= value < high for value in everything)
        for low, high in ((0, 1), (1, 10), (10, 100))
    ]
    assert made.beyond == sum(value >= 100 for value in everything)


def test_a_scale_reaches_to_the_greatest_value() -> None:
    scale = Scale.of(3, [Statistics(100, 4, 4, 5, 6, 7), Statistics(0)])
    assert scale is not None
    assert (scale.least, scale.greatest, scale.logarithmic) == (3, 7, False)
    assert scale.usual[0] == scale.whole[0] == 3
    assert scale.usual[-2] <= 7 < scale.usual[-1]
    assert scale.whole[-2] <= 7 < scale.whole[-1]


def test_where_a_value_is_far_off_the_scale_is_logarithmic() -> None:
    scale = Scale.of(3, [Statistics(100, 4, 4, 6, 8, 300)])
    assert scale is not None
    assert scale.logarithmic
    assert scale.usual[-1] == pytest.approx(9, abs=0.5)
    assert 300 < scale.whole[-1] < 301


def test_no_values_have_no_scale() -> None:
    assert Scale.of(math.inf, [Statistics(0)]) is None
    assert Scale.of(math.inf, []) is None


def test_a_run_agrees_with_the_statistics() -> None:
    latencies = [0.01 * (1 + place % 7) for place in range(80)]
    first, early = session(1, 3.0, latencies, errors=(0.0, 0.5, 0.25))
    second, late = session(2, 5.5, [None, None, *latencies[:40], None, 0.2])
    run = history.read(lambda: interleaved(early, late), [first, second])
    for report in (first, second):
        kept = run.histories[report.id]
        assert kept.rows == report.tracking_error_px.n < report.frames_answered
        for name in history.CHARTED:
            statistics = getattr(report, name)
            trail, warm_up = kept.trails[name], kept.warm_up[name]
            assert isinstance(trail, Points)
            assert isinstance(warm_up, Points)
            assert len(trail.values) == statistics.n
            assert len(trail.values) + len(warm_up.values) == report.frames_answered
            assert trail.values.max() == pytest.approx(statistics.max, abs=1e-4)
            assert trail.values.mean() == pytest.approx(statistics.mean, abs=1e-4)
            assert kept.usual[name].total == kept.whole[name].total == statistics.n
            assert kept.whole[name].beyond == 0


def test_a_long_session_is_thinned_out_and_loses_no_extreme() -> None:
    latencies = [0.01 + 0.001 * (place % 10) for place in range(4000)]
    latencies[2500], latencies[3000] = 0.9, 0.002
    report, lines = session(1, 0.0, latencies)
    kept = history.read(lambda: lines, [report]).histories[1]
    trail = kept.trails["latency_ms"]
    assert isinstance(trail, Stretches)
    assert len(trail.at) == STRETCHES
    assert np.nanmax(trail.greatest) == pytest.approx(900)
    assert np.nanmin(trail.least) == pytest.approx(2)
    assert kept.whole["latency_ms"].total == report.latency_ms.n


def test_the_last_and_the_least_exact_answers_are_kept() -> None:
    errors = [0.001 * place for place in range(1000)]
    errors[500] = 9.0
    report, lines = session(1, 0.0, [0.01] * 1000, errors)
    kept = history.read(lambda: lines, [report]).histories[1]
    assert len(kept.recent) == RECENT
    assert kept.recent["at"].tolist() == sorted(kept.recent["at"].tolist())
    assert kept.recent["at"][-1] == pytest.approx(999 / 8 + 0.01)
    worst = kept.worst["detection_error_px"].tolist()
    assert worst == pytest.approx(
        [9, *(0.001 * place for place in range(999, 999 - WORST + 1, -1))]
    )


def test_without_frame_numbers_there_is_the_tracking_error_alone() -> None:
    report, lines = session(1, 0.0, [0.01] * 40, stamped=False)
    run = history.read(lambda: lines, [report])
    assert set(run.scales) == {"tracking_error_px"}
    kept = run.histories[1]
    assert kept.rows == report.tracking_error_px.n > 0
    assert len(kept.worst) == 0
    assert kept.whole["tracking_error_px"].total == report.tracking_error_px.n


def test_a_file_that_ends_early_is_read_as_far_as_it_goes() -> None:
    report, lines = session(1, 0.0, [0.01] * 80)
    run = history.read(lambda: [*lines[:40], lines[40][:20]], [report])
    assert run.histories[1].rows == 32, "frames 8 to 39"


def test_no_lines_and_no_sessions() -> None:
    report, _ = session(1, 0.0, [0.01] * 80)
    run = history.read(lambda: [], [report])
    assert run.scales == {}
    assert run.histories[1].rows == 0
    assert history.read(lambda: [], []).histories == {}


def test_memory_does_not_grow_with_the_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "_BATCH", 500)
    template, _ = session(1, 0.0, [0.01] * 80)

    def peak(number: int) -> int:
        def lines() -> Iterator[str]:
            return (
                answer(1, place / 100, 1 + place % 20, counted=place >= 100)
                for place in range(number)
            )

        figures = Statistics(number - 100, 10, 10, 15, 19, 20)
        report = msgspec.structs.replace(template, **dict.fromkeys(history.CHARTED, figures))
        tracemalloc.start()
        try:
            run = history.read(lines, [report])
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert run.histories[1].rows == number - 100
        return most

    assert peak(16_000) < 1.2 * peak(4_000)
