import json
import os
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import json, os, sys
from pathlib import Path
from ballstream.commands.descriptors import fill_standard_descriptors

fill_standard_descriptors()
with open(sys.argv[1], "w") as file:
    std = [os.readlink(f"/proc/self/fd/{number}") for number in range(3)]
    inherited = [os.get_inheritable(number) for number in range(3)]
    json.dump([file.fileno(), std, inherited, sys.stdout is None], file)
"""


def told(tmp_path: Path, redirections: str) -> list[object]:
    file = tmp_path / "told"
    subprocess.run(
        ["sh", "-c", f'exec "$@" {redirections}', "sh", sys.executable, "-c", PROGRAM, file],
        check=True,
        timeout=60,
    )
    found: list[object] = json.loads(file.read_text())
    return found


def test_nothing_else_gets_the_number_of_a_closed_stream(tmp_path: Path) -> None:
    assert told(tmp_path, "<&- >&- 2>&-") == [3, 3 * [os.devnull], 3 * [True], True]


def test_those_that_are_open_stay(tmp_path: Path) -> None:
    zero = "/dev/zero"
    expected = [3, [zero, os.devnull, zero], 3 * [True], True]
    assert told(tmp_path, f"<{zero} >&- 2>{zero}") == expected
