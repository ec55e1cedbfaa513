"""Programs of other makes, installed for these tests alone."""

import shutil
import subprocess
from pathlib import Path

import pytest
from needs import need

PACKAGES = (
    "werift@0.24",
    "@roamhq/wrtc@0.10",
)
HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the packages of npm and, beside them, our scripts that use them."""
    need(shutil.which("node") and shutil.which("npm"), "Node.js with npm")
    folder = tmp_path_factory.mktemp("npm")
    (folder / "package.json").write_text("{}")
    done = subprocess.run(
        ["npm", "install", "--no-audit", "--no-fund", *PACKAGES],
        cwd=folder, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    need(done.returncode == 0, f"the npm registry: {done.stderr[-300:]}")
    for script in HERE.glob("*.mjs"):
        shutil.copy(script, folder)
    return folder
