"""Every frame has one fate, whatever happens."""

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ballstream.protocol.messages import Alive, Estimate
from ballstream.protocol.stamp import MODULUS
from ballstream.scoring.counts import Counts
from ballstream.scoring.ledger import Fates, Ledger, Schedule
from ballstream.scoring.score import Scorer

FPS = 8
ORIGIN = 1000.0


def at(number: float) -> float:
    """The instant at which a frame is due."""
    return ORIGIN + number / FPS


def ledger(*numbers: int, opened: float | None = 0) -> Ledger:
    """One that was told of the opening, then of frames that went out."""
    made = Ledger(Schedule(ORIGIN, FPS))
    if opened is not None:
        made.opened(at(opened))
    for number in numbers:
        made.drawn(number, number / FPS, at(number))
    return made


def drop(from_: Ledger, number: int) -> None:
    from_.dropped(number, number / FPS, at(number))


NOTHING = Fates(due=0, dropped=0, sent=0, answered=0, unnumbered=0, open=0)


def test_before_the_opening_no_frame_is_due() -> None:
    made = ledger(5, 6, 9, opened=None)
    drop(made, 10)
    assert made.now() == made.total(at(100), 0.5) == NOTHING
    assert made.started == at(5)
    assert made.find(6) is not None


def test_without_a_schedule_frames_are_due_from_the_first_on_after_the_opening() -> None:
    made = Ledger(None)
    made.drawn(4, 0.0, at(4))
    made.opened(at(4.5))
    for number in (6, 9):
        made.drawn(number, 0.0, at(number))
    assert made.now() == Fates(due=4, dropped=0, sent=2, answered=0, unnumbered=0, open=2)


def test_frames_are_due_from_the_opening_on() -> None:
    made = ledger(5, 6, 9, opened=2.5)
    assert made.now() == Fates(due=7, dropped=0, sent=3, answered=0, unnumbered=0, open=3)


def test_what_was_before_the_opening_is_not_due() -> None:
    made = ledger(*range(10), opened=None)
    drop(made, 10)
    made.opened(at(10.5))
    assert made.now() == NOTHING
    made.drawn(12, 12 / FPS, at(12))
    made.opened(at(20))
    assert made.now() == Fates(due=2, dropped=0, sent=1, answered=0, unnumbered=0, open=1), (
        "once and for all"
    )
    assert made.total(at(13), 0.5) == Fates(
        due=2, dropped=0, sent=1, answered=0, unnumbered=0, open=1
    )


def test_a_frame_that_was_due_just_before_the_opening_and_is_drawn_after_it_is_due() -> None:
    made = ledger(opened=10.25)
    made.drawn(10, 10 / FPS, at(10.5))
    assert made.now() == Fates(due=1, dropped=0, sent=1, answered=0, unnumbered=0, open=1)


@pytest.mark.parametrize("dropped_first", [True, False])
def test_a_frame_that_went_out_on_one_of_two_transports_went_out(dropped_first: bool) -> None:
    made = ledger(0)
    if dropped_first:
        drop(made, 1)
    made.drawn(1, 1 / FPS, at(1))
    if not dropped_first:
        drop(made, 1)
    made.drawn(1, 1 / FPS, at(1))
    assert made.now() == Fates(due=2, dropped=0, sent=2, answered=0, unnumbered=0, open=2)


@pytest.mark.parametrize(("until", "due"), [(3, 4), (7, 4), (8, 5), (19, 16)])
def test_at_the_end_frames_that_never_came_are_due(until: float, due: int) -> None:
    """But for those of the last half second, of which one may have been on its way."""
    assert ledger(0, 1, 2, 3).total(at(until), 0.5).due == due


def test_without_a_schedule_nobody_knows_what_was_due_at_the_end() -> None:
    made = Ledger(None)
    made.opened(at(2))
    made.drawn(5, 0.0, at(5))
    made.drawn(7, 0.0, at(7))
    assert made.total(at(100), 0.5).due == 3


def test_what_came_after_the_end_is_left_out() -> None:
    made = ledger(*range(10))
    for number in (10, 12):
        drop(made, number)
    made.drawn(13, 13 / FPS, at(13))
    assert made.total(at(5), 0.5) == Fates(
        due=6, dropped=0, sent=6, answered=0, unnumbered=0, open=4
    )
    assert made.total(at(10), 0.5) == Fates(
        due=11, dropped=1, sent=10, answered=0, unnumbered=0, open=3
    )


def test_an_outage_of_half_a_minute_after_the_end_is_left_out() -> None:
    made = ledger(*range(8 * 40))
    assert made.total(at(80), 0.5) == Fates(
        due=81, dropped=0, sent=81, answered=0, unnumbered=0, open=4
    )


def test_after_ten_seconds_only_what_was_sent_and_not_answered_is_given_up() -> None:
    made = ledger(0, 1)
    drop(made, 2)
    answered = made.find(0)
    assert answered is not None
    made.answer(answered)
    made.drawn(81, 81 / FPS, at(81))
    assert made.now() == Fates(due=82, dropped=1, sent=3, answered=1, unnumbered=0, open=2)
    made.drawn(82, 82 / FPS, at(82))
    assert made.now() == Fates(due=83, dropped=1, sent=4, answered=1, unnumbered=0, open=2)
    made.drawn(83, 83 / FPS, at(83))
    assert made.now() == Fates(due=84, dropped=1, sent=5, answered=1, unnumbered=0, open=3)


@dataclass(frozen=True)
class Story:
    """What happened to one frame: None where the server missed it."""

    sent: bool | None
    answer_after: float | None
    unnumbered: bool


STORIES = st.builds(
    Story,
    st.sampled_from([True, True, True, False, None]),
    st.none() | st.sampled_from([0.25, 0.75, 3, 90.5]),
    st.booleans(),
)


def told(stories: list[Story], first: int) -> Counts:
    """A scorer's counts after all that happened, in its order, to frames that follow each other."""
    scorer = Scorer(lambda seconds: (100, 200), (640, 480), ORIGIN, FPS)
    scorer.opened(at(first))
    events: list[tuple[float, int, Story, bool]] = []
    for number, story in enumerate(stories, first):
        events.append((number, number, story, False))
        if story.sent and story.answer_after is not None:
            events.append((number + story.answer_after, number, story, True))
    end = first + len(stories) - 0.5
    for when, number, story, is_answer in sorted(events, key=lambda event: event[:2]):
        if when > end:
            continue
        if is_answer:
            name = None if story.unnumbered else number % MODULUS
            scorer.score(Estimate(name, 100, 200), at(when))
        elif story.sent is not None:
            (scorer.drawn if story.sent else scorer.dropped)(number, number / FPS, at(when))
        check(scorer.snapshot())
    return scorer.total(at(end))


def check(counts: Counts) -> None:
    assert counts.frames_due == counts.frames_missed + counts.frames_dropped + counts.frames_sent
    assert counts.frames_sent == (
        counts.frames_answered + counts.unnumbered + counts.frames_lost + counts.frames_undecided
    )
    assert all(getattr(counts, name) >= 0 for name in Counts.__struct_fields__)


HISTORIES = st.builds(
    lambda stories, times: stories * times, st.lists(STORIES, max_size=60), st.integers(1, 4)
)


@given(HISTORIES, st.integers(0, 50) | st.just(MODULUS - 20))
@settings(deadline=None)
def test_every_frame_due_is_in_one_count(stories: list[Story], first: int) -> None:
    counts = told(stories, first)
    check(counts)
    end = first + len(stories) - 0.5
    answers = [
        story
        for number, story in enumerate(stories, first)
        if story.sent and story.answer_after is not None and number + story.answer_after <= end
    ]
    in_time = [story for story in answers if story.answer_after != 90.5]
    assert counts.frames_sent == sum(story.sent is True for story in stories)
    assert counts.frames_dropped == sum(story.sent is False for story in stories)
    assert counts.frames_answered == sum(not story.unnumbered for story in in_time)
    # Of the frames at the very end nobody knows whether the server was late.
    known = max(
        (place for place, story in enumerate(stories) if story.sent is not None), default=-1
    )
    missed = sum(story.sent is None for story in stories[: known + 1])
    assert missed <= counts.frames_missed <= sum(story.sent is None for story in stories)
    assert counts.frames_missed >= sum(story.sent is None for story in stories[:-5])


numbers = st.none() | st.integers(0, 220)
totals = st.integers(0, 40) | st.just(2**53)
durations = st.none() | st.sampled_from([0.0, 1.0, 124.9, 5_000.0, 1e300])
estimates = st.builds(
    Estimate,
    numbers,
    st.sampled_from([100.0, 1e9]),
    st.just(200.0),
    durations,
    durations,
)
said = st.one_of(
    estimates,
    st.builds(Alive, totals, totals),
    st.builds(lambda number: Estimate(number, None, None), numbers),
)
fates = st.sampled_from(["sent", "sent", "sent", "dropped", "both", "missed", "stall"])
events = st.lists(st.tuples(fates, st.lists(said, max_size=4)), max_size=60)


@given(events, st.integers(0, 70), st.integers(-30, 30), st.booleans())
@settings(deadline=None, max_examples=300)
def test_the_fates_add_up_whatever_is_said(
    story: list[tuple[str, list[Estimate | Alive]]], opened: int, end: int, scheduled: bool
) -> None:
    scorer = Scorer(lambda seconds: (100, 200), (640, 480), 0, FPS if scheduled else None)
    number, messages, lost, heard_at = 0, 0, 0, 0.0
    for place, (fate, spoken) in enumerate(story):
        if place == opened:
            scorer.opened(number / FPS)
        number += 90 if fate == "stall" else 1
        drawn = (number, number / FPS, number / FPS)
        if fate in ("dropped", "both"):
            scorer.dropped(*drawn)
        if fate in ("sent", "both", "stall"):
            scorer.drawn(*drawn)
        for message in spoken:
            messages += 1
            heard_at = (number + 0.5) / FPS
            if isinstance(message, Alive):
                scorer.alive(message)
                continue
            verdict = scorer.score(message, heard_at)
            split = (verdict.way_ms, verdict.client_ms, verdict.detect_ms)
            assert all(each is None or each >= 0 for each in split)
            if verdict.client_ms is not None and verdict.detect_ms is not None:
                assert verdict.detect_ms <= verdict.client_ms
        now = scorer.snapshot()
        check(now)
        assert now.frames_lost >= lost, "what was lost does not come back"
        assert now.frames_answered + now.unnumbered + now.duplicates + now.rejected <= messages
        lost = now.frames_lost
    # Where the client was lost, frames went out after the last that was heard of it.
    total = scorer.total(max(heard_at, (number + end) / FPS))
    check(total)
    if total.lost is not None:
        parts = total.lost
        assert parts.on_the_way + parts.skipped + parts.late == total.frames_lost
        assert min(parts.on_the_way, parts.skipped, parts.late) >= 0


def test_whoever_joins_is_due_what_goes_out_from_then_on() -> None:
    made = ledger(3, 4, 5, opened=None)
    made.joined(at(5.5))
    assert made.now() == NOTHING
    assert made.started == at(5.5)
    assert made.find(4) is not None
    for number in (6, 7):
        made.drawn(number, number / FPS, at(number))
    assert made.now() == Fates(due=2, dropped=0, sent=2, answered=0, unnumbered=0, open=2)


def test_whoever_joins_before_anything_went_out_begins_with_the_first_frame() -> None:
    made = ledger(opened=None)
    made.joined(at(5.5))
    made.interrupted()
    assert made.total(at(50), 0.5) == NOTHING
    made.drawn(20, 20 / FPS, at(20))
    assert made.started == at(20)
    assert made.now() == Fates(due=1, dropped=0, sent=1, answered=0, unnumbered=0, open=1)


def test_what_has_its_time_while_nothing_goes_out_is_not_due() -> None:
    made = ledger(0, 1)
    made.interrupted()
    made.interrupted()
    assert made.total(at(40), 0.5).due == 2
    for number in (10, 12):
        made.drawn(number, number / FPS, at(number))
    assert made.now() == Fates(due=5, dropped=0, sent=4, answered=0, unnumbered=0, open=4)
    assert made.total(at(40), 0.5).due > 5  # now it is one that the server missed
