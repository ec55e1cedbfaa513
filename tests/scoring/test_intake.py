"""A client's messages, moved through time by hand."""

import pytest

from ballstream.protocol.messages import Alive, Estimate, Feedback, encode
from ballstream.scoring.intake import Intake
from ballstream.scoring.score import Loss, Result, Scorer


@pytest.fixture
def scorer() -> Scorer:
    """One that sent 20 frames, eight a second."""
    made = Scorer(lambda seconds: (100, 200), (640, 480), 0)
    made.opened(0)
    for number in range(20):
        made.drawn(number, number / 8, number / 8)
    return made


def test_an_estimate_is_judged(scorer: Scorer) -> None:
    verdict = Intake(scorer).take(encode(Estimate(16, 103, 204)), 2.25)
    assert verdict is not None
    assert (verdict.result, verdict.detection_error_px) == (Result.ANSWERED, 5)


def test_an_answer_to_a_frame_from_before_the_opening_is_passed_over() -> None:
    scorer = Scorer(lambda seconds: (100, 200), (640, 480), 0)
    scorer.drawn(0, 0.0, 0.0)
    scorer.opened(0.1)
    assert Intake(scorer).take(encode(Estimate(0, 103, 204)), 0.25) is None
    assert scorer.snapshot().rejected == 0


def test_a_copy_counts_where_the_first_did_not_come_and_else_for_nothing(scorer: Scorer) -> None:
    intake = Intake(scorer)
    copy = encode(Estimate(16, 103, 204, again=True))
    verdict = intake.take(copy, 2.25)
    assert verdict is not None
    assert verdict.result is Result.ANSWERED
    assert intake.take(copy, 2.26) is None
    assert intake.take(encode(Estimate(16, 103, 204)), 2.27) is not None
    now = scorer.snapshot()
    assert (now.frames_answered, now.duplicates, now.rejected) == (1, 1, 0)


def test_what_is_rejected_is_not_rejected_again_in_its_copy(scorer: Scorer) -> None:
    intake = Intake(scorer)
    intake.take(encode(Estimate(16, 5000, 204)), 2.25)
    assert intake.take(encode(Estimate(16, 5000, 204, again=True)), 2.26) is None
    assert scorer.snapshot().rejected == 1


@pytest.mark.parametrize("rubbish", ["", "hello", b"{}", '{"type": "estimate", "frame": -1}'])
def test_rubbish_is_counted(scorer: Scorer, rubbish: object) -> None:
    assert Intake(scorer).take(rubbish, 2.25) is None
    assert scorer.snapshot().rejected == 1


def test_more_messages_than_500_a_second_are_not_read(scorer: Scorer) -> None:
    intake = Intake(scorer)
    text = encode(Estimate(None, 100, 200))
    taken = [intake.take(text, 2.0) for _ in range(600)]
    assert [verdict is None for verdict in taken] == [False] * 500 + [True] * 100
    assert intake.take(text, 2.01) is not None
    assert scorer.snapshot().rejected == 100
    assert not intake.exhausted


def test_patience_ends_after_five_thousand_messages_that_are_rubbish(scorer: Scorer) -> None:
    intake = Intake(scorer)
    for _ in range(5_000):
        intake.take("rubbish", 2.0)
    assert not intake.exhausted
    intake.take("rubbish", 2.0)
    assert intake.exhausted


def test_patience_comes_back_with_time(scorer: Scorer) -> None:
    intake = Intake(scorer)
    for second in range(1_000):
        for _ in range(10):
            intake.take("rubbish", 2.0 + second)
    assert not intake.exhausted
    assert scorer.snapshot().rejected == 10_000


def test_feedback_tells_the_medians(scorer: Scorer) -> None:
    intake = Intake(scorer)
    assert intake.feedback() == Feedback(0, None, None, (640, 480))
    intake.take(encode(Estimate(16, 100.12345, 200)), 2.25)
    assert intake.feedback() == Feedback(1, 0.123, 250.0, (640, 480))


def test_a_sign_of_life_is_no_estimate_and_no_rubbish(scorer: Scorer) -> None:
    intake = Intake(scorer)
    assert intake.alive is None
    assert intake.take(encode(Alive(10, 3)), 2.25) is None
    assert intake.alive == Alive(10, 3)
    assert scorer.snapshot().rejected == 0
    assert scorer.total(30).lost == Loss(on_the_way=17, skipped=3, late=0)


def test_a_sign_of_life_that_cannot_be_true_is_rubbish(scorer: Scorer) -> None:
    intake = Intake(scorer)
    for alive in (Alive(21, 0), Alive(3, 4)):
        assert intake.take(encode(alive), 2.25) is None
    assert intake.alive is None
    assert scorer.snapshot().rejected == 2
    assert scorer.total(30).lost is None


@pytest.mark.parametrize("member", ["x", "y", "detect_ms", "client_ms"])
@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "null1"])
def test_what_is_no_number_is_rubbish(scorer: Scorer, member: str, number: str) -> None:
    figures = {"frame": 16, "x": 100, "y": 200, "detect_ms": 1, "client_ms": 2} | {member: number}
    body = ", ".join(f'"{name}": {value}' for name, value in figures.items())
    assert Intake(scorer).take(f'{{"type": "estimate", {body}}}', 2.25) is None
    now = scorer.snapshot()
    assert (now.rejected, now.frames_answered) == (1, 0)


@pytest.mark.parametrize("member", ["detect_ms", "client_ms"])
def test_no_time_is_negative(scorer: Scorer, member: str) -> None:
    text = f'{{"type": "estimate", "frame": 16, "x": 100, "y": 200, "{member}": -0.001}}'
    assert Intake(scorer).take(text, 2.25) is None
    assert scorer.snapshot().rejected == 1
