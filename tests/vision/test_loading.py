import sys
from collections.abc import Iterator
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
