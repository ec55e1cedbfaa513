"""Who may know whom, read from the sources themselves."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import ballstream

ROOT = Path(ballstream.__file__).parent
SOURCES = {path.relative_to(ROOT).as_posix(): path for path in sorted(ROOT.rglob("*.py"))}

EVERYBODY_KNOWS = {"errors", "rate"}
MAY_KNOW = {
    "config": {"impairment"},
    "protocol": set(),
    "scene": {"protocol"},
    "vision": {"protocol"},
    "scoring": {"protocol"},
    "report": {"scoring", "protocol", "endings", "impairment"},
    "impairment": set(),
    "signaling": {"config", "beside"},
    "link": {"protocol", "scene", "config", "endings", "trace"},
    "web": {"signaling", "scoring", "report", "config", "beside", "impairment"},
    "bench": {
        "client", "commands", "config", "endings", "impairment", "link", "protocol", "report",
        "scene", "signaling", "trace", "vision",
    },
}  # fmt: skip
"""What each room may import, beside itself; the shells at the top may import all but the last."""

ABOVE_THE_SHELLS = {"bench", "commands"}

AT_THE_SOCKETS = {
    "impairment/__init__.py",
    "impairment/selector.py",
    "impairment/sockets.py",
}

PURE = [
    name
    for name in SOURCES
    if name.startswith(("protocol/", "scene/", "scoring/"))
    or name
    in (
        "rate.py",
        "config/flag.py",
        "config/syntax.py",
        "config/values.py",
        "config/words.py",
        "vision/detect.py",
        "vision/picture.py",
        "link/candidates.py",
        "link/description.py",
        "link/description_answer.py",
        "link/description_formats.py",
        "link/description_mirror.py",
        "link/description_offer.py",
        "link/description_readable.py",
        "link/description_transport.py",
        "link/reassembly.py",
        "link/payload.py",
        "signaling/trickle.py",
        "web/origins.py",
    )
    or (name.startswith("impairment/") and name not in AT_THE_SOCKETS)
]
IMPURE = {
    "aiohttp", "aioice", "aiortc", "asyncio", "av", "concurrent", "io", "jinja2", "logging",
    "multiprocessing", "os", "pathlib", "plotly", "select", "selectors", "shutil", "signal",
    "socket", "subprocess", "tempfile", "threading", "time",
}  # fmt: skip

MAY_HANDLE_MEDIA = {"bench/profile.py"}
"""Outside `link/`, who may import av: it measures what encoding costs without the loop."""

FEW_FIELDS = {"link", "vision", "client", "session"}

REACHES_INTO_AIORTC = {
    "link/receiver.py",
    "link/broadcast.py",
    "link/unreadable.py",
}
MANGLED = re.compile(r"\b_RTC[A-Z]\w*__\w+")
NOT_PRIVATE = {"os._exit"}


def module_name(source: str) -> str:
    """`link/track.py` as `ballstream.link.track`."""
    parts = ("ballstream", *Path(source).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(source): source for source in SOURCES}


def tree_of(source: str) -> ast.Module:
    return ast.parse(SOURCES[source].read_text(encoding="utf-8"), source)


def imports(source: str) -> set[str]:
    """The full names of what a source imports, wherever in it: modules, and names from modules."""
    found: set[str] = set()
    package = ("ballstream", *Path(source).parent.parts)
    for node in ast.walk(tree_of(source)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join((*base, node.module) if node.module else base)
            found.add(module)
            found.update(f"{module}.{alias.name}" for alias in node.names)
    return found


def reached(source: str) -> set[str]:
    """What a source imports, directly or through other modules of the package."""
    found: set[str] = set()
    waiting = [source]
    while waiting:
        new = imports(waiting.pop()) - found
        found |= new
        waiting += [MODULES[name] for name in new if name in MODULES]
    return found


def is_in(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


def private_names(source: str) -> Iterator[str]:
    """Names with one underscore that a source uses of anything but itself, `object._name`."""
    for node in ast.walk(tree_of(source)):
        match node:
            case ast.Attribute(value=ast.Name(id="self" | "cls")):
                continue
            case ast.Attribute(value=owner, attr=name):
                pass
            case ast.Call(
                func=ast.Name(id="getattr" | "hasattr" | "setattr" | "delattr"),
                args=[owner, ast.Constant(value=str(name)), *_],
            ):
                pass
            case _:
                continue
        if name.startswith("_") and not name.startswith("__"):
            yield f"{ast.unparse(owner)}.{name}"


def test_the_sources_are_found() -> None:
    assert {"commands/cli.py", "protocol/stamp.py", "vision/detect.py"} <= set(SOURCES)
    assert {"ballstream.protocol.stamp", "numpy"} <= imports("vision/picture.py") | imports(
        "scene/motion.py"
    )


def room_of(source: str) -> str:
    """The top folder or, of a module at the top, its name."""
    return source.partition("/")[0].removesuffix(".py")


def rooms_known(source: str) -> set[str]:
    """The other rooms that a source imports from."""
    names = {name.split(".")[1] for name in imports(source) if name.startswith("ballstream.")}
    return names & {room_of(each) for each in SOURCES} - {room_of(source)}


@pytest.mark.parametrize("source", SOURCES)
def test_a_room_knows_only_what_it_may(source: str) -> None:
    room = room_of(source)
    known = rooms_known(source) - EVERYBODY_KNOWS
    if room in MAY_KNOW:
        assert known <= MAY_KNOW[room]
    elif room != "commands":
        assert known.isdisjoint(ABOVE_THE_SHELLS)


def test_every_room_is_on_the_plan() -> None:
    folders = {source.partition("/")[0] for source in SOURCES if "/" in source}
    assert folders == {*MAY_KNOW, "commands"}


@pytest.mark.parametrize("source", SOURCES)
def test_only_the_link_knows_aiortc(source: str) -> None:
    if not source.startswith("link/") and source not in MAY_HANDLE_MEDIA:
        assert {name.split(".")[0] for name in imports(source)}.isdisjoint({"aiortc", "av"})


@pytest.mark.parametrize("source", [each for each in SOURCES if each.startswith("link/")])
def test_aiortc_s_events_pass_the_guard(source: str) -> None:
    for node in ast.walk(tree_of(source)):
        match node:
            case ast.Call(func=ast.Attribute(attr="on" | "once"), args=[ast.Constant(), *_]):
                pytest.fail(f"line {node.lineno} takes an event past the guard")


def fields(definition: ast.ClassDef) -> set[str]:
    """What a class assigns to itself in its methods."""
    return {
        node.attr
        for node in ast.walk(definition)
        if isinstance(node, ast.Attribute)
        and isinstance(node.ctx, ast.Store)
        and ast.unparse(node.value) == "self"
    }


@pytest.mark.parametrize("source", SOURCES)
def test_a_class_of_more_than_eight_fields_says_why(source: str) -> None:
    if room_of(source) not in FEW_FIELDS:
        return
    for node in ast.walk(tree_of(source)):
        if isinstance(node, ast.ClassDef) and len(fields(node)) > 8:
            assert "fields" in (ast.get_docstring(node) or ""), node.name


SHELLS = {"server", "session", "client", "connection", "evaluation"}


@pytest.mark.parametrize("source", [name for name in SOURCES if name.startswith("commands/")])
def test_the_commands_use_the_front_door(source: str) -> None:
    assert rooms_known(source).isdisjoint({*SHELLS, "link", "signaling", "web"})


@pytest.mark.parametrize("source", PURE)
def test_pure_code_has_no_clock_and_no_outside(source: str) -> None:
    assert {name.split(".")[0] for name in reached(source)}.isdisjoint(IMPURE)
    called = {
        node.func.id
        for node in ast.walk(tree_of(source))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert called.isdisjoint({"open", "print", "input"})


def test_the_detector_cannot_cheat() -> None:
    for source in SOURCES:
        if source.startswith("vision/"):
            cheats = {name for name in reached(source) if is_in(name, "ballstream.scene")}
            assert not cheats, f"{source} reaches {cheats}"


def test_only_the_server_joins_truth_and_estimate() -> None:
    joining = {
        source
        for source in SOURCES
        if any(is_in(name, "ballstream.scene") for name in imports(source))
        and any(is_in(name, "ballstream.scoring.score") for name in imports(source))
    }
    assert joining <= {"session.py", "evaluation.py"}


def test_only_three_files_reach_into_other_peoples_private_names() -> None:
    for source in set(SOURCES) - REACHES_INTO_AIORTC:
        assert not set(private_names(source)) - NOT_PRIVATE, source
        assert not MANGLED.search(SOURCES[source].read_text(encoding="utf-8")), source


@pytest.mark.parametrize("source", sorted(REACHES_INTO_AIORTC & set(SOURCES)))
def test_private_names_are_listed_at_the_top_of_their_file(source: str) -> None:
    top = ast.get_docstring(tree_of(source)) or ""
    for name in private_names(source):
        assert name.rpartition(".")[2] in top


@pytest.mark.parametrize(
    ("module", "unwanted"),
    [
        ("ballstream.config", {"click", "aiortc", "av", "cv2", "numpy"}),
        ("ballstream.commands.cli", {"aiortc", "av", "cv2", "numpy"}),
        ("ballstream.commands.run", {"aiohttp", "aiortc", "av", "cv2", "jinja2", "plotly"}),
        ("ballstream.server", {"aiohttp", "jinja2", "plotly"}),
        ("ballstream.client", {"cv2"}),
        ("ballstream.impairment.grammar", {"asyncio", "numpy"}),
        ("ballstream.vision.child", {"aiortc", "av"}),
        ("ballstream.vision.worker", {"aiortc", "av"}),
        ("ballstream.vision.loading", {"aiortc", "av"}),
        ("ballstream.vision.detect", {"aiortc", "av"}),
    ],
)
def test_importing_a_module_loads_nothing_heavy(module: str, unwanted: set[str]) -> None:
    program = f"import sys, {module}; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout.split()
    assert module in loaded
    assert unwanted.isdisjoint(loaded)
