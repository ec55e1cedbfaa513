import math

import pytest

from ballstream.protocol.messages import Alive, Estimate
from ballstream.protocol.stamp import MODULUS
from ballstream.scoring.counts import Counts, counts_of
from ballstream.scoring.distribution import Recent, Statistics
from ballstream.scoring.gaps import Gaps
from ballstream.scoring.score import FIGURES, Loss, Result, Score, Scorer, Verdict

ORIGIN = 1000.0
"""The instant at which the scene's time is 0."""

SIZE = (640, 480)
NONE = Statistics(0)


def centre(seconds: float) -> tuple[float, float]:
    """A ball that moves to the right, 64 px in a second."""
    return 100 + 64 * seconds, 200.0


def scorer(*numbers: int) -> Scorer:
    """One that was opened, and told of frames, eight a second, from the scene's time 0 on."""
    made = Scorer(centre, SIZE, ORIGIN)
    made.opened(ORIGIN)
    for number in numbers:
        draw(made, number)
    return made


def draw(to: Scorer, number: int) -> None:
    to.drawn(number, number / 8, ORIGIN + number / 8)


def at(number: float) -> float:
    """The instant at which a frame is drawn."""
    return ORIGIN + number / 8


def same(value: float) -> Statistics:
    return Statistics(1, value, value, value, value, value)


def test_an_answer_is_compared_with_its_frame_and_with_now() -> None:
    frames = scorer(*range(20))
    # Frame 16 shows the ball at 228, 200; at the arrival it has moved on by 16 px.
    verdict = frames.score(Estimate(16, 228 + 3, 200 - 4, 1.5), at(18))
    assert verdict == Verdict(
        result=Result.ANSWERED,
        frame=16,
        x=231,
        y=196,
        true_x=228,
        true_y=200,
        detection_error_px=5,
        tracking_error_px=math.hypot(13, 4),
        latency_ms=250,
        detect_ms=1.5,
        counted=True,
    )
    total = frames.total(at(20))
    assert total.frames_answered == 1
    assert total.detection_error_px == same(5)
    assert total.tracking_error_px == same(math.hypot(13, 4))
    assert total.latency_ms == same(250)


def test_no_ball_counts_as_answered_but_gives_no_figures() -> None:
    frames = scorer(*range(20))
    verdict = frames.score(Estimate(16, None, None, 1.5), at(18))
    assert verdict == Verdict(
        Result.NOT_FOUND, 16, None, None, 228, 200, latency_ms=250, detect_ms=1.5
    )
    total = frames.total(at(30))
    assert (total.frames_answered, total.not_found, total.frames_lost) == (1, 1, 19)
    assert total.detection_error_px == total.tracking_error_px == total.latency_ms == NONE


@pytest.mark.parametrize("x", [228.0, None])
def test_only_the_first_answer_to_a_frame_counts(x: float | None) -> None:
    frames = scorer(*range(20))
    first = Estimate(16, x, None if x is None else 200)
    frames.score(first, at(17))
    before = frames.total(at(20))
    assert frames.score(Estimate(16, 300, 300), at(18)).result is Result.DUPLICATE
    assert frames.score(Estimate(16, None, None), at(18)).result is Result.DUPLICATE
    after = frames.total(at(20))
    assert (before.duplicates, after.duplicates) == (0, 2)
    assert after.frames_answered == before.frames_answered == 1
    assert after.not_found == before.not_found
    assert after.latency_ms == before.latency_ms
    assert after.detection_error_px == before.detection_error_px


def test_a_frame_that_was_never_sent_is_rejected() -> None:
    frames = scorer(*range(20))
    estimate = Estimate(20, 228, 200)
    assert frames.score(estimate, at(20)) == Verdict(Result.REJECTED, 20, 228, 200)
    total = frames.total(at(30))
    assert (total.rejected, total.frames_answered, total.frames_lost) == (1, 0, 20)


def test_nothing_is_believed_before_the_first_frame() -> None:
    frames = scorer()
    for estimate in (Estimate(0, 1, 1), Estimate(None, 1, 1), Estimate(None, None, None)):
        assert frames.score(estimate, at(0)).result is Result.REJECTED
    total = frames.total(at(1))
    assert total.rejected == 3
    for name in counts_of(Score):
        assert getattr(total, name) == (3 if name == "rejected" else 0), name
    for figure in FIGURES:
        assert getattr(total, figure.name) == NONE
    assert (total.seconds, total.lost) == (0, None)


def test_an_answer_after_ten_seconds_is_late_and_its_frame_is_lost() -> None:
    frames = scorer(0, 80)
    assert frames.score(Estimate(0, 100, 200), at(80)).result is Result.ANSWERED
    frames = scorer(0, 81)
    verdict = frames.score(Estimate(0, 100, 200), at(81))
    assert verdict == Verdict(Result.LATE, 0, 100, 200, 100, 200, latency_ms=10_125)
    assert frames.score(Estimate(0, 100, 200), at(82)).result is Result.DUPLICATE
    total = frames.total(at(90))
    assert (total.frames_answered, total.frames_lost, total.rejected) == (0, 2, 1)
    assert total.lost is None
    assert total.latency_ms == NONE


def test_a_frame_is_forgotten_after_a_minute() -> None:
    assert scorer(0, 480).score(Estimate(0, 1, 1), at(480)).result is Result.LATE
    assert scorer(0, 481).score(Estimate(0, 1, 1), at(481)).result is Result.REJECTED


def test_the_memory_of_frames_is_bounded() -> None:
    frames = scorer(*range(10_000))
    assert len(list(frames._ledger._known())) == 481
    assert frames.snapshot().frames_sent == 10_000
    assert frames.total(at(10_100)).frames_lost == 10_000


@pytest.mark.parametrize(
    ("x", "y", "result"),
    [
        (-640, -480, Result.ANSWERED),
        (1280, 960, Result.ANSWERED),
        (-640.1, 200, Result.REJECTED),
        (1280.1, 200, Result.REJECTED),
        (200, -480.1, Result.REJECTED),
        (200, 960.1, Result.REJECTED),
        (1e300, 200, Result.REJECTED),
        (200, -1e300, Result.REJECTED),
    ],
)
@pytest.mark.parametrize("number", [16, None])
def test_a_place_far_off_the_picture_is_rejected(
    number: int | None, x: float, y: float, result: Result
) -> None:
    frames = scorer(*range(20))
    assert frames.score(Estimate(number, x, y), at(18)).result is result


def test_a_rejected_answer_leaves_its_frame_open() -> None:
    frames = scorer(*range(20))
    frames.score(Estimate(16, 1e9, 0), at(17))
    assert frames.score(Estimate(16, 228, 200), at(18)).result is Result.ANSWERED
    total = frames.total(at(20))
    assert (total.rejected, total.frames_answered) == (1, 1)


def test_rubbish_is_counted() -> None:
    frames = scorer(*range(20))
    frames.reject()
    frames.reject()
    assert frames.total(at(20)).rejected == 2


def test_an_estimate_without_a_frame_counts_for_tracking_only() -> None:
    frames = scorer(*range(20))
    verdict = frames.score(Estimate(None, 244 + 3, 200 + 4), at(18))
    assert verdict == Verdict(Result.ANSWERED, None, 247, 204, tracking_error_px=5, counted=True)
    total = frames.total(at(20))
    assert total.tracking_error_px == same(5)
    assert total.detection_error_px == total.latency_ms == NONE
    assert total.frames_answered == 0


def test_estimates_without_a_frame_are_never_duplicates() -> None:
    frames = scorer(*range(20))
    for _ in range(3):
        assert frames.score(Estimate(None, 244, 200), at(18)).result is Result.ANSWERED
    assert frames.score(Estimate(None, None, None), at(18)).result is Result.NOT_FOUND
    total = frames.total(at(30))
    assert (total.unnumbered, total.frames_lost, total.duplicates) == (4, 16, 0)


def test_more_estimates_without_a_frame_than_frames_are_duplicates() -> None:
    frames = scorer(0, 1)
    results = [frames.score(Estimate(None, 244, 200), at(2)).result for _ in range(3)]
    assert results == [Result.ANSWERED, Result.ANSWERED, Result.DUPLICATE]
    # The frames have their answers after all: then those without a number were not the first.
    frames.score(Estimate(0, 100, 200), at(2))
    total = frames.total(at(20))
    assert (total.frames_answered, total.unnumbered, total.duplicates) == (1, 1, 2)


def test_what_was_lost_long_ago_no_estimate_without_a_number_brings_back() -> None:
    frames = scorer(*range(200))
    results = [frames.score(Estimate(None, 100, 200), at(200)).result for _ in range(200)]
    assert results == [Result.ANSWERED] * 80 + [Result.DUPLICATE] * 120
    total = frames.total(at(200))
    assert (total.unnumbered, total.frames_lost, total.duplicates) == (80, 120, 120)


def test_nor_when_no_frame_has_come_since() -> None:
    frames = scorer(0, 1)
    assert frames.score(Estimate(None, 100, 200), at(400)).result is Result.DUPLICATE
    assert frames.total(at(400)).frames_lost == 2


def test_an_estimate_without_a_number_answers_no_frame_that_came_after_it() -> None:
    frames = scorer(0, 1)
    for _ in range(2):
        frames.score(Estimate(None, 100, 200), at(1.5))
    draw(frames, 2)
    for number in (0, 1):
        assert frames.score(Estimate(number, 100, 200), at(2.5)).result is Result.ANSWERED
    total = frames.total(at(20))
    assert (total.frames_answered, total.unnumbered, total.duplicates) == (2, 0, 2)
    assert total.frames_lost == 1


def test_an_estimate_without_a_number_makes_way_to_another_frame_of_its_time() -> None:
    frames = scorer(0, 1, 2)
    frames.score(Estimate(None, 100, 200), at(2.5))
    frames.score(Estimate(0, 100, 200), at(3))
    total = frames.total(at(20))
    assert (total.frames_answered, total.unnumbered, total.frames_lost) == (1, 1, 1)
    assert total.duplicates == 0


@pytest.mark.parametrize(("number", "counted"), [(0, 0), (7, 0), (8, 1), (9, 1)])
def test_the_first_second_is_left_out_of_the_figures_but_not_of_the_counts(
    number: int, counted: int
) -> None:
    frames = scorer(*range(10))
    assert frames.score(Estimate(number, 100, 200), at(12)).result is Result.ANSWERED
    total = frames.total(at(30))
    assert (total.frames_sent, total.frames_answered, total.frames_lost) == (10, 1, 9)
    assert total.detection_error_px.n == counted
    assert total.tracking_error_px.n == counted
    assert total.latency_ms.n == counted


@pytest.mark.parametrize(("arrival", "counted"), [(7.9, 0), (8, 1)])
def test_without_a_frame_the_arrival_decides_about_the_warm_up(
    arrival: float, counted: int
) -> None:
    frames = scorer(0)
    frames.score(Estimate(None, 100, 200), at(arrival))
    assert frames.total(at(20)).tracking_error_px.n == counted


def test_the_warm_up_begins_with_the_first_frame_of_the_session() -> None:
    frames = scorer(800, 807, 808)
    for number in (800, 807, 808):
        frames.score(Estimate(number, 100, 200), at(810))
    assert frames.total(at(830)).latency_ms == same(250)


@pytest.mark.parametrize(
    ("until", "lost"), [(19, 16), (19.5, 16), (20, 17), (22.9, 19), (23, 20), (24, 20)]
)
def test_frames_of_the_last_half_second_are_not_lost_yet(until: float, lost: int) -> None:
    # A frame that is exactly half a second old has had its time.
    assert scorer(*range(20)).total(at(until)).frames_lost == lost


def test_an_answered_frame_of_the_last_half_second_counts_as_answered() -> None:
    frames = scorer(*range(20))
    frames.score(Estimate(19, 100, 200), at(19.5))
    total = frames.total(at(20))
    assert (total.frames_sent, total.frames_answered, total.frames_lost) == (20, 1, 17)


def test_frames_sent_after_the_client_was_last_heard_of_do_not_count() -> None:
    frames = scorer(*range(40))
    for number in range(16):
        frames.score(Estimate(number, 100, 200), at(number + 1))
    total = frames.total(at(20))
    assert total.seconds == 2.5
    assert total.frames_sent == 21
    assert total.frames_answered == 16
    # Frame 16 is half a second old; four more are within the grace.
    assert total.frames_lost == 1


def test_all_answered_means_none_lost() -> None:
    frames = scorer(*range(40))
    for number in range(40):
        frames.score(Estimate(number, 100, 200), at(number + 1))
    total = frames.total(at(40))
    assert (total.frames_sent, total.frames_answered, total.frames_lost) == (40, 40, 0)
    assert total.seconds == 5


def test_an_end_before_the_beginning_is_an_empty_session() -> None:
    total = scorer(8, 9).total(at(-1))
    assert (total.seconds, total.frames_sent, total.frames_lost) == (0, 0, 0)


def test_numbers_wrap_like_the_stamp() -> None:
    frames = scorer()
    for step in range(4):
        frames.drawn(MODULUS - 2 + step, step / 8, at(step))
    verdicts = [
        frames.score(Estimate(number, *centre(step / 8)), at(step + 2))
        for step, number in enumerate((MODULUS - 2, MODULUS - 1, 0, 1))
    ]
    assert [verdict.result for verdict in verdicts] == [Result.ANSWERED] * 4
    assert [verdict.detection_error_px for verdict in verdicts] == [0] * 4
    assert [verdict.latency_ms for verdict in verdicts] == [250] * 4


def test_the_counts_are_there_while_the_session_runs() -> None:
    frames = scorer(*range(20))
    frames.score(Estimate(15, 100, 200), at(18))
    frames.score(Estimate(16, None, None), at(18))
    frames.score(Estimate(16, None, None), at(18))
    frames.score(Estimate(99, 1, 1), at(18))
    now = frames.snapshot()
    assert (now.frames_sent, now.frames_answered, now.frames_lost) == (20, 2, 0)
    assert (now.not_found, now.duplicates, now.rejected) == (1, 1, 1)
    assert now.recent["latency_ms"] == Recent(375, 375)
    assert now.answered_percent == 10


def test_nothing_sent_has_no_share_answered() -> None:
    assert scorer().snapshot().answered_percent is None


def test_frames_are_lost_for_sure_after_ten_seconds() -> None:
    frames = scorer(*range(100))
    assert frames.snapshot().frames_lost == 19
    frames.score(Estimate(None, 244, 200), at(100))
    now = frames.snapshot()
    # The one without a number answers one of the last ten seconds; what was lost stays lost.
    assert (now.unnumbered, now.frames_lost, now.frames_undecided) == (1, 20, 79)


def test_the_grace_is_twice_the_recent_latency() -> None:
    # Every answer takes 1.25 s: of the last 2.5 s, 19 frames are not answered yet.
    frames = scorer(*range(40))
    for number in range(20):
        frames.score(Estimate(number, 100, 200), at(number + 10))
    total = frames.total(at(40))
    assert total.latency_ms.p95 == 1250
    assert (total.frames_answered, total.frames_lost, total.frames_undecided) == (20, 1, 19)


def test_no_frame_is_undecided_for_more_than_ten_seconds() -> None:
    frames = scorer(*range(200))
    for number in range(20, 40):
        frames.score(Estimate(number, 100, 200), at(number + 79))
    total = frames.total(at(200))
    assert (total.frames_lost, total.frames_undecided) == (101, 79)


def test_the_answered_are_a_share_of_the_frames_due() -> None:
    frames = scorer(0, 1, 4, 5)
    frames.dropped(3, 3 / 8, at(3))
    for number in (0, 1, 4):
        frames.score(Estimate(number, 100, 200), at(6))
    now = frames.snapshot()
    assert (now.frames_due, now.frames_missed, now.frames_dropped, now.frames_sent) == (6, 1, 1, 4)
    assert now.answered_percent == 50


def test_the_split_of_the_latency() -> None:
    frames = scorer(*range(20))
    verdict = frames.score(Estimate(16, 228, 200, 20.0, 100.0), at(18))
    assert (verdict.latency_ms, verdict.client_ms, verdict.way_ms) == (250, 100, 150)
    total = frames.total(at(20))
    assert total.latency_ms == same(250)
    assert total.client_ms == same(100)
    assert total.detect_ms == same(20)
    assert total.way_ms == same(150)


@pytest.mark.parametrize("number", [16, None])
def test_a_client_that_says_nothing_of_its_time_has_no_split(number: int | None) -> None:
    frames = scorer(*range(20))
    verdict = frames.score(Estimate(number, 228, 200), at(18))
    assert verdict.client_ms is verdict.way_ms is None
    total = frames.total(at(20))
    assert total.client_ms == total.way_ms == total.detect_ms == NONE


@pytest.mark.parametrize(
    ("number", "claimed", "believed"),
    [(16, 250, 250), (16, 250.1, None), (None, 10_000, 10_000), (None, 10_001, None)],
)
def test_no_client_took_longer_than_the_latency(
    number: int | None, claimed: float, believed: float | None
) -> None:
    verdict = scorer(*range(20)).score(Estimate(number, 228, 200, claimed, claimed), at(18))
    assert verdict.client_ms == verdict.detect_ms == believed


@pytest.mark.parametrize(
    ("detect_ms", "client_ms", "believed"),
    [(20.0, 20.0, (20.0, 20.0)), (20.1, 20.0, (None, None)), (300.0, 20.0, (None, 20.0))],
)
def test_no_detector_took_longer_than_its_client(
    detect_ms: float, client_ms: float, believed: tuple[float | None, float | None]
) -> None:
    verdict = scorer(*range(20)).score(Estimate(16, 228, 200, detect_ms, client_ms), at(18))
    assert (verdict.detect_ms, verdict.client_ms) == believed


def test_lost_frames_are_split_by_what_the_client_says() -> None:
    frames = scorer(0, *range(90, 100))
    frames.score(Estimate(0, 100, 200), at(99))
    frames.alive(Alive(8, 3))
    frames.alive(Alive(6, 2))  # overtaken on the way
    total = frames.total(at(120))
    assert total.frames_lost == 11
    assert total.lost == Loss(on_the_way=7, skipped=3, late=1)


def test_skipped_frames_of_before_the_opening_are_not_among_those_lost() -> None:
    frames = Scorer(centre, SIZE, ORIGIN)
    for number in range(10):
        draw(frames, number)
    frames.opened(at(9.5))
    draw(frames, 10)
    assert frames.alive(Alive(10, 8))
    assert frames.total(at(30)).lost == Loss(on_the_way=0, skipped=1, late=0)


@pytest.mark.parametrize(
    ("received", "skipped"),
    [
        (2, 3),  # it skipped more than it got
        (11, 0),  # it got more than went out
        (10, 7),  # it skipped what it answered
        (2**53, 2**53),
        (5, 1),  # it skipped fewer than before
        (3, 4),
    ],
)
def test_what_cannot_be_is_not_believed_of_a_client(received: int, skipped: int) -> None:
    frames = scorer(*range(10))
    for number in range(3):
        frames.score(Estimate(number, 100, 200), at(10))
    frames.score(Estimate(None, 100, 200), at(10))
    assert frames.alive(Alive(4, 2))
    assert not frames.alive(Alive(received, skipped))
    assert frames.total(at(30)).lost == Loss(on_the_way=4, skipped=2, late=0)


def test_a_client_that_says_only_what_cannot_be_has_no_split() -> None:
    frames = scorer(*range(10))
    assert not frames.alive(Alive(0, 10))
    assert frames.total(at(30)).lost is None


def test_a_late_answer_to_a_frame_that_one_without_a_number_answered_loses_none() -> None:
    frames = scorer(0, 1)
    frames.score(Estimate(None, 100, 200), at(2))
    draw(frames, 90)
    frames.alive(Alive(3, 0))
    assert frames.score(Estimate(0, 100, 200), at(91)).result is Result.LATE
    total = frames.total(at(200))
    assert (total.unnumbered, total.frames_lost) == (1, 2)
    assert total.lost == Loss(on_the_way=2, skipped=0, late=0)


def test_an_answer_to_a_frame_from_before_the_opening_neither_helps_nor_harms() -> None:
    frames = Scorer(centre, SIZE, ORIGIN)
    for number in (0, 1):
        draw(frames, number)
    frames.opened(at(1.5))
    for number in (2, 3):
        draw(frames, number)
    assert frames.score(Estimate(1, 108, 200), at(3)).result is Result.EARLY
    now = frames.snapshot()
    assert (now.frames_due, now.frames_answered, now.rejected) == (2, 0, 0)
    assert frames.score(Estimate(1, 108, 200), at(30)).result is Result.EARLY
    assert frames.total(at(40)).latency_ms == NONE


def test_who_never_could_answer_was_due_nothing() -> None:
    frames = Scorer(centre, SIZE, ORIGIN, fps=8)
    for number in range(20):
        draw(frames, number)
    frames.dropped(20, 20 / 8, at(20))
    total = frames.total(at(40))
    assert total.seconds == 5
    for counts in (total, frames.snapshot()):
        assert {getattr(counts, name) for name in Counts.__struct_fields__} == {0}


def test_every_figure_has_the_name_of_its_field_and_of_what_a_verdict_has() -> None:
    for figure in FIGURES:
        assert figure.name in Score.__struct_fields__
        # The held error is of time, and no answer's.
        has = hasattr(Verdict(Result.REJECTED, None, None, None), figure.name)
        assert has == (figure.name != "held_error_px")


def test_what_is_held_and_how_evenly_answers_come_begins_after_a_second() -> None:
    frames = scorer(*range(33))
    frames.score(Estimate(2, 116, 200), at(4))
    # From 1 s on the ball is at 164, 180, and the answer of a quarter of a second holds.
    frames.score(Estimate(12, None, None), at(16))
    frames.score(Estimate(16, 228, 200), at(24))
    total = frames.total(at(32), [(at(4), at(8))])
    assert total.first_answer_ms == 500
    # From 48 px to 176 in two seconds, then from 64 to 128 in one.
    assert total.held_error_px.n == 2
    assert total.held_error_px.mean == pytest.approx((2 * 112 + 96) / 3)
    assert total.held_error_px.max == 176
    assert total.gaps == Gaps(1500, 0, 0, 3.5 / (1.5**2 + 1 + 1))


def test_without_an_answer_nothing_is_held() -> None:
    total = scorer(*range(16)).total(at(16))
    assert (total.first_answer_ms, total.held_error_px, total.gaps) == (None, NONE, Gaps())


def test_a_client_that_was_due_frames_and_got_none_was_there_all_the_same() -> None:
    """Nothing got through to it, or everything was dropped."""
    for drop in (False, True):
        frames = Scorer(centre, SIZE, ORIGIN, fps=8)
        frames.opened(at(2))
        if drop:
            for number in range(2, 40):
                frames.dropped(number, number / 8, at(number))
        total = frames.total(at(40))
        assert total.seconds == 38 / 8
        assert total.frames_due == total.frames_missed + total.frames_dropped >= 34
        assert total.frames_sent == 0


def test_who_left_before_the_first_frame_was_due_was_never_there() -> None:
    frames = Scorer(centre, SIZE, ORIGIN, fps=8)
    frames.opened(at(2.25))
    assert frames.total(at(2.5)).seconds == 0


def test_frames_that_a_server_made_late_are_waited_for_by_the_first_answer_too() -> None:
    frames = Scorer(centre, SIZE, ORIGIN, fps=8)
    frames.opened(at(0))
    draw(frames, 24)
    frames.score(Estimate(24, *centre(3)), at(26))
    total = frames.total(at(40))
    assert (total.seconds, total.first_answer_ms) == (5, 3250)


def test_a_long_latency_is_no_reason_why_no_frames_were_due_at_the_end() -> None:
    """Answers took 4 s; then, for the last 8 s, the server made no frame."""
    frames = Scorer(centre, SIZE, ORIGIN, fps=8)
    frames.opened(at(0))
    for number in range(40):
        draw(frames, number)
    for number in range(40):
        frames.score(Estimate(number, *centre(number / 8)), at(max(number + 32, 40)))
    total = frames.total(at(104))
    assert total.latency_ms.p95 == 4000
    assert (total.frames_sent, total.frames_due, total.frames_missed) == (40, 101, 61)
