"""On what a figure was measured."""

import os
import platform
from importlib.metadata import version

from .. import __version__


def environment() -> dict[str, object]:
    """Versions and machine, for the JSON documents."""
    return {
        "platform": platform.platform(),
        "cpus": os.cpu_count(),
        **versions(),
    }


def versions() -> dict[str, str]:
    """Versions alone."""
    return {
        "ballstream": __version__,
        "python": platform.python_version(),
        **{name: version(name) for name in ("aiortc", "av", "numpy", "opencv-python")},
    }
