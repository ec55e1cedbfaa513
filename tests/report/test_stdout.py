import io
import json
import logging
from pathlib import Path

import pytest

from ballstream.report.stdout import print_document, print_lines

WORDS = "été 球 😀"


def stream(encoding: str) -> io.TextIOWrapper:
    """A standard output that takes no other letters."""
    return io.TextIOWrapper(io.BytesIO(), encoding=encoding)


@pytest.mark.parametrize(
    ("encoding", "printed"),
    [
        ("utf-8", WORDS),
        ("latin-1", r"été \u7403 \U0001f600"),
        ("ascii", r"\xe9t\xe9 \u7403 \U0001f600"),
    ],
)
def test_letters_that_are_not_to_be_had_become_escapes(
    monkeypatch: pytest.MonkeyPatch, encoding: str, printed: str
) -> None:
    out = stream(encoding)
    monkeypatch.setattr("sys.stdout", out)
    assert print_lines([WORDS, "b"])
    assert out.buffer.getvalue().decode(encoding) == f"{printed}\nb\n"  # type: ignore[attr-defined]


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "ascii", "cp1252", "utf-16"])
def test_a_document_can_be_read_again_in_any_encoding(
    monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    out = stream(encoding)
    monkeypatch.setattr("sys.stdout", out)
    assert print_document(json.dumps({"client": WORDS}, ensure_ascii=False))
    printed = out.buffer.getvalue().decode(encoding)  # type: ignore[attr-defined]
    assert json.loads(printed) == {"client": WORDS}
    assert (WORDS in printed) == encoding.startswith("utf")


def test_a_closed_one_is_said(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("sys.stdout", None)
    assert not print_lines(["a"])
    assert caplog.messages == ["cannot write to standard output: it is closed"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_one_is_said_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with Path("/dev/full").open("w") as full:
        monkeypatch.setattr("sys.stdout", full)
        assert not print_document("{}")
        full.flush()  # as Python does at its end
    assert [each.levelno for each in caplog.records] == [logging.ERROR]
    assert caplog.messages == ["cannot write to standard output: No space left on device"]
