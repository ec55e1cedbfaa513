from pathlib import Path

import msgspec
import pytest
from programs import soon
from samples import SESSION

from ballstream import trace
from ballstream.bench.programs import running
from ballstream.bench.run import MEASURED, Company, measured_session, run_scenario
from ballstream.bench.scenarios import SCENARIOS, Scenario
from ballstream.errors import BallstreamError


async def test_a_run_of_the_real_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BALLSTREAM_SIZE", "1920x1080")
    monkeypatch.setenv("BALLSTREAM_STOCK", "1")
    file = tmp_path / "trace"
    run = await soon(run_scenario(SCENARIOS["clean"], 3, {trace.VARIABLE: str(file)}), 60)
    assert run.session.client == MEASURED
    assert run.session.frames_answered > 15
    assert run.server_cpu > 0
    assert run.client_cpu > 0
    assert run.viewer_frames == []
    assert run.config["server"]["size"] == [640, 480]
    assert run.config["server"]["stock"] is run.config["client"]["stock"] is False
    server, client = trace.read(file), trace.read(tmp_path / "trace.client")
    # Some were skipped, or came before the client could answer.
    answered = [frame for frame in server if "arrived" in server[frame] and frame in client]
    whole = [server[frame] | client[frame] for frame in answered]
    assert len(whole) > 15
    for instants in whole:
        assert list(trace.STAGES) == sorted(trace.STAGES, key=instants.__getitem__)


async def test_all_others_are_there_before_the_one_that_is_measured() -> None:
    run = await soon(run_scenario(Scenario("few", "", viewers=2, clients=1), 3), 90)
    assert run.session.client == MEASURED
    assert run.session.id == 4  # after a client and two viewers
    assert run.session.frames_answered > 15
    assert len(run.viewer_frames) == 2
    assert min(run.viewer_frames) > 15


async def test_viewers_that_get_nothing_are_no_company() -> None:
    async with running("import sys; sys.stdin.read(); print(120); print(0)") as viewers:
        with pytest.raises(BallstreamError, match="one of the viewers got no frame"):
            await soon(Company([], viewers).end())


async def test_a_run_that_fails_says_why() -> None:
    with pytest.raises(BallstreamError, match="a run failed: ballstream-client: there is no detec"):
        await soon(run_scenario(Scenario("bad", "", client=("--detector", "psychic")), 3), 60)


def test_the_session_that_counts_is_known_by_name() -> None:
    busiest = msgspec.structs.replace(SESSION, client="companion-0", frames_answered=4000)
    measured = msgspec.structs.replace(SESSION, client=MEASURED, id=7)
    sessions = [msgspec.to_builtins(each) for each in (busiest, measured)]
    assert measured_session({"sessions": sessions}) == measured


def test_a_run_without_an_answer_of_it_has_failed() -> None:
    others = [
        msgspec.structs.replace(SESSION, client=name, frames_answered=answered)
        for name, answered in ((None, 400), ("companion-0", 400), (MEASURED, 0))
    ]
    with pytest.raises(BallstreamError, match="no answer of the client to be measured"):
        measured_session({"sessions": [msgspec.to_builtins(each) for each in others]})
