"""What Prometheus scrapes of an emulated network."""

from collections.abc import Callable, Iterable

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from ..impairment.sockets import Emulation

_COUNTERS = {
    "packets": "Packets that were offered to the emulated network.",
    "bytes": "Bytes that were offered to the emulated network.",
    "lost": "Packets that the emulated network lost.",
    "queue_dropped": "Packets that the full queue of the emulated network dropped.",
    "reordered": "Packets that arrived after one that was sent later.",
}


class EmulationCollector(Collector):
    """The counters of the present emulation, by direction; nothing while there is none."""

    def __init__(self, emulation: Callable[[], Emulation | None]) -> None:
        self._emulation = emulation

    def collect(self) -> Iterable[Metric]:
        """Work the metrics out."""
        emulation = self._emulation()
        if emulation is None:
            return
        record = emulation.record()
        links = {"down": record.down, "up": record.up}
        for name, text in _COUNTERS.items():
            family = CounterMetricFamily(
                f"ballstream_impairment_{name}", text, labels=("direction",)
            )
            for direction, link in links.items():
                family.add_metric((direction,), getattr(link, name))
            yield family
        late = GaugeMetricFamily(
            "ballstream_impairment_lateness_p99_seconds",
            "How late packets left the emulated network, 99th percentile.",
            labels=("direction",),
        )
        for direction, link in links.items():
            if link.lateness_ms.p99 is not None:
                late.add_metric((direction,), link.lateness_ms.p99 / 1e3)
        yield late
