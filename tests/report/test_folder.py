import errno
import fcntl
import json
import logging
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from programs import run
from samples import Session

from ballstream.errors import UsageError
from ballstream.report.folder import EstimateRows, OutputFolder, open_output
from ballstream.scoring.score import Result, Verdict

COLUMNS = ("session", "at")
FULL = Path("/dev/full")

pytestmark = pytest.mark.skipif(not FULL.exists(), reason="needs /dev/full")


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """No file of this process can grow beyond a size, as on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [each.getMessage() for each in caplog.records if each.levelno >= logging.ERROR]


def test_nothing_is_written_where_nothing_was_asked_for() -> None:
    with open_output(None, COLUMNS) as output:
        assert output is None


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="choose another --output"):
        open_output(tmp_path / "file" / "folder", COLUMNS)


def test_a_folder_has_one_writer_at_a_time(tmp_path: Path) -> None:
    with OutputFolder(tmp_path, COLUMNS) as output:
        output.add((1, 0.5))
        with pytest.raises(UsageError, match="another program writes to"):
            OutputFolder(tmp_path, ("other",))
        output.add((1, 0.75))
    assert (tmp_path / "estimates.csv").read_text() == "session,at\n1,0.5\n1,0.75\n"
    with OutputFolder(tmp_path, ("other",)):
        pass
    assert (tmp_path / "estimates.csv").read_text() == "other\n"


def test_a_file_system_without_locks_will_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def flock(_: object, __: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", flock)
    with OutputFolder(tmp_path, COLUMNS):
        pass
    assert (tmp_path / "estimates.csv").read_text() == "session,at\n"


def test_a_report_is_made_of_all_lines(tmp_path: Path) -> None:
    with OutputFolder(tmp_path, COLUMNS) as output:
        output.add((1, 0.5))
        output.add((2, ""))
        output.write_report(lambda: "".join([*output.lines(), *output.lines()]))
        assert output.complete
    assert (tmp_path / "report.html").read_text() == "1,0.5\n2,\n" * 2
    assert (tmp_path / "estimates.csv").read_text() == "session,at\n1,0.5\n2,\n"


def test_a_full_disk_ends_the_rows_with_one_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "estimates.csv").symlink_to(FULL)
    with OutputFolder(tmp_path, COLUMNS) as output:
        for _ in range(10_000):
            output.add((1, 0.5))
        assert not output.complete
    assert errors(caplog) == ["estimates.csv ends here: No space left on device"]


def test_a_full_disk_that_shows_at_the_end_only(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "estimates.csv").symlink_to(FULL)
    with OutputFolder(tmp_path, COLUMNS) as output:
        output.add((1, 0.5))
        assert output.complete
        assert not output.finish()
        assert not output.complete
    assert errors(caplog) == ["estimates.csv ends here: No space left on device"]


def test_rows_that_are_lost_are_said_before_the_end(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "estimates.csv").symlink_to(FULL)
    with OutputFolder(tmp_path, COLUMNS) as output:
        output.add((1, 0.5))
        assert not output.write_summary("{}"), "what could not be written is a failure"
        assert (tmp_path / "summary.json").read_text() == "{}\n"
        assert errors(caplog) == ["estimates.csv ends here: No space left on device"]
    assert len(errors(caplog)) == 1


def test_a_row_that_we_fail_to_make_ends_the_rows_with_one_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ValueError("no")

    monkeypatch.setattr("ballstream.report.folder.csv_row", broken)
    with OutputFolder(tmp_path, COLUMNS) as output:
        for _ in range(2):
            EstimateRows(output).verdict(Session(3), 1.25, Verdict(Result.ANSWERED, 7, 1.0, 2.0))
        output.add((1, 0.5))
        assert not output.finish()
    assert (tmp_path / "estimates.csv").read_text() == "session,at\n"
    failure = "ballstream itself failed while writing (ValueError: no)"
    assert errors(caplog) == [f"estimates.csv ends here: {failure}"]


def test_a_report_that_we_fail_to_make_is_none(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with OutputFolder(tmp_path, COLUMNS) as output:
        assert not output.write_report(lambda: str(1 // 0))
        assert output.finish()
    assert not (tmp_path / "report.html").exists()
    assert len(errors(caplog)) == 1


def test_what_a_full_disk_took_can_be_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with OutputFolder(tmp_path, COLUMNS) as output:
        with largest_file(len("session,at\n1,0.5\n2,")):
            output.add((1, 0.5))
            output.add((2, 0.75))
            output.write_report(lambda: "".join(output.lines()))
        assert not output.complete
    assert (tmp_path / "report.html").read_text() == "1,0.5\n2,"
    assert errors(caplog) == ["estimates.csv ends here: File too large"]


def test_a_report_that_does_not_fit_is_taken_away(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with OutputFolder(tmp_path, COLUMNS) as output, largest_file(1000):
        assert output.write_summary("{}")
        assert not output.write_report(lambda: 2000 * "x")
        assert output.complete
    assert (tmp_path / "summary.json").read_text() == "{}\n"
    assert not (tmp_path / "report.html").exists()
    assert errors(caplog) == ["cannot write report.html: File too large"]


async def test_a_full_disk_costs_the_report_and_not_the_summary(
    socket_path: Path, tmp_path: Path
) -> None:
    flags = ("-s", "unix-socket", "--signaling-path", str(socket_path), "--json")
    out = tmp_path / "out"
    async with run("server", *flags, "--output", str(out)) as server:
        await server.says("waiting for clients")
        limits = (5000, 5000)
        psutil.Process(server.process.pid).rlimit(psutil.RLIMIT_FSIZE, limits)
        async with run("client", *flags, "--duration", "3") as client:
            await client.report()
        await server.says("client 1 is gone")
        server.send_signal(signal.SIGTERM)
        status, printed = await server.ends()
    assert status == 1, "what could not be written is a failure"
    report = json.loads(printed)
    assert json.loads((out / "summary.json").read_text()) == report
    assert report["sessions"][0]["latency_ms"]["n"] > 0
    assert sorted(path.name for path in out.iterdir()) == ["estimates.csv", "summary.json"]
    assert "estimates.csv ends here: File too large" in server.errors
    assert "cannot write report.html: File too large" in server.errors
    assert "Traceback" not in server.errors


def test_every_estimate_has_a_row(tmp_path: Path) -> None:
    verdict = Verdict(Result.ANSWERED, 7, 1.0, 2.0, tracking_error_px=0.5, counted=True)
    with OutputFolder(tmp_path, COLUMNS) as output:
        EstimateRows(output).verdict(Session(3), 1.25, verdict)
    assert (tmp_path / "estimates.csv").read_bytes() == (
        b"session,at\n3,1.25,answered,7,1.0,2.0,,,,0.5,,,,1\n"
    )
