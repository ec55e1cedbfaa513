import io
import json

import pytest
from samples import SESSION

from ballstream.bench import main
from ballstream.bench.config import BenchConfig
from ballstream.bench.run import Run
from ballstream.bench.scenarios import Scenario


@pytest.fixture(autouse=True)
def measured(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run_scenario(scenario: Scenario, duration: float) -> Run:
        return Run(SESSION, 1, 1, viewer_frames=[], config={"server": {"output": "/été"}})

    monkeypatch.setattr(main, "run_scenario", run_scenario)


@pytest.mark.parametrize("json", [True, False])
def test_a_standard_output_that_is_closed_is_a_failure(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, json: bool
) -> None:
    monkeypatch.setattr("sys.stdout", None)
    assert main.run_bench(BenchConfig(json=json, repeat=1)) == 1
    assert main.run_list() == 1
    assert caplog.messages == 2 * ["cannot write to standard output: it is closed"]


def test_letters_that_it_does_not_have_cost_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(raw, encoding="ascii"))
    assert main.run_bench(BenchConfig(json=True, repeat=1)) == 0
    document = json.loads(raw.getvalue())
    assert document["scenarios"][0]["runs"][0]["config"]["server"]["output"] == "/été"
    assert main.run_bench(BenchConfig(repeat=1)) == 0
    assert main.run_list() == 0
