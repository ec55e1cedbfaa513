"""Write the figures of README and docs from docs/results.json, so that none is written by hand.

In the Markdown a block between `<!-- figures: NAME -->` and `<!-- end -->` is a table, and what
stands between `<!-- figure: SCENARIO.FIGURE -->` and `<!-- -->` a single figure; after
`<!-- example: FILE -->` stands an example as its file has it. `make results` measures and writes
the file, `make networks` docs/networks.json, `make browsers` docs/browsers.json,
`make peers RECORD=docs/peers.json` that of other programs, and `make figures` writes the pages.
"""

import json
import re
import textwrap
from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "docs" / "results.json"
NETWORKS = ROOT / "docs" / "networks.json"
PEERS = ROOT / "docs" / "peers.json"
BROWSERS = ROOT / "docs" / "browsers.json"
MEDIA_SERVERS = ROOT / "docs" / "media-servers.json"
EXAMPLES = ROOT / "docs" / "examples"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]

_MARK = re.compile(r"<!-- (figures|figure|example): ")
_WHOLE = re.compile(
    r"(?P<begin><!-- (?P<kind>figures|example): (?P<name>\S+) -->\n)"
    r"(?:(?!<!--).)*(?P<end><!-- end -->)"
    r"|(?P<before><!-- figure: (?P<scenario>\S+)\.(?P<figure>\S+) -->)[^<]*(?P<after><!-- -->)",
    re.DOTALL,
)

Results = dict[str, Any]
Figures = dict[str, Any]
Row = Iterable[str]

_PLACES = {"ms": 1, "px": 3, "cpu": 1, "answered": 1}
_SPEED = 280
_WIDTH = 104
_README = ("clean", "h264", "120fps", "1080p", "stock")
_SCALING = ("clean", "viewers", "clients")
_TRANSPORTS = ("clean", "datachannel")


def rewritten(text: str, results: Results) -> str:
    """A page with its figures as the results have them, and its examples as their files are.

    Raises KeyError for a figure that is unknown, ValueError for a mark that nothing ends.
    """

    def replaced(mark: re.Match[str]) -> str:
        if mark["kind"] is None:
            single = _single(results, mark["scenario"], mark["figure"])
            return mark["before"] + single + mark["after"]
        write = BLOCKS[mark["name"]] if mark["kind"] == "figures" else _example(mark["name"])
        return mark["begin"] + write(results) + mark["end"]

    text, whole = _WHOLE.subn(replaced, text)
    if (begun := len(_MARK.findall(text))) != whole:
        raise ValueError(f"{begun} marks begin, {whole} of them end")
    return text


def read_results() -> Results:
    """What was measured, that of each file but the first under a name of its own."""
    results: Results = json.loads(RESULTS.read_text("utf-8"))
    for path in (BROWSERS, MEDIA_SERVERS, NETWORKS, PEERS):
        if path.exists():
            results[path.stem] = json.loads(path.read_text("utf-8"))
    return results


def _example(name: str) -> Callable[[Results], str]:
    source = (EXAMPLES / name).read_text(encoding="utf-8")
    return lambda _: f"```python\n{source}```\n"


def _figures(results: Results) -> dict[str, Figures]:
    scenarios = {each["name"]: each["figures"] for each in results["bench"]["scenarios"]}
    return {**scenarios, "quick": results["quick"]}


def _single(results: Results, scenario: str, name: str) -> str:
    figures = _figures(results)[scenario]
    return _worked(figures) if name == "worked" else _number(figures, name)


def _worked(figures: Figures) -> str:
    """Speed times latency, and what was measured."""
    latency = figures["latency_p50_ms"]
    return (
        f"{_SPEED} px/s x {latency:.1f} ms = {_SPEED * latency / 1e3:.1f} px, and "
        f"{figures['tracking_p50_px']:.1f} px were measured"
    )


def _number(figures: Figures, name: str) -> str:
    value = figures[name]
    return "-" if value is None else f"{value:.{_PLACES.get(name.rsplit('_', 1)[-1], 0)}f}"


def _table(head: Row, rows: Iterable[Row]) -> str:
    head = list(head)
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _several(figures: Figures, *names: str) -> str:
    return ", ".join(_number(figures, name) for name in names)


def _measured(results: Results) -> str:
    """How the figures of a table came about."""
    bench = results["bench"]
    machine = bench["environment"]
    (runs,) = {each["figures"]["runs"] for each in bench["scenarios"]}
    return (
        f"Medians of {runs} run{'s' if runs > 1 else ''} of {bench['duration']:g} s, by "
        f"`ballstream-bench`, which takes turns between\nscenarios, on {machine['cpus']} shared "
        f"cores with Python {machine['python']} and aiortc {machine['aiortc']}. `stock` is\n"
        "aiortc's own encoder and reception, and the gain is over it; CPU is in % of one core.\n\n"
    )


def _scenarios(names: Iterable[str], results: Results) -> str:
    figures = _figures(results)
    slowest = figures["stock"]["latency_p50_ms"]
    meanings = {each["name"]: each["meaning"] for each in results["bench"]["scenarios"]}
    head = ("scenario", "latency p50, p95, p99 ms", "gain", "detection error p50, p95 px",
            "answered %", "server CPU %")  # fmt: skip
    return _measured(results) + _table(
        head,
        (
            (
                f"{name}: {meanings[name]}",
                _several(row, "latency_p50_ms", "latency_p95_ms", "latency_p99_ms"),
                f"{slowest / row['latency_p50_ms']:.1f}x",
                _several(row, "detection_p50_px", "detection_p95_px"),
                _number(row, "answered"),
                _number(row, "server_cpu"),
            )
            for name, row in ((name, figures[name]) for name in names)
        ),
    )


def _all_scenarios(results: Results) -> str:
    return _scenarios([each["name"] for each in results["bench"]["scenarios"]], results)


def _fates(results: Results) -> str:
    """What became of the frames, in all runs together."""
    fates = {
        "frames_due": "due",
        "frames_missed": "missed",
        "frames_dropped": "dropped",
        "frames_answered": "answered",
        "unnumbered": "answered without a number",
        "frames_lost": "lost",
        "frames_undecided": "undecided",
    }
    return _table(
        ("scenario", *fates.values()),
        (
            (each["name"], *(str(each["figures"][fate]) for fate in fates))
            for each in results["bench"]["scenarios"]
        ),
    )


def _split(results: Results) -> str:
    """Whose milliseconds they are."""
    parts = ("latency_p50_ms", "way_p50_ms", "client_p50_ms", "detect_p50_ms")
    return _table(
        ("scenario", "latency", "server and network", "client", "of that the detector"),
        (
            (each["name"], *(_number(each["figures"], part) for part in parts))
            for each in results["bench"]["scenarios"]
        ),
    )


def _scaling(results: Results) -> str:
    figures = _figures(results)
    meanings = {each["name"]: each["meaning"] for each in results["bench"]["scenarios"]}
    return _table(
        ("scenario", "server's CPU, % of one core", "latency p50, p95 ms"),
        (
            (
                f"{name}: {meanings[name]}",
                _number(figures[name], "server_cpu"),
                _several(figures[name], "latency_p50_ms", "latency_p95_ms"),
            )
            for name in _SCALING
        ),
    )


def _transports(results: Results) -> str:
    video, frames = (_figures(results)[name] for name in _TRANSPORTS)

    def row(title: str, *names: str) -> Row:
        return title, _several(video, *names), _several(frames, *names)

    return _measured(results) + _table(
        ("640x480 at 30 fps", "video (`track`, VP8)", "bytes (`datachannel`, PNG)"),
        (
            row("latency p50, p95 ms", "latency_p50_ms", "latency_p95_ms"),
            row("detection error p50, p95, max px", "detection_p50_px", "detection_p95_px",
                "detection_max_px"),
            row("bytes a frame", "bytes_a_frame"),
            row("answered, % of the frames due", "answered"),
            row("CPU of server and client, % of one core", "server_cpu", "client_cpu"),
        ),
    )  # fmt: skip


def _peers(results: Results) -> str:
    def fared(peer: Figures) -> Row:
        if not peer["scored"]:
            return "watched", "-"
        if not peer["answers"]:
            return "scored, its answers name no frame", "-"
        return f"scored, {peer['answers']} answers", _number(peer, "latency_p50_ms")

    return _table(
        ("program", "version", "transport", "scored or watched", "latency p50 ms"),
        (
            (peer["program"], peer["version"], peer["transport"], *fared(peer))
            for peer in results["peers"]
        ),
    )


def _browsers(results: Results) -> str:
    """The page, by browser, path, codec and network."""
    if "browsers" not in results:
        return "Not measured yet on a machine that does nothing else.\n"
    browsers = results["browsers"]
    names = ("latency_p50_ms", "latency_p95_ms", "answered", "cpu")
    refused = {way["refused"]: way for way in browsers["ways"] if "refused" in way}

    def cells(way: Figures) -> Row:
        network = "as it is" if way["network"] is None else f"`{way['network']}`"
        figures = ["-" if "refused" in way else _number(way, name) for name in names]
        return way["browser"], way["path"], way["codec"], network, *figures

    return (
        f"Medians of {browsers['runs']} runs of {browsers['seconds']:g} s, on {browsers['cpus']} "
        "shared cores that carry server and browser. Answered is of\nthe frames due, CPU that of "
        "all of the browser's processes, in % of one core.\n\n"
        + _table(
            ("browser", "path", "codec", "network", "p50 ms", "p95 ms", "answered %", "CPU %"),
            map(cells, browsers["ways"]),
        )
        + "".join(
            f'\n{way["browser"]} with {way["codec"]}: "{text}".\n' for text, way in refused.items()
        )
    )


def _profile(results: Results) -> str:
    def shown(value: float | None) -> str:
        return "-" if value is None else f"{value:.2f}"

    return _table(
        ("part of the loop", "p50 ms", "p95 ms", "bare ms"),
        (
            (part["work"], shown(part["p50"]), shown(part["p95"]), shown(part["bare"]))
            for part in results["profile"]
        ),
    )


def _summary(results: Results) -> str:
    """A summary as a terminal shows it."""
    lines = (
        wrapped
        for line in results["summary"]
        for wrapped in textwrap.wrap(line, _WIDTH, subsequent_indent="    ", drop_whitespace=True)
        or [""]
    )
    return "".join(f"    {line}\n" for line in lines)


def _networks(results: Results) -> str:
    """The loop on bad networks, each in several ways, beside what is to be reached."""
    measured = results["networks"]
    machine = measured["environment"]
    about = (
        f"On {machine['cpus']} shared cores with Python {machine['python']} and aiortc "
        f"{machine['aiortc']}.\n\n"
    )
    head = ("network, each way", "how it is sent", "runs", "latency p95 ms", "p99 ms",
            "longest gap ms", "back after ms", "answered %", "held error px", "kB/s")  # fmt: skip
    return about + _table(
        head,
        (
            _on_a_network(measured, network, way)
            for network, ways in measured["networks"].items()
            for way in ways
        ),
    )


def _media_servers(results: Results) -> str:
    """The loop directly and through a media server."""
    if "media-servers" not in results:
        return "It has not been measured yet.\n"
    measured = results["media-servers"]
    machine = measured["environment"]
    said = (
        f"Medians of {measured['repeat']} runs of {measured['duration']:g} s, taking turns, on "
        f"{machine['cpus']} shared cores with aiortc {machine['aiortc']}.\n\n"
    )
    head = ("way", "latency p50, p95, p99 ms", "detection error p50, p95 px",
            "held error px", "answered %", "server CPU %")  # fmt: skip
    return said + _table(
        head,
        (
            (
                name,
                _several(row, "latency_p50_ms", "latency_p95_ms", "latency_p99_ms"),
                _several(row, "detection_p50_px", "detection_p95_px"),
                _number(row, "held_mean_px"),
                _number(row, "answered"),
                _number(row, "server_cpu"),
            )
            for name, row in measured["ways"].items()
        ),
    )


def _lateness(results: Results) -> str:
    """How late an emulated network is, idle and in the server."""
    measured = results["networks"]
    idle = measured.get("lateness")
    busy = [
        figures["lateness_p99"]
        for ways in measured["networks"].values()
        for way, figures in ways.items()
        if way in ("with redundancy", "without") and figures.get("lateness_p99") is not None
    ]
    if idle is None or not busy:
        return "It has not been measured on this machine.\n"
    return (
        f"In a process that does nothing else it was {_against(idle['p99'], 0.5, 2)} ms, of "
        f"{idle['n']} datagrams;\nin the server {_against(median(busy), 2, 2)} ms, the median of "
        f"{len(busy)} rows of the table [below](#what-is-reached).\n"
    )


def _on_a_network(measured: Results, network: str, way: str) -> Row:
    ways = measured["networks"][network]
    figures = ways[way]
    aims = way == next(iter(ways))
    goals = measured["goals"][network] if aims else {}

    def shown(name: str, places: int) -> str:
        return _against(figures[name], goals.get(name), places)

    rate = figures["bytes_a_second"]
    return (
        f"**{network}**" if aims else "",
        way,
        f"{figures['runs']} x {figures['duration']:g} s" + _failed(figures["failed"]),
        shown("p95", 1),
        shown("p99", 1),
        shown("gap", 0),
        shown("recovery", 0),
        _against(figures["answered"], None, 1),
        _against(figures["held"], _held_goal(measured, goals), 2),
        _against(None if rate is None else rate / 1e3, None, 0),
    )


def _held_goal(measured: Results, goals: Figures) -> float | None:
    """The most that the held error may be, by that without loss; None where that is not said."""
    if goals.get("held") is None:
        return None
    clean = measured["networks"].get(goals["clean"], {}).get("with redundancy")
    return None if clean is None else float(goals["held"] * clean["held"])


def _against(value: float | None, goal: float | None, places: int) -> str:
    """A figure, beside its goal if it has one; one that is not reached stands out."""
    if value is None:
        return "-"
    if goal is None:
        return f"{value:.{places}f}"
    if value <= goal:
        return f"{value:.{places}f} (goal {goal:.{places}f})"
    return f"**{value:.{places}f}** (goal {goal:.{places}f}: not reached)"


def _failed(runs: int) -> str:
    return f", {runs} without an answer" if runs else ""


BLOCKS: dict[str, Callable[[Results], str]] = {
    "readme": lambda results: _scenarios(_README, results),
    "scenarios": _all_scenarios,
    "fates": _fates,
    "split": _split,
    "scaling": _scaling,
    "transports": _transports,
    "peers": _peers,
    "profile": _profile,
    "summary": _summary,
    "networks": _networks,
    "lateness": _lateness,
    "browsers": _browsers,
    "media-servers": _media_servers,
}


def main() -> None:
    """Write the figures into every page."""
    results = read_results()
    for page in PAGES:
        page.write_text(rewritten(page.read_text(encoding="utf-8"), results), encoding="utf-8")


if __name__ == "__main__":
    main()
