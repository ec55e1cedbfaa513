"""What a terminal shows after what we send it."""

import pyte

from ballstream.report.screen import Screen

COLUMNS, LINES = 20, 6


class Glass:
    """A terminal, and how it looks."""

    def __init__(self) -> None:
        self._screen = pyte.Screen(COLUMNS, LINES)
        self._stream = pyte.Stream(self._screen)

    def feed(self, text: str) -> list[str]:
        """The lines that are not empty, after some text."""
        self._stream.feed(text.replace("\n", "\r\n"))
        return [line.rstrip() for line in self._screen.display if line.strip()]


def test_lines_are_drawn_over_the_last_ones() -> None:
    glass, screen = Glass(), Screen()
    assert glass.feed(screen.draw(["head", "one", "two"], LINES)) == ["head", "one", "two"]
    assert glass.feed(screen.draw(["head", "three"], LINES)) == ["head", "three"]
    assert glass.feed(screen.draw([], LINES)) == []


def test_a_note_stands_above_and_stays() -> None:
    glass, screen = Glass(), Screen()
    glass.feed(screen.draw(["head", "one"], LINES))
    assert glass.feed(screen.note("a \x1b[31mnote\n")) == ["a [31mnote", "head", "one"]
    assert glass.feed(screen.draw(["head", "two"], LINES)) == ["a [31mnote", "head", "two"]
    assert glass.feed(screen.clear()) == ["a [31mnote"]
    assert screen.clear() == ""


def test_a_long_note_goes_on_in_the_next_line_and_a_long_row_is_cut_off() -> None:
    glass, screen = Glass(), Screen()
    glass.feed(screen.draw(["x" * 30, "one"], LINES))
    shown = glass.feed(screen.note("n" * 30))
    assert shown == ["n" * 20, "n" * 10, "x" * 20, "one"]
    assert glass.feed(screen.draw(["two"], LINES)) == ["n" * 20, "n" * 10, "two"]


def test_no_more_rows_than_the_terminal_has() -> None:
    glass, screen = Glass(), Screen()
    lines = [str(number) for number in range(10)]
    for _ in range(3):
        assert glass.feed(screen.draw(lines, LINES)) == ["0", "1", "2", "3", "... and 6 more"]
    assert glass.feed(screen.draw(lines[:5], LINES)) == lines[:5]


def test_where_there_is_nothing_to_draw_there_is_no_control_sequence() -> None:
    screen = Screen()
    assert screen.draw([], LINES) == screen.clear() == ""
    assert screen.note("said") == "said\n"
