"""The page's own reading of a picture, run by Node.js, against what Python makes of the same."""

import base64
import json
import random
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import msgspec
import needs
import numpy as np
import numpy.typing as npt
import pytest

from ballstream.protocol import stamp
from ballstream.protocol.planes import Plane, i420_shape, planes_of_i420
from ballstream.scene.motion import Motion, bounce
from ballstream.scene.render import draw_ball
from ballstream.scoring.held import HeldError
from ballstream.vision.detect import centroid
from ballstream.vision.picture import Picture
from ballstream.web.site import PAGE

pytestmark = needs.node

Image = npt.NDArray[np.uint8]

SIZE = (320, 240)
# What a canvas gives: four bytes a pixel, which come in Base64.
BYTES = 'const bytes = ({ pixels }) => new Uint8ClampedArray(Buffer.from(pixels, "base64"));'


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page's files where Node.js takes them for modules, as a browser does."""
    folder = tmp_path_factory.mktemp("page")
    for path in PAGE.glob("*.js"):
        shutil.copy(path, folder)
    (folder / "package.json").write_text('{"type": "module"}')
    return folder


def run(modules: Path, imports: str, expression: str, values: Sequence[object]) -> list[Any]:
    """What a JavaScript expression of `value` gives for each of the values."""
    script = f"""
        {imports}
        import {{ readFileSync }} from "node:fs";
        {BYTES}
        const values = JSON.parse(readFileSync(0));
        console.log(JSON.stringify(values.map((value) => {expression})));
    """
    done = subprocess.run(
        ["node", "--input-type=module", "--eval", script],
        input=msgspec.json.encode(values), capture_output=True, timeout=30, cwd=modules,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    found: list[Any] = json.loads(done.stdout)
    return found


def image(rgba: Image) -> dict[str, object]:
    """The pixels of a canvas as JSON carries them."""
    pixels = base64.b64encode(rgba.tobytes()).decode()
    return {"width": rgba.shape[1], "height": rgba.shape[0], "pixels": pixels}


def shown(i420: Image) -> Image:
    """A decoded picture as a browser shows it: red, green, blue and alpha, in full range."""
    return np.asarray(cv2.cvtColor(i420, cv2.COLOR_YUV2RGBA_I420), np.uint8)


def read_stamps(modules: Path, bands: Sequence[Plane]) -> list[int | None]:
    """What the page reads in stamps of 160 by 16 pixels of luma."""
    pictures = []
    for luma in bands:
        i420 = np.full(i420_shape(stamp.WIDTH, stamp.ROWS), 128, np.uint8)
        planes_of_i420(i420).y[:] = luma
        pictures.append(image(shown(i420)))
    imports = 'import { readStamp } from "./stamp.js"; import { lumaOfRgb } from "./picture.js";'
    return run(modules, imports, "readStamp(lumaOfRgb(bytes(value)), value.width)", pictures)


def band(number: int) -> Plane:
    luma = np.full((stamp.ROWS, stamp.WIDTH), 16, np.uint8)
    stamp.write(luma, number)
    return luma


def test_the_stamp_s_number(modules: Path) -> None:
    dice = random.Random(0)
    numbers = [0, 1, 2, 255, 256, 0xABCDEF, stamp.MODULUS - 1]
    numbers += [dice.randrange(stamp.MODULUS) for _ in range(100)]
    assert read_stamps(modules, [band(number) for number in numbers]) == numbers


def test_a_stamp_that_the_codec_has_blurred(modules: Path) -> None:
    dice = np.random.default_rng(0)
    numbers = range(0, stamp.MODULUS, 500_009)
    bands = [
        np.clip(band(number) + dice.normal(0, 30, (stamp.ROWS, stamp.WIDTH)), 16, 235).astype("u1")
        for number in numbers
    ]
    assert [stamp.read(each) for each in bands] == list(numbers)
    assert read_stamps(modules, bands) == list(numbers)


@pytest.mark.parametrize("level", [16, 100, 125, 150, 235])
def test_a_stamp_with_a_damaged_cell_is_none(modules: Path, level: int) -> None:
    """Each of the 40 cells in turn gets a level; where that is what it was, nothing is damaged."""
    bands = []
    for cell in range(40):
        luma = band(0x5A5A5A)
        row, column = divmod(cell, 20)
        luma[8 * row : 8 * row + 8, 8 * column : 8 * column + 8] = level
        bands.append(luma)
    expected = [stamp.read(luma) for luma in bands]
    assert read_stamps(modules, bands) == expected
    assert None in expected


def test_pictures_without_a_stamp_have_no_number(modules: Path) -> None:
    dice = np.random.default_rng(1)
    levels = dice.choice([16, 60, 180, 235], (200, 2, 20)).astype(np.uint8)
    bands = [each.repeat(8, axis=0).repeat(8, axis=1) for each in levels]
    bands += [np.full((stamp.ROWS, stamp.WIDTH), level, np.uint8) for level in (16, 125, 235)]
    assert [stamp.read(each) for each in bands] == [None] * len(bands)
    assert read_stamps(modules, bands) == [None] * len(bands)


def picture(centre: tuple[float, float] | None, radius: float = 20) -> Image:
    width, height = SIZE
    i420 = np.empty(i420_shape(width, height), np.uint8)
    draw_ball(planes_of_i420(i420), centre or (-1000, -1000), radius)
    stamp.write(planes_of_i420(i420).y, 4711)
    return i420


def find_balls(modules: Path, pictures: Sequence[Image]) -> list[tuple[float, float] | None]:
    """What the page's detector finds in pictures."""
    places = run(
        modules,
        'import { detect } from "./detect.js"; import { pictureOfRgb } from "./picture.js";',
        "detect(pictureOfRgb(bytes(value), value.width, value.height))",
        [image(shown(each)) for each in pictures],
    )
    return [place and (place["x"], place["y"]) for place in places]


@pytest.mark.parametrize("radius", [4, 12, 20])
def test_the_ball_s_centre(modules: Path, radius: float) -> None:
    """Near where it was, far from it, and in every corner."""
    dice = random.Random(radius)
    right, bottom = SIZE[0] - 0.5 - radius, SIZE[1] - stamp.ROWS - 0.5 - radius
    low = radius - 0.5
    centres = [(100.0 + step / 3, 90.25) for step in range(10)]
    centres += [(low, low), (right, low), (low, bottom), (right, bottom)]
    centres += [(dice.uniform(low, right), dice.uniform(low, bottom)) for _ in range(20)]
    pictures = [picture(centre, radius) for centre in centres]
    for centre, each, place in zip(centres, pictures, find_balls(modules, pictures), strict=True):
        assert place == pytest.approx(centre, abs=0.1), "the truth"
        assert place == pytest.approx(centroid(Picture(each)), abs=0.1), "what Python finds"


def test_a_ball_that_goes_and_comes_back_elsewhere(modules: Path) -> None:
    places = [(50.0, 60.0), None, (250.0, 150.0)]
    first, none, other = find_balls(modules, [picture(place) for place in places])
    assert first == pytest.approx(places[0], abs=0.1)
    assert none is None
    assert other == pytest.approx(places[2], abs=0.1)


@pytest.mark.parametrize("distance", range(10, 90, 16))
def test_a_ball_that_has_gone_far_meanwhile(modules: Path, distance: int) -> None:
    """Where only a part of it lies within reach of where it was, the whole of it counts."""
    places = [(150.0, 110.0), (150.0 + distance, 110.0), (150.0 + distance, 110.0 - distance)]
    places += [(150.0, 110.0 - distance), (150.0, 110.0)]
    found = find_balls(modules, [picture(place) for place in places])
    assert found == [pytest.approx(place, abs=0.1) for place in places]


@pytest.mark.parametrize(
    ("motion", "fps"),
    [
        (bounce(640, 480, 20, 280, 0), 30),
        (bounce(320, 240, 12, 900, 7), 59.94),
        (bounce(1920, 1080, 40, 2000, 3), 120),
        (bounce(160, 160, 72, 280, 1), 30),  # no room between top and bottom
        (bounce(640, 480, 20, 0, 5), 30),
    ],
)
def test_where_the_ball_truly_is(modules: Path, motion: Motion, fps: float) -> None:
    numbers = [*range(200), 5000, 123_457, stamp.MODULUS - 1]
    scene = {"motion": motion, "fps": fps}
    places = run(
        modules,
        'import { truth } from "./truth.js";',
        "truth(...value)",
        [(scene, number) for number in numbers],
    )
    for number, place in zip(numbers, places, strict=True):
        centre = motion.centre(number / fps)
        assert (place["x"], place["y"]) == pytest.approx(centre, abs=1e-9), number


def answers_of(
    motion: Motion, arrivals: Sequence[tuple[int | None, float]]
) -> list[dict[str, float | None]]:
    """Answers that are right for the frame which they name, or a place between."""
    found = []
    for frame, at in arrivals:
        x, y = motion.centre((at if frame is None else frame / 30) - 0.02)
        found.append({"frame": frame, "x": x, "y": y, "at": at})
    return found


STEADY = [(frame, frame / 30 + 0.005) for frame in range(90)]


@pytest.mark.parametrize(
    "arrivals",
    [
        STEADY,
        [each for each in STEADY if each[0] % 20 < 8],  # pauses
        [(frame - 2 * (frame % 3), at) for frame, at in STEADY],  # in another order
        [(None if frame % 4 else frame, at) for frame, at in STEADY],
    ],
)
def test_held_error_is_the_server_s(
    modules: Path, arrivals: Sequence[tuple[int | None, float]]
) -> None:
    motion = bounce(640, 480, 20, 280, 0)
    answers = answers_of(motion, arrivals)
    held = HeldError(motion.centre)
    for each in answers:
        held.answer(each["frame"], (each["x"], each["y"]), each["at"], 0)  # type: ignore[arg-type]
    expected = held.statistics(arrivals[-1][1], 0).p50
    scene = {"motion": motion, "fps": 30}
    imports = 'import { heldError } from "./held.js";'
    (median,) = run(modules, imports, "heldError(...value)", [(scene, answers)])
    assert median == pytest.approx(expected, abs=0.3)


def test_where_nothing_is_held_there_is_no_error(modules: Path) -> None:
    scene = {"motion": bounce(640, 480, 20, 280, 0), "fps": 30}
    one = {"frame": 1, "x": 5, "y": 5, "at": 1}
    nothing = {"frame": 2, "x": None, "y": None, "at": 2}
    cases = [(scene, []), (scene, [one]), (scene, [nothing, nothing])]
    imports = 'import { heldError } from "./held.js";'
    assert run(modules, imports, "heldError(...value)", cases) == [None] * 3


def test_the_longest_gap_is_between_answers_or_since_the_last(modules: Path) -> None:
    answers = [{"at": at} for at in (1, 1.25, 2, 2.5)]
    cases = [(answers, 0), (answers, 3), (answers[:1], 0.5), ([], 3)]
    imports = 'import { longestGap } from "./held.js";'
    assert run(modules, imports, "longestGap(...value)", cases) == [750, 3000, 500, None]
