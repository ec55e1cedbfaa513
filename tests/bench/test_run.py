import tempfile
from pathlib import Path

import pytest
from programs import soon

from ballstream import trace
from ballstream.bench.run import run_scenario
from ballstream.bench.scenarios import SCENARIOS, Scenario
from ballstream.errors import BallstreamError


async def test_a_run_of_the_real_commands(tmp_path: Path) -> None:
    file = tmp_path / "trace"
    run = await soon(run_scenario(SCENARIOS["clean"], 3, {trace.VARIABLE: str(file)}), 60)
    assert run.session.frames_answered > 45
    assert run.session.frames_lost <= 0.1 * run.session.frames_sent
    assert run.server_cpu > 0
    assert run.client_cpu > 0
    assert run.viewer_frames == []
    server, client = trace.read(file), trace.read(tmp_path / "trace.client")
    both = [server[frame] | client[frame] for frame in server if frame in client]
    # A frame that the client skipped, as a busy machine makes it, was not looked at.
    whole = [instants for instants in both if len(instants) == len(trace.STAGES)]
    assert len(whole) > 60
    for instants in whole:
        assert list(trace.STAGES) == sorted(trace.STAGES, key=instants.__getitem__)


async def test_viewers_get_every_frame_and_are_not_scored() -> None:
    run = await soon(run_scenario(Scenario("few", "", viewers=3), 3), 60)
    assert len(run.viewer_frames) == 3
    assert min(run.viewer_frames) > 60
    assert run.session.frames_answered > 60


async def test_variables_of_the_shell_do_not_change_a_scenario(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("BALLSTREAM_DETECTOR", "psychic")
    run = await soon(run_scenario(SCENARIOS["clean"], 3), 60)
    assert run.session.frames_answered > 45


async def test_nothing_in_the_working_folder_is_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "socket.py").write_text("raise RuntimeError")
    monkeypatch.chdir(tmp_path)
    run = await soon(run_scenario(Scenario("watched", "", viewers=1), 3), 60)
    assert run.session.frames_answered > 45


async def test_a_folder_for_temporary_files_that_is_too_long_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / ("long" * 25)
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    with pytest.raises(BallstreamError, match="set TMPDIR to a shorter one"):
        await soon(run_scenario(SCENARIOS["clean"], 3))


async def test_a_run_that_fails_says_why() -> None:
    with pytest.raises(BallstreamError, match="a run failed: ballstream-client: there is no detec"):
        await soon(run_scenario(Scenario("bad", "", client=("--detector", "psychic")), 3), 60)
