import cv2
import pytest

from ballstream.errors import DetectorError
from ballstream.vision.window import Window


def test_an_opencv_without_windows_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def named_window(name: str, flags: int) -> None:
        raise cv2.error("window.cpp:1200: error: The function is not implemented. Rebuild")

    monkeypatch.setattr(cv2, "namedWindow", named_window)
    with pytest.raises(DetectorError, match="opencv-python-headless has none"):
        Window()


def test_a_screen_that_is_not_there_is_another_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    def named_window(name: str, flags: int) -> None:
        raise cv2.error("could not connect to display")

    monkeypatch.setattr(cv2, "namedWindow", named_window)
    with pytest.raises(cv2.error, match="display"):
        Window()
