"""The metrics: exact sums, and names by Prometheus' rules."""

import re
import signal

import msgspec
from programs import run
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families
from samples import Session
from whep import serving_http

from ballstream.errors import BallstreamError
from ballstream.protocol.messages import Estimate
from ballstream.report.records import Ended
from ballstream.scoring.counts import counts_of
from ballstream.scoring.distribution import Statistics
from ballstream.scoring.gaps import Gaps
from ballstream.scoring.score import Result, Snapshot, Verdict
from ballstream.web.metrics import Metrics


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


def test_answers_are_sorted_into_base_units() -> None:
    metrics, session = Metrics({"version": "1"}, 32), Session(1)
    for verdict in (
        Verdict(
            Result.ANSWERED, 1, 2, 3,
            detection_error_px=0.03, tracking_error_px=3, latency_ms=4.5,
        ),
        Verdict(Result.DUPLICATE, 1, 2, 3, latency_ms=9),
        Verdict(Result.ANSWERED, None, 2, 3, tracking_error_px=9),
    ):  # fmt: skip
        metrics.verdict(session, 1.0, verdict)
    assert value(metrics, "ballstream_latency_seconds_count") == 1
    assert value(metrics, "ballstream_latency_seconds_sum") == 0.0045
    assert value(metrics, "ballstream_latency_seconds_bucket", le="0.004") == 0
    assert value(metrics, "ballstream_latency_seconds_bucket", le="0.005") == 1
    assert value(metrics, "ballstream_detection_error_pixels_sum") == 0.03
    assert value(metrics, "ballstream_tracking_error_pixels_sum") == 12


def outcomes(metrics: Metrics) -> float:
    """All offers that had an outcome or still run, added up."""
    metrics.update()
    return sum(
        sample.value
        for family in metrics.registry.collect()
        for sample in family.samples
        if sample.name
        in (
            "ballstream_sessions_refused_total",
            "ballstream_sessions_ended_total",
            "ballstream_sessions",
        )
    )


def test_every_offer_has_one_outcome() -> None:
    metrics = Metrics({"version": "1"}, 32)
    well, badly = Ended("client", False, "goodbye"), Ended("server", True, "the encoder failed")
    sessions = [
        (Session(1, sent=8), well),
        (Session(2), well),
        (Session(3, passive=True, sent=8), well),
        (Session(4, sent=8), badly),
        (Session(5), badly),
    ]
    for number, (session, _) in enumerate(sessions, 1):
        metrics.came(session)
        assert outcomes(metrics) == value(metrics, "ballstream_offers_total") == number
    metrics.refused(BallstreamError("full"))
    for session, ended in sessions:
        metrics.ended(session, session.report(ended=ended))
        assert outcomes(metrics) == value(metrics, "ballstream_offers_total") == 6
    assert {
        (kind, outcome): value(
            metrics, "ballstream_sessions_ended_total", kind=kind, outcome=outcome
        )
        for kind in ("scored", "passive")
        for outcome in ("ended", "never_connected", "failed")
    } == {
        ("scored", "ended"): 1,
        ("scored", "never_connected"): 1,
        ("scored", "failed"): 2,
        ("passive", "ended"): 1,
        ("passive", "never_connected"): 0,
        ("passive", "failed"): 0,
    }
    assert not metrics._watched


def test_every_count_with_a_metric_is_brought_up_to_date() -> None:
    metrics, session = Metrics({"version": "1"}, 32), Session(1, sent=20)
    metrics.came(session)
    for estimate in (Estimate(1, 100, 200), Estimate(2, None, None), Estimate(2, None, None)):
        session.scorer.score(estimate, 2.5)
    # Without a number it answers no frame, and takes nothing from those that are answered.
    session.scorer.score(Estimate(None, None, None), 2.5)
    session.scorer.reject()
    metrics.update()
    metrics.update()
    now = session.snapshot()
    for name, count in counts_of(Snapshot).items():
        if count.metric is not None:
            label = "reason" if count.metric.family == "messages_rejected" else "result"
            labels = {} if count.metric.value is None else {label: count.metric.value}
            sample = value(metrics, f"ballstream_{count.metric.family}_total", **labels)
            assert sample == getattr(now, name), name
    assert value(metrics, "ballstream_frames_total", result="answered") == 2
    assert value(metrics, "ballstream_not_found_total") == 2
    report = session.report()
    metrics.ended(session, report)
    assert value(metrics, "ballstream_frames_total", result="lost") == report.frames_lost > 0


def test_what_is_known_of_a_session_when_it_has_ended() -> None:
    metrics = Metrics({"version": "1"}, 32)
    session = Session(1, sent=20)
    metrics.came(session)
    held = Statistics(9, 5.0, 4.0, 9.0, 9.5, 9.9)
    gaps = Gaps(longest_ms=500, freezes=3, frozen_ms=1500, harmonic_fps=20)
    report = msgspec.structs.replace(session.report(), held_error_px=held, gaps=gaps)
    metrics.ended(session, report)
    assert value(metrics, "ballstream_freezes_total") == 3
    assert value(metrics, "ballstream_frozen_seconds_total") == 1.5
    assert value(metrics, "ballstream_held_error_pixels_sum") == 5


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
                "kind", "outcome", "result", "reason", "le", "version",
            }  # fmt: skip
    assert {family.name for family in families} >= {"process_cpu_seconds", "ballstream_build_info"}


async def test_what_is_scraped_agrees_with_the_summary() -> None:
    texts = []
    async with serving_http() as served:
        flags = ("-s", "whep", "--url", served.whep, "--duration", "2")
        for _ in range(2):
            async with run("client", *flags) as client:
                assert (await client.ends())[0] == 0
        await served.program.says("client 2 is gone")
        for accept in ("text/plain", "application/openmetrics-text; version=1.0.0"):
            response, text = await served.ask("GET", "metrics", headers={"Accept": accept})
            assert response.content_type == accept.partition(";")[0]
            texts.append(text)
        served.program.send_signal(signal.SIGTERM)
        sessions = (await served.program.report())["sessions"]
    sent = sum(each["frames_sent"] for each in sessions)
    answered = sum(each["frames_answered"] for each in sessions)
    for text in texts:
        samples = dict(re.findall(r"^(\S+) (\S+)$", text, re.MULTILINE))
        assert float(samples["ballstream_frames_sent_total"]) >= sent
        assert float(samples['ballstream_frames_total{result="answered"}']) == answered
        assert float(samples['ballstream_sessions_ended_total{kind="scored",outcome="ended"}']) == 2
        assert float(samples['ballstream_sessions{kind="scored"}']) == 0
        assert float(samples["ballstream_latency_seconds_count"]) == answered
