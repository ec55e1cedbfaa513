from importlib.metadata import PackageNotFoundError

import pytest

from ballstream.report import environment as module
from ballstream.report.environment import environment, versions


def installed(monkeypatch: pytest.MonkeyPatch, found: dict[str, str]) -> None:
    def version(name: str) -> str:
        if name not in found:
            raise PackageNotFoundError(name)
        return found[name]

    monkeypatch.setattr(module, "version", version)


def test_opencv_goes_by_the_name_under_which_it_is_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    installed(monkeypatch, {"av": "17.0", "opencv-python-headless": "5.0"})
    assert list(versions()) == ["ballstream", "python", "av", "opencv-python-headless"]


def test_what_cannot_be_found_costs_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch, {})
    assert list(environment()) == ["platform", "cpus", "ballstream", "python"]
