import resource
from collections.abc import Iterator

import pytest

from ballstream.commands.limits import allow_descriptors


class Limits:
    """A stand-in for what the system keeps: the limits of this process stay as they are."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, soft: int, hard: int) -> None:
        self.kept = (soft, hard)
        monkeypatch.setattr(resource, "getrlimit", lambda _: self.kept)
        monkeypatch.setattr(resource, "setrlimit", self._keep)

    def _keep(self, _: int, limits: tuple[int, int]) -> None:
        self.kept = limits


@pytest.fixture(autouse=True)
def nothing_else_is_said(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    yield
    assert len(caplog.records) <= 1


@pytest.mark.parametrize(
    ("soft", "hard", "becomes"),
    [(1024, 4096, 1024), (128, 4096, 320), (128, resource.RLIM_INFINITY, 320), (-1, -1, -1)],
)
def test_what_sessions_need_is_taken_where_it_is_granted(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    soft: int,
    hard: int,
    becomes: int,
) -> None:
    limits = Limits(monkeypatch, soft, hard)
    allow_descriptors(32)
    assert limits.kept == (becomes, hard)
    assert caplog.text == ""


def test_what_is_not_granted_is_said_with_the_numbers(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    limits = Limits(monkeypatch, 64, 128)
    allow_descriptors(32)
    assert limits.kept == (128, 128)
    (record,) = caplog.records
    assert record.getMessage() == (
        "32 sessions may need 320 open files, and the limit is 128 (ulimit -n): raise it, or "
        "lower --max-sessions"
    )
