import pytest

from ballstream.scoring.gaps import Continuity, Gaps

BEGIN = 1.0


def continuity(*pauses: tuple[float, float]) -> Continuity:
    """Sixteen answers a second from 0 to 10 s, but for some pauses, from and to."""
    made = Continuity(16)
    for number in range(160):
        at = number / 16
        if not any(since < at < to for since, to in pauses):
            made.answer(at, BEGIN)
    return made


def test_without_an_answer_nothing_is_known() -> None:
    assert Continuity(30).total(10, BEGIN, ()) == Gaps()


def test_even_answers_have_no_freeze() -> None:
    found = continuity().total(9.9375, BEGIN, ())
    assert found == Gaps(longest_ms=62.5, freezes=0, frozen_ms=0, harmonic_fps=16)


def test_a_pause_is_a_freeze_and_so_is_one_at_the_end() -> None:
    found = continuity((3, 4)).total(12, BEGIN, ())
    assert (found.longest_ms, found.freezes, found.frozen_ms) == (2062.5, 2, 3062.5)
    # From 1 s to 12 s: 11 s, of which 127 gaps are of a sixteenth.
    assert found.harmonic_fps == pytest.approx(11 / (127 / 256 + 1 + 2.0625**2))


def test_less_than_150_ms_more_is_none() -> None:
    made, at = Continuity(16), 0.0
    for gap in [1 / 16] * 32 + [0.2124] + [1 / 16] * 32 + [0.2126]:
        at += gap
        made.answer(at, BEGIN)
    assert made.total(at, BEGIN, ()).freezes == 1


def test_what_ends_before_the_count_begins_is_left_out() -> None:
    made = continuity((0.25, 0.875))
    assert made.total(9.9375, BEGIN, ()).longest_ms == 62.5


def test_recovery_is_from_the_end_of_an_outage_to_the_first_full_second() -> None:
    made = Continuity(16)
    answers = [number / 16 for number in range(48)]
    answers += [5.5, 5.75]  # two stray ones
    answers += [6.25 + number / 16 for number in range(48)]
    for at in answers:
        made.answer(at, BEGIN)
    # A second from 5.75 s on has only 9 answers; one from 6.25 s on has all of them.
    assert made.total(10, BEGIN, [(3.0, 5.0)]).recovery_ms == 1250


def test_of_several_outages_the_longest_recovery_counts() -> None:
    made = continuity((3, 4.5), (6, 7))
    outages = [(3.0, 4.25), (6.0, 6.9375), (20.0, 30.0)]
    assert made.total(10, BEGIN, outages).recovery_ms == 250


@pytest.mark.parametrize("outages", [(), [(3.0, None)], [(3.0, 20.0)], [(3.0, 9.5)]])
def test_without_a_recovery_there_is_no_time_of_it(
    outages: list[tuple[float, float | None]],
) -> None:
    assert continuity((3, 10)).total(10, BEGIN, outages).recovery_ms is None
