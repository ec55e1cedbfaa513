import io
import json

import pytest
from programs import soon
from rich.console import Console

from ballstream.bench import main
from ballstream.bench.config import BenchConfig
from ballstream.bench.proof import HOLD_MS, Medians, Part, parts, proof_table, prove
from ballstream.errors import BallstreamError


def medians(way: float, client: float, detect: float, held: float, detector: float) -> Medians:
    reported = {"latency_ms": way + client, "way_ms": way, "client_ms": client, "detect_ms": detect}
    return Medians(reported, {"down": held, "up": held, "detector": detector})


WITHOUT = medians(3.0, 1.5, 0.25, 0.125, 0.25)
DELAYED = medians(63.0, 21.5, 20.25, 30.125, 20.25)


def test_each_part_is_compared_with_whose_delay_belongs_in_it() -> None:
    assert parts([WITHOUT], [DELAYED]) == [
        Part("latency", 4.5, 84.5, 80.0),
        Part("server and network", 3.0, 63.0, 60.0),
        Part("client", 1.5, 21.5, 20.0),
        Part("of that the detector", 0.25, 20.25, 20.0),
    ]
    assert all(each.agrees for each in parts([WITHOUT], [DELAYED]))


def test_of_several_runs_the_medians_count() -> None:
    slow = medians(90.0, 90.0, 90.0, 90.0, 90.0)
    assert parts([WITHOUT, slow, WITHOUT], [DELAYED, DELAYED, slow]) == parts([WITHOUT], [DELAYED])


@pytest.mark.parametrize(
    ("way", "client", "wrong"),
    [
        (63.5, 21.0, []),
        (63.625, 21.5, ["latency", "server and network"]),
        # A delay in the wrong part is wrong, though the whole is right.
        (64.5, 20.0, ["server and network", "client"]),
        (62.0, 21.5, ["latency", "server and network"]),
    ],
)
def test_half_a_millisecond_decides(way: float, client: float, wrong: list[str]) -> None:
    found = parts([WITHOUT], [medians(way, client, 20.25, 30.125, 20.25)])
    assert [each.part for each in found if not each.agrees] == wrong


def test_the_table_has_both_beside_each_other() -> None:
    console = Console(file=io.StringIO(), width=100, record=True)
    console.print(proof_table(parts([WITHOUT], [medians(63.0, 22.25, 20.25, 30.125, 20.25)])))
    rows = [" ".join(line.split()) for line in console.export_text().splitlines()]
    assert "server and network 3.00 63.00 60.00 60.00 yes" in rows
    assert "client 1.50 22.25 20.75 20.00 NO" in rows


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> dict[float, Medians]:
    """What came of each run, by how long the relay held what came."""
    runs = {0.0: WITHOUT, HOLD_MS: DELAYED}

    async def known(hold_ms: float, detector: str, duration: float) -> Medians:
        return runs[hold_ms]

    monkeypatch.setattr(main, "prove", known)
    return runs


@pytest.mark.usefixtures("runs")
@pytest.mark.parametrize("json", [True, False])
def test_a_standard_output_that_is_closed_is_a_failure(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, json: bool
) -> None:
    monkeypatch.setattr("sys.stdout", None)
    assert main.run_proof(BenchConfig(json=json)) == 1
    assert caplog.messages == ["cannot write to standard output: it is closed"]


def test_it_says_whether_it_is_proved_and_fails_where_not(
    runs: dict[float, Medians], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run_proof(BenchConfig(json=True)) == 0
    said = capsys.readouterr()
    document = json.loads(said.out)
    assert document["proved"] is True
    assert document["parts"][2] == {
        "part": "client", "without": 1.5, "delayed": 21.5, "reported": 20.0, "recorded": 20.0,
    }  # fmt: skip
    assert "proved: what was reported is what was recorded, to within 0.5 ms" in said.err

    runs[HOLD_MS] = medians(63.0, 22.25, 20.25, 30.125, 20.25)
    with pytest.raises(BallstreamError, match=r"off by more than 0\.5 ms in latency, client;"):
        main.run_proof(BenchConfig(json=True))
    assert json.loads(capsys.readouterr().out)["proved"] is False


async def test_a_real_run_goes_by_the_relay_and_through_the_detector() -> None:
    run = await soon(prove(10.0, "prompt", 3), 90)
    assert run.recorded["down"] >= 10
    assert run.recorded["up"] >= 10
    assert run.reported["way_ms"] > run.recorded["down"] + run.recorded["up"]
    assert run.reported["latency_ms"] > run.reported["way_ms"]
    assert run.reported["detect_ms"] >= run.recorded["detector"]
