"""From the name of a detector to the function."""

import importlib
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import cast

from ..errors import DetectorError
from .picture import Detector

GROUP = "ballstream.detectors"


def load_detector(name: str) -> Detector:
    """Find a detector by its name in the entry-point group, or as `package.module:function`.

    Modules are also looked for in the current folder. Raises DetectorError with the reason.
    """
    try:
        detector = _import(name) if ":" in name else _installed(name)
    except DetectorError:
        raise
    except (Exception, SystemExit) as error:  # a module may do anything while it is imported
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise DetectorError(f"detector {name!r} cannot be imported: {reason}") from error
    if not callable(detector):
        raise DetectorError(f"detector {name!r} is not a function")
    return cast(Detector, detector)  # what it returns is checked on every call


def _installed(name: str) -> object:
    found = entry_points(group=GROUP)
    if name not in found.names:
        known = ", ".join(sorted(found.names))
        raise DetectorError(
            f"there is no detector {name!r}: choose one of {known}, or name your own as "
            f"package.module:function"
        )
    return found[name].load()


def _import(name: str) -> object:
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    module, _, attribute = name.partition(":")
    return getattr(importlib.import_module(module), attribute)
