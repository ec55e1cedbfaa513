from ballstream.scoring.tally import Tally


def test_a_session_begins_with_its_first_picture() -> None:
    tally = Tally()
    assert tally.seconds(5.0) == 0
    tally.picture(10.0)
    tally.picture(11.0)
    assert tally.seconds(12.5) == 2.5


def test_answers_are_counted_by_what_became_of_them() -> None:
    tally = Tally()
    tally.picture(0.0)
    for found, sent in ((True, True), (False, True), (False, False), (True, False)):
        tally.answer(found, sent, 1.0, 0.1)
    # Nobody heard of what did not go out.
    assert (tally.sent, tally.dropped, tally.not_found) == (2, 2, 1)


def test_the_first_second_is_left_out_of_the_times() -> None:
    tally = Tally()
    tally.picture(10.0)
    tally.answer(True, True, 99.0, 10.9)
    tally.answer(True, True, 2.0, 11.0)
    assert tally.detect_ms.statistics().max == 2.0
    assert tally.detect_ms.statistics().n == 1


def test_pictures_that_come_again_or_without_a_number_are_counted() -> None:
    tally = Tally()
    assert [tally.is_repeated(number) for number in (7, 7, None, 8, 7)] == [
        False, True, False, False, True,
    ]  # fmt: skip
    assert (tally.repeated, tally.unreadable) == (2, 1)
