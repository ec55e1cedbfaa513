"""Networks by name."""

from dataclasses import dataclass

_STR0M = (
    "str0m's crates/netem, src/config.rs: its runs of good and bad packets as loss and burst, its "
    "queue in bytes as the time that the link takes for them, its jitter (there uniform on either "
    "side) as a standard deviation"
)


@dataclass(frozen=True, slots=True)
class Preset:
    """A network that somebody has described before: a specification, in words, and by whom."""

    spec: str
    description: str
    source: str = _STR0M


PRESETS = {
    "wifi": Preset(
        "delay=5ms,jitter=2ms,loss=0.99%,burst=2,rate=100mbit,queue=16ms",
        "a good wireless network at home or at work",
    ),
    "wifi-lossy": Preset(
        "delay=15ms,jitter=10ms,loss=4.76%,burst=2,rate=50mbit,queue=16ms",
        "a wireless network with a weak signal or interference",
    ),
    "wifi-congested": Preset(
        "delay=10ms,jitter=20ms,loss=9.09%,burst=2,rate=5mbit,queue=48ms",
        "a wireless network that others fill with video",
    ),
    "cellular": Preset(
        "delay=50ms,jitter=15ms,loss=1.96%,burst=2,rate=30mbit,queue=27ms",
        "LTE, with losses when the cell changes",
    ),
    "satellite": Preset(
        "delay=300ms,jitter=15ms,loss=2.91%,burst=3,rate=15mbit,queue=267ms",
        "a geostationary satellite",
        f"{_STR0M}; its 600 ms with 30 of jitter are there and back, so half of both",
    ),
    "congested": Preset(
        "delay=80ms,jitter=40ms,loss=9.09%,burst=2,rate=10mbit,queue=40ms",
        "a way that is overloaded throughout",
    ),
}
