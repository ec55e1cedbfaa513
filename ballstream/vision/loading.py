"""From the name of a detector to the function."""

import importlib
import inspect
import os
import sys
import sysconfig
from collections.abc import Callable
from importlib.metadata import entry_points
from operator import attrgetter
from typing import cast

from ..errors import DetectorError, printable
from .picture import Detector

GROUP = "ballstream.detectors"


def load_detector(name: str) -> Detector:
    """Find a detector by its name in the entry-point group, or as `package.module:function`.

    Modules are also looked for in the current folder, after those of Python itself. What is found
    is the detector or makes it: a class, or what is called without an argument, is called once
    here. Raises DetectorError with the reason.
    """
    try:
        found = _import(name) if ":" in name else _installed(name)
    except DetectorError:
        raise
    except (Exception, SystemExit) as error:  # a module may do anything while it is imported
        raise DetectorError(f"detector {name!r} cannot be imported: {_words(error)}") from error
    if not callable(found):
        raise DetectorError(f"detector {name!r} is not a function")
    if not _makes_detector(found):
        return cast(Detector, found)  # what it returns is checked on every call
    try:
        made = found()
    except (Exception, SystemExit) as error:
        raise DetectorError(f"detector {name!r} cannot be made: {_words(error)}") from error
    if not callable(made):
        raise DetectorError(
            f"detector {name!r} makes a {type(made).__name__}, which cannot be called with a "
            "picture (a class needs __call__)"
        )
    return cast(Detector, made)


def _makes_detector(found: Callable[..., object]) -> bool:
    """Whether this is not a detector but makes one: a class, or what takes no argument."""
    if isinstance(found, type):
        return True
    try:
        signature = inspect.signature(found)
    except (TypeError, ValueError):  # not every function says what it takes
        return False
    return not _takes(signature, object()) and _takes(signature)


def _takes(signature: inspect.Signature, *arguments: object) -> bool:
    try:
        signature.bind(*arguments)
    except TypeError:
        return False
    return True


def _words(error: BaseException) -> str:
    return printable(f"{type(error).__name__}: {error}")


def _installed(name: str) -> object:
    found = entry_points(group=GROUP)
    if name not in found.names:
        if name.endswith(".py"):
            raise _names_a_file(name, "function")
        known = ", ".join(sorted(found.names))
        raise DetectorError(
            f"there is no detector {name!r}: choose one of {known}, or name your own as "
            f"package.module:function"
        )
    return found[name].load()


def _import(name: str) -> object:
    module, _, attribute = name.partition(":")
    if module.endswith(".py"):
        raise _names_a_file(module, attribute)
    _look_in_current_folder()
    return attrgetter(attribute)(importlib.import_module(module))


def _names_a_file(path: str, attribute: str) -> DetectorError:
    module = path.removesuffix(".py").removeprefix("./").replace("/", ".")
    return DetectorError(
        f"detector {path!r} names a file, not a module: {f'{module}:{attribute}'!r}?"
    )


def _look_in_current_folder() -> None:
    """Let modules of the current folder be found, but never in place of Python's own.

    A `random.py` in there is nobody's wish, but what other modules would get.
    """
    try:
        here = os.getcwd()  # noqa: PTH109 - what it says is taken as it is
    except OSError:  # it was removed, or is not ours to see
        return
    if here in sys.path:
        return
    own = {sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")}
    own |= {f"{each}/lib-dynload" for each in own}
    after = max((at for at, each in enumerate(sys.path, 1) if each in own), default=0)
    sys.path.insert(after, here)
