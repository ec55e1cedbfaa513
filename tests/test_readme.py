"""What the README shows must work as it stands there."""

import re
import runpy
from pathlib import Path

import numpy as np
import pytest

from ballstream.protocol.planes import i420_shape, planes_of_i420
from ballstream.scene.render import draw_ball
from ballstream.vision.picture import Picture

README = (Path(__file__).parents[1] / "README.md").read_text()


def test_the_detector_of_the_readme_finds_the_ball(tmp_path: Path) -> None:
    (example,) = re.findall(r"```python\n# my_detector.py\n(.*?)```", README, re.DOTALL)
    module = tmp_path / "my_detector.py"
    module.write_text(example)
    detect = runpy.run_path(str(module))["detect"]
    i420 = np.empty(i420_shape(640, 480), np.uint8)
    draw_ball(planes_of_i420(i420), (123.4, 234.5), 20)
    assert detect(Picture(i420)) == pytest.approx((123.4, 234.5), abs=0.2)
