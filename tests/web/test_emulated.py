"""The metrics of an emulated network."""

from types import SimpleNamespace
from typing import Any

from prometheus_client import CollectorRegistry
from samples import emulated

from ballstream.web.emulated import EmulationCollector


def test_nothing_is_said_where_no_network_is_emulated() -> None:
    registry = CollectorRegistry()
    registry.register(EmulationCollector(lambda: None))
    assert list(registry.collect()) == []


def test_what_became_of_packets_is_counted_by_direction() -> None:
    registry = CollectorRegistry()
    emulation: Any = SimpleNamespace(record=emulated)
    registry.register(EmulationCollector(lambda: emulation))

    def value(name: str, direction: str) -> float | None:
        return registry.get_sample_value(f"ballstream_impairment_{name}", {"direction": direction})

    assert (value("packets_total", "down"), value("packets_total", "up")) == (2, 0)
    assert value("bytes_total", "down") == 300
    for name in ("lost", "queue_dropped", "reordered"):
        assert value(f"{name}_total", "up") == 0
    assert value("lateness_p99_seconds", "down") is None
