import asyncio
import errno
import resource
from collections.abc import Iterator

import pytest

from ballstream.commands.limits import allow_descriptors, say_once_what_runs_out


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


async def test_that_sockets_run_out_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    say_once_what_runs_out()
    loop = asyncio.get_running_loop()
    for _ in range(3):
        error = OSError(errno.EMFILE, "Too many open files")
        loop.call_exception_handler({"message": "accept", "exception": error})
    (record,) = caplog.records
    assert record.getMessage().startswith("Too many open files: no further sockets, the limit is ")


async def test_other_failures_are_told_as_ever(caplog: pytest.LogCaptureFixture) -> None:
    say_once_what_runs_out()
    loop = asyncio.get_running_loop()
    loop.call_exception_handler({"message": "else", "exception": OSError(errno.EPERM, "no")})
    assert "else" in caplog.text
