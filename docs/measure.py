"""Measure what README and docs quote, and leave it in docs/results.json: `make results`.

It runs every scenario of the benchmark, taking turns, then the profile, the example of the quick
reception, and one session whose summary the README shows.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from ballstream.bench.scenarios import SCENARIOS

DOCS = Path(__file__).parent
RESULTS = DOCS / "results.json"

_SESSION = 10


def bench(*flags: str) -> Any:
    """The document of a run of the benchmark."""
    return json.loads(_run("ballstream-bench", "--json", *flags))


def scenarios(repeat: int, duration: float) -> Any:
    """Every scenario's figures; the runs they were made from would fill the page's repository."""
    flags = [f"--scenario={name}" for name in SCENARIOS]
    document = bench(*flags, f"--repeat={repeat}", f"--duration={duration}")
    for each in document["scenarios"]:
        del each["runs"]
    return document


def summary() -> list[str]:
    """What a server says at the end of a session, line by line."""
    with tempfile.TemporaryDirectory() as folder:
        flags = ("-s", "unix-socket", "--signaling-path", str(Path(folder) / "socket"))
        client = [_program("ballstream-client"), *flags, f"--duration={_SESSION}"]
        with subprocess.Popen(client, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL):  # noqa: S603
            return _run("ballstream-server", *flags, "--sessions=1").splitlines()


def quick() -> dict[str, float]:
    """The latency of both receptions in docs/examples/quick.py."""
    printed = _run("python", str(DOCS / "examples" / "quick.py")).splitlines()
    stock, quickly = (float(line.split()[1]) for line in printed)
    return {"stock_ms": stock, "quick_ms": quickly}


def _run(program: str, *flags: str) -> str:
    done = subprocess.run(  # noqa: S603 - our own commands
        [_program(program), *flags], stdout=subprocess.PIPE, text=True, check=True
    )
    return done.stdout


def _program(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


def main() -> None:
    """Measure all, and write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--duration", type=float, default=10)
    wanted = parser.parse_args()
    results = {
        "bench": scenarios(wanted.repeat, wanted.duration),
        "profile": bench("--profile", f"--duration={wanted.duration}"),
        "quick": quick(),
        "summary": summary(),
    }
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
