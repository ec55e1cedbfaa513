"""On what a figure was measured."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version

from .. import __version__

_LIBRARIES = ("aiortc", "av", "numpy")
_OPENCV = (
    "opencv-python",
    "opencv-python-headless",
    "opencv-contrib-python",
    "opencv-contrib-python-headless",
)
"""The distributions that bring cv2; whichever is there will do."""


def environment() -> dict[str, object]:
    """Versions and machine, for the JSON documents."""
    return {
        "platform": platform.platform(),
        "cpus": os.cpu_count(),
        **versions(),
    }


def versions() -> dict[str, str]:
    """Versions alone, of the libraries that can be found as distributions."""
    found = {name: _version(name) for name in (*_LIBRARIES, *_OPENCV)}
    return {
        "ballstream": __version__,
        "python": platform.python_version(),
        **{name: version for name, version in found.items() if version is not None},
    }


def _version(name: str) -> str | None:
    # A library that was put there by hand says nothing, and damaged metadata anything.
    try:
        return version(name)
    except (PackageNotFoundError, OSError, ValueError, KeyError):
        return None
