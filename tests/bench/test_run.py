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
    # Some were skipped, or came before the client could answer.
    answered = [frame for frame in server if "arrived" in server[frame] and frame in client]
    whole = [server[frame] | client[frame] for frame in answered]
    assert len(whole) > 45
    for instants in whole:
        assert list(trace.STAGES) == sorted(trace.STAGES, key=instants.__getitem__)


async def test_viewers_get_every_frame_and_are_not_scored() -> None:
    run = await soon(run_scenario(Scenario("few", "", viewers=3), 3), 60)
    assert len(run.viewer_frames) == 3
    assert min(run.viewer_frames) > 60
    assert run.session.frames_answered > 60


async def test_a_run_that_fails_says_why() -> None:
    with pytest.raises(BallstreamError, match="a run failed: ballstream-client: there is no detec"):
        await soon(run_scenario(Scenario("bad", "", client=("--detector", "psychic")), 3), 60)
