import json
import math
from typing import Any

import numpy as np
import pytest
from answers import SIZE, centre, session

from ballstream.report import charts, history
from ballstream.report.charts import Chart
from ballstream.report.history import RECENT, STRETCHES, WORST, Run
from ballstream.scoring.score import FIGURES

DRAWN = tuple(each for each in FIGURES if each.name in history.CHARTED)
LATENCY, DETECTION, TRACKING = DRAWN
STEADY = [0.01 + 0.001 * (place % 5) for place in range(80)]


def run(*sessions: tuple[Any, list[str]]) -> Run:
    reports = [report for report, _ in sessions]
    lines = [line for _, some in sessions for line in some]
    return history.read(lambda: lines, reports)


def parts(chart: Chart, part: str) -> list[dict[str, Any]]:
    return [trace for trace in chart.data if trace["meta"]["part"] == part]


def test_every_figure_of_a_report_has_its_charts() -> None:
    assert tuple(figure.name for figure in DRAWN) == history.CHARTED
    made = run(session(1, 0.0, STEADY))
    for figure in DRAWN:
        names = [chart.name for chart in charts.of_figure(figure, made)]
        assert names == [
            f"{figure.name}-over-time", f"{figure.name}-histogram", f"{figure.name}-cumulative",
        ]  # fmt: skip


def test_charts_are_json_without_nan() -> None:
    made = run(session(1, 0.0, [*STEADY, 2.0, None, *STEADY]), session(2, 0.0, STEADY * 30))
    for figure in DRAWN:
        for chart in (*charts.of_figure(figure, made), charts.path(made, SIZE)):
            json.dumps([chart.data, chart.layout], allow_nan=False)


def test_nothing_gives_no_charts() -> None:
    report, _ = session(1, 0.0, STEADY)
    for made in (run(), run((report, []))):
        assert all(charts.of_figure(figure, made) == [] for figure in DRAWN)
        assert charts.path(made, SIZE).data == []


def test_every_answer_is_drawn_and_the_warm_up_is_dotted() -> None:
    chart = charts.over_time(LATENCY, run(session(1, 0.0, STEADY)))
    (early,), (every,) = parts(chart, "early"), parts(chart, "every")
    assert early["line"]["dash"] == "dot"
    assert early["x"] == [round(place / 8 + STEADY[place], 4) for place in range(8)]
    assert every["x"] == [round(place / 8 + STEADY[place], 4) for place in range(8, 80)]
    assert every["y"] == [10 + place % 5 for place in range(8, 80)]
    assert chart.caption == (
        "Latency in ms over the seconds since the server's start. Every answer is drawn. "
        "Dotted: the first second of a session, which the statistics leave out."
    )
    assert chart.layout["yaxis"] == {"title": {"text": "ms"}, "range": [0, pytest.approx(14.7)]}


def test_a_warm_up_beyond_the_top_is_put_into_words() -> None:
    chart = charts.over_time(LATENCY, run(session(1, 0.0, [0.5, *STEADY])))
    assert chart.layout["yaxis"]["range"][1] == pytest.approx(14.7)
    assert chart.caption.endswith("leave out; it reaches up to 500.00 ms.")


def test_a_line_breaks_where_answers_pause() -> None:
    latencies = [*STEADY[:20], *[None] * 10, *STEADY]
    (every,) = parts(charts.over_time(LATENCY, run(session(1, 0.0, latencies))), "every")
    assert every["y"].count(None) == every["x"].count(None) == 1
    assert every["y"].index(None) == 12


def test_few_frames_a_second_are_no_pause() -> None:
    at, values = charts._with_gaps(np.array([0.0, 1, 2, 3, 4, 5]), np.arange(6.0))
    assert at.tolist() == [0, 1, 2, 3, 4, 5]
    assert values.tolist() == [0, 1, 2, 3, 4, 5]
    at, values = charts._with_gaps(np.array([0.0, 1, 2, 3, 9, 10]), np.arange(6.0))
    assert [math.isnan(value) for value in values] == [False] * 4 + [True] + [False] * 2


def test_a_long_session_is_drawn_as_bars_and_means() -> None:
    latencies = STEADY * 40
    latencies[1600] = 0.9
    chart = charts.over_time(LATENCY, run(session(1, 0.0, latencies)))
    (bars,), (means,) = parts(chart, "range"), parts(chart, "mean")
    assert len(bars["x"]) == 3 * STRETCHES
    assert len(means["x"]) == STRETCHES
    assert max(value for value in bars["y"] if value is not None) == 900
    assert max(greatest for _, greatest in means["customdata"] if greatest is not None) == 900
    assert bars["x"][2] is bars["y"][2] is None
    stretch = (3199 / 8 + STEADY[79] - STEADY[0]) / STRETCHES
    assert (
        f"Thinned out: where a session has more than 2,000 answers, its time is cut into 666 "
        f"stretches (of {stretch:.3g} s); the line is at the mean of each, the bars reach from its "
        "least to its greatest value." in chart.caption
    )


def test_a_far_value_makes_the_axis_logarithmic() -> None:
    made = run(session(1, 0.0, [*STEADY, 0.9, *STEADY], errors=[0.0, 0.01, 0.02]))
    axis = charts.over_time(LATENCY, made).layout["yaxis"]
    assert axis["type"] == "log"
    assert axis["title"]["text"] == "ms, logarithmic"
    assert axis["ticktext"] == ["10", "20", "50", "100", "200", "500"]
    assert axis["range"] == pytest.approx([math.log10(9), math.log10(990)])
    assert charts.cumulative(LATENCY, made).layout["xaxis"]["type"] == "log"
    assert "type" not in charts.histogram(LATENCY, made).layout["xaxis"]


def test_zero_has_a_place_on_a_logarithmic_axis() -> None:
    chart = charts.over_time(DETECTION, run(session(1, 0.0, [0.01] * 80, [0.0] * 40 + [5.0])))
    assert chart.layout["yaxis"]["type"] == "log"
    (every,) = parts(chart, "every")
    assert set(every["y"]) == {0.0001, 5.0}


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (3.1, 29, [5, 10, 20]),
        (0.02, 11, [0.03, 0.1, 0.3, 1, 3, 10]),
        (0.0009, 21, [0.001, 0.01, 0.1, 1, 10]),
    ],
)
def test_a_logarithmic_axis_has_round_ticks(low: float, high: float, ticks: list[float]) -> None:
    assert charts._ticks(low, high) == ticks


def test_a_histogram_counts_what_the_statistics_count() -> None:
    report, lines = session(1, 0.0, STEADY)
    chart = charts.histogram(LATENCY, run((report, lines)))
    (trace,) = chart.data
    assert sum(trace["customdata"][:-1]) == report.latency_ms.n == 72
    assert len(trace["x"]) == len(trace["y"]) == len(trace["customdata"])
    assert trace["x"][0] == 10
    assert trace["y"][0] == pytest.approx(100 * 14 / 72, abs=1e-3)
    assert sum(trace["y"][:-1]) == pytest.approx(100, abs=1e-2)
    assert trace["line"]["shape"] == "hv"
    assert trace["fill"] == "tozeroy"
    assert chart.caption == "Histogram: the percentage of answers in each interval of 0.2 ms."


def test_a_histogram_says_what_it_leaves_out() -> None:
    chart = charts.histogram(LATENCY, run(session(1, 0.0, [*STEADY, 0.9, 0.8, *STEADY])))
    assert chart.caption.endswith("2 of 154 lie further to the right.")


def test_a_cumulative_curve_rises_to_all() -> None:
    (trace,) = charts.cumulative(LATENCY, run(session(1, 0.0, [*STEADY, 0.9]))).data
    assert trace["y"] == sorted(trace["y"])
    assert trace["y"][-1] == 100
    between = [y for x, y in zip(trace["x"], trace["y"], strict=True) if 15 < x < 800]
    assert between == [pytest.approx(100 * 72 / 73, abs=1e-3)] * len(between)


def test_several_sessions_are_told_apart_in_every_chart() -> None:
    made = run(*(session(number, 0.0, STEADY) for number in range(1, 9)))
    looks = [look for look, _ in charts.looks(made)]
    assert [look.colour for look in looks] == [1, 2, 3, 4, 5, 6, 1, 2]
    assert [look.dash for look in looks] == ["solid"] * 6 + ["dash"] * 2
    chart = charts.histogram(TRACKING, made)
    assert [trace["meta"]["session"] for trace in chart.data] == list(range(1, 9))
    assert {trace["fill"] for trace in chart.data} == {"none"}
    assert chart.data[6]["line"]["dash"] == "dash"


def test_the_path_shows_truth_and_estimates_in_the_picture() -> None:
    made = run(session(1, 0.0, [0.01] * 64, errors=[0.0] * 63 + [4.0]))
    chart = charts.path(made, SIZE)
    (true,), (found,), (worst,) = (parts(chart, part) for part in ("true", "found", "worst"))
    truth = [centre(place / 8)[0] for place in range(8, 64)]
    assert true["x"] == truth
    assert true["mode"] == "lines"
    assert found["x"] == [*truth[:-1], truth[-1] + 4]
    assert set(found["y"]) == {200}
    assert found["mode"] == "markers"
    assert (worst["x"][0], worst["customdata"][0][1]) == (truth[-1] + 4, 4)
    assert chart.layout["xaxis"]["range"] == [-0.5, 639.5]
    assert chart.layout["yaxis"]["range"] == [479.5, -0.5], "y goes down"
    assert chart.layout["yaxis"]["scaleanchor"] == "x"


def test_the_path_of_estimates_without_a_frame_has_no_truth() -> None:
    chart = charts.path(run(session(1, 0.0, [0.01] * 40, stamped=False)), SIZE)
    assert [trace["meta"]["part"] for trace in chart.data] == ["found"]
    assert "true path" not in chart.caption
    assert "Rings" not in chart.caption


def test_more_sessions_share_the_path() -> None:
    alone = charts.path(run(session(1, 0.0, [0.01] * 1000)), SIZE)
    assert len(parts(alone, "found")[0]["x"]) == RECENT
    assert len(parts(alone, "worst")[0]["x"]) == WORST
    three = charts.path(run(*(session(n, 0.0, [0.01] * 1000) for n in (1, 2, 3))), SIZE)
    assert [len(trace["x"]) for trace in parts(three, "found")] == [200] * 3
    assert [len(trace["x"]) for trace in parts(three, "worst")] == [6] * 3
