"""Programs of other makes: installed for these tests alone, and recorded for docs/peers.md."""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from needs import need
from playing import PAGE, Record

PACKAGES = (
    "werift@0.24",
    "@roamhq/wrtc@0.10",
    "node-datachannel@0.33",
    "whip-whep@1.2",
    "@binbat/whip-whep@1.1.1-sdp-trickle-throw",
    "@eyevinn/webrtc-player@0.13",
    "esbuild@0.28",
)
HERE = Path(__file__).parent


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--record", type=Path, help="write who played, and how, into this file (JSON)")


@pytest.fixture(scope="session")
def rows(pytestconfig: pytest.Config) -> Iterator[list[dict[str, Any]]]:
    """The rows of the table, written at the end where that is wanted."""
    rows: list[dict[str, Any]] = []
    yield rows
    path = pytestconfig.getoption("--record")
    if path is not None:
        rows.sort(key=lambda row: (row["program"].lower(), row["transport"]))
        path.write_text(json.dumps(rows, indent=1) + "\n")


@pytest.fixture
def record(rows: list[dict[str, Any]]) -> Record:
    def record(
        program: str, version: str, transport: str, session: dict[str, Any] | None = None
    ) -> None:
        latency = None if session is None else session["latency_ms"]
        rows.append(
            {
                "program": program,
                "version": version,
                "transport": transport,
                "scored": session is not None,
                "latency_p50_ms": latency and latency["p50"],
                "answers": latency and latency["n"],
            }
        )

    return record


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the packages of npm and, beside them, our scripts and pages that use them."""
    need(shutil.which("node") and shutil.which("npm"), "Node.js with npm")
    folder = tmp_path_factory.mktemp("npm")
    (folder / "package.json").write_text("{}")
    done = subprocess.run(
        ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", *PACKAGES],
        cwd=folder, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    need(done.returncode == 0, f"the npm registry: {done.stderr[-300:]}")
    for script in HERE.glob("*.mjs"):
        shutil.copy(script, folder)
    shutil.copytree(PAGE, folder, dirs_exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def version_of(installed: Path) -> Callable[[str], str]:
    """The version of a package of npm."""

    def version_of(package: str) -> str:
        text = (installed / "node_modules" / package / "package.json").read_text()
        version: str = json.loads(text)["version"]
        return version

    return version_of
