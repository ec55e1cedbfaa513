"""What the benchmark can run."""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Scenario:
    """Flags for both ends, and how many take part beside the client whose figures count.

    `clients` answer as it does, each a process of its own; `viewers` only receive, all in one.
    """

    name: str
    meaning: str
    server: tuple[str, ...] = ()
    client: tuple[str, ...] = ()
    clients: int = 0
    viewers: int = 0


THROUGH = " through"
"""Behind the name of a scenario that is run through a media server."""


def through(scenario: Scenario, publish: str, watch: str) -> Scenario:
    """The scenario through a media server, to whose URLs the ends go."""
    return replace(
        scenario,
        name=scenario.name + THROUGH,
        meaning=meaning_of(scenario.name + THROUGH),
        server=(*scenario.server, "--publish", publish),
        client=(*scenario.client, "--watch", watch),
    )


def meaning_of(name: str) -> str:
    """What the scenario of a name is."""
    meaning = SCENARIOS[name.removesuffix(THROUGH)].meaning
    return f"{meaning}, through a media server" if name.endswith(THROUGH) else meaning


SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        Scenario("clean", "the defaults: 640x480 at 30 fps, VP8"),
        Scenario("stock", "the same on aiortc's own paths", ("--stock",), ("--stock",)),
        Scenario("h264", "640x480 at 30 fps, H.264", ("--codec", "H264")),
        Scenario("120fps", "640x480 at 120 fps", ("--fps", "120")),
        Scenario("720p", "1280x720 at 30 fps", ("--size", "1280x720")),
        Scenario("1080p", "1920x1080 at 30 fps", ("--size", "1920x1080")),
        Scenario(
            "datachannel",
            "640x480 at 30 fps, PNG on a datachannel",
            client=("--transport", "datachannel"),
        ),
        Scenario(
            "lossy",
            "20 ms and 2 % each way, seeded",
            ("--impair", "delay=20ms,loss=2%", "--impair-seed", "1"),
        ),
        Scenario("viewers", "the defaults, watched by 31 more that only receive", viewers=31),
        Scenario("clients", "the defaults, with 7 more that answer", clients=7),
    )
}
