import os
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from ballstream.errors import DetectorError
from ballstream.vision import detect
from ballstream.vision.loading import load_detector


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The current folder; modules imported from it are forgotten."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path.copy())
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


@pytest.mark.parametrize("name", ["centroid", "contour", "hough"])
def test_a_detector_that_comes_along_is_found_by_name(name: str) -> None:
    assert load_detector(name) is getattr(detect, name)


def test_a_detector_is_found_in_an_installed_package() -> None:
    assert load_detector("ballstream.vision.detect:contour") is detect.contour


def test_a_detector_is_found_in_the_current_folder(folder: Path) -> None:
    (folder / "my_detector.py").write_text("def find(picture):\n    return 1.0, 2.0\n")
    found = load_detector("my_detector:find")
    assert found(None) == (1.0, 2.0)  # type: ignore[arg-type]


def test_a_detector_is_found_in_a_package_in_the_current_folder(folder: Path) -> None:
    package = folder / "my_package"
    package.mkdir()
    (package / "deep.py").write_text("def find(picture):\n    return None\n")
    assert load_detector("my_package.deep:find").__module__ == "my_package.deep"


def test_any_object_that_can_be_called_will_do(folder: Path) -> None:
    (folder / "my_detector.py").write_text(
        "from functools import partial\nfind = partial(max, 1)\n"
    )
    assert callable(load_detector("my_detector:find"))


@pytest.mark.parametrize(
    "source",
    [
        "class find:\n    def __call__(self, picture): return 1, 2",
        "def find(): return lambda picture: (1, 2)",
        "def find(*, size=3): return lambda picture: (1, 2)",
        "def find(picture=None): return 1, 2",
        "def find(*pictures): return len(pictures), 2",
        "find = lambda picture, size=3: (1, 2)",
    ],
)
def test_a_class_or_what_takes_no_argument_makes_the_detector(folder: Path, source: str) -> None:
    (folder / "my_detector.py").write_text(source)
    assert load_detector("my_detector:find")("a picture") == (1, 2)  # type: ignore[arg-type]


@pytest.mark.parametrize("path", ["d_print.py:detect", "./d_print.py:detect"])
def test_a_file_in_place_of_a_module_gets_a_hint(path: str) -> None:
    with pytest.raises(DetectorError) as error:
        load_detector(path)
    assert str(error.value).endswith("names a file, not a module: 'd_print:detect'?")


def test_a_file_alone_gets_a_hint_too() -> None:
    with pytest.raises(DetectorError, match=r"names a file, not a module: 'mine:function'\?$"):
        load_detector("./mine.py")


def test_a_current_folder_that_is_gone_costs_only_what_was_in_it(folder: Path) -> None:
    gone = folder / "gone"
    gone.mkdir()
    os.chdir(gone)
    gone.rmdir()
    assert load_detector("ballstream.vision.detect:contour") is detect.contour
    with pytest.raises(DetectorError, match="No module named 'my_detector'"):
        load_detector("my_detector:find")


def test_python_s_own_modules_come_before_those_of_the_current_folder(folder: Path) -> None:
    (folder / "this.py").write_text("raise RuntimeError")
    (folder / "my_detector.py").write_text("def find(picture):\n    return 1.0, 2.0\n")
    load_detector("my_detector:find")
    spec = find_spec("this")
    assert spec is not None
    assert spec.origin != str(folder / "this.py")


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(DetectorError) as error:
        load_detector("centriod")
    assert str(error.value) == (
        "there is no detector 'centriod': choose one of centroid, contour, hough, or name your "
        "own as package.module:function"
    )


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("raise RuntimeError('no camera')", "RuntimeError: no camera"),
        ("raise RuntimeError('first\\nsecond')", "RuntimeError: first"),
        ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("def find(", "SyntaxError: '(' was never closed"),
        ("", "AttributeError: module 'broken' has no attribute 'find'"),
        ("find = 3", "is not a function"),
        ("find = None", "is not a function"),
        (
            "class find:\n    def __init__(self): raise OSError('no file')",
            "be made: OSError: no file",
        ),
        ("class find:\n    pass", "makes a find, which cannot be called with a picture"),
        ("def find():\n    raise SystemExit(3)", "cannot be made: SystemExit: 3"),
    ],
)
def test_a_module_that_does_not_do_is_told_in_one_line(
    folder: Path, source: str, reason: str
) -> None:
    (folder / "broken.py").write_text(source)
    with pytest.raises(DetectorError) as error:
        load_detector("broken:find")
    assert reason in str(error.value)
    assert str(error.value).startswith("detector 'broken:find' ")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "name", ["", ":", "nowhere:find", "nowhere.at.all:find", ":find", "os:", "os:path:join", " "]
)
def test_a_name_that_leads_nowhere_is_told_in_one_line(name: str) -> None:
    with pytest.raises(DetectorError) as error:
        load_detector(name)
    assert repr(name) in str(error.value)
    assert "\n" not in str(error.value)
