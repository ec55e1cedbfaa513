import pytest

from ballstream.errors import printable


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("as it is", "as it is"),
        ("two\nlines\r\n", "two lines"),
        ("\x1b]0;title\x07\x1b[2J", "]0;title [2J"),
        ("\x9b31m", "31m"),
        ("x" * 501, "x" * 500 + "..."),
    ],
)
def test_a_text_becomes_one_harmless_line(text: str, expected: str) -> None:
    assert printable(text) == expected
