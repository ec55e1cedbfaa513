"""The metrics: exact sums, and names by Prometheus' rules."""

import re
import signal

import pytest
from programs import run
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families
from whep import serving_http

from ballstream.scoring.score import Result, Verdict
from ballstream.web.metrics import Metrics


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


def test_answers_are_sorted_into_base_units() -> None:
    metrics = Metrics({"version": "1"}, 32)
    metrics.observe(
        Verdict(
            Result.ANSWERED, 1, 2, 3,
            detection_error_px=0.03, tracking_error_px=3, latency_ms=4.5,
        )
    )  # fmt: skip
    metrics.observe(Verdict(Result.DUPLICATE, 1, 2, 3, latency_ms=9))
    metrics.observe(Verdict(Result.ANSWERED, None, 2, 3, tracking_error_px=9))
    assert value(metrics, "ballstream_latency_seconds_count") == 1
    assert value(metrics, "ballstream_latency_seconds_sum") == 0.0045
    assert value(metrics, "ballstream_latency_seconds_bucket", le="0.004") == 0
    assert value(metrics, "ballstream_latency_seconds_bucket", le="0.005") == 1
    assert value(metrics, "ballstream_detection_error_pixels_sum") == 0.03
    assert value(metrics, "ballstream_tracking_error_pixels_sum") == 12


def test_names_follow_the_rules() -> None:
    text = generate_latest(Metrics({"version": "1"}, 32).registry).decode()
    families = list(text_string_to_metric_families(text))
    ours = [family for family in families if family.name.startswith("ballstream_")]
    assert len(ours) >= 11
    for family in ours:
        assert re.fullmatch(r"[a-z_]+", family.name)
        assert family.documentation.endswith(".")
        assert not family.name.endswith(("_ms", "_px"))
        for sample in family.samples:
            assert set(sample.labels) <= {
                "kind", "result", "reason", "le", "version",
            }  # fmt: skip
    assert {family.name for family in families} >= {"process_cpu_seconds", "ballstream_build_info"}


@pytest.mark.parametrize("accept", ["text/plain", "application/openmetrics-text; version=1.0.0"])
async def test_what_is_scraped_agrees_with_the_summary(accept: str) -> None:
    async with serving_http() as served:
        flags = ("-s", "whep", "--url", served.whep, "--duration", "2")
        for _ in range(2):
            async with run("client", *flags) as client:
                assert (await client.ends())[0] == 0
        await served.program.says("client 2 is gone")
        response, text = await served.ask("GET", "metrics", headers={"Accept": accept})
        assert response.content_type == accept.partition(";")[0]
        served.program.send_signal(signal.SIGTERM)
        sessions = (await served.program.report())["sessions"]
    samples = dict(re.findall(r"^(\S+) (\S+)$", text, re.MULTILINE))
    sent = sum(each["frames_sent"] for each in sessions)
    answered = sum(each["frames_answered"] for each in sessions)
    assert float(samples["ballstream_frames_sent_total"]) >= sent
    assert float(samples['ballstream_frames_total{result="answered"}']) == answered
    assert float(samples['ballstream_sessions_ended_total{kind="scored"}']) == 2
    assert float(samples['ballstream_sessions{kind="scored"}']) == 0
    assert float(samples["ballstream_latency_seconds_count"]) == answered
