"""How exact a detector is, without network or real time: scene, codec, detector, score."""

import msgspec

from .config import Codec, ServerConfig, syntax
from .errors import UsageError
from .link.codec import Encoding
from .link.loopback import pictures
from .protocol.messages import Estimate
from .protocol.planes import Planes
from .scene.motion import bounce
from .scene.render import Scene
from .scoring.distribution import Statistics
from .scoring.gaps import Gaps
from .scoring.score import Score, Scorer
from .vision.decoding import picture_of
from .vision.loading import load_detector
from .vision.picture import Detector
from .vision.point import as_point

_DEFAULTS = ServerConfig()


def evaluate(
    detector: str | Detector,
    *,
    frames: int = 300,
    size: tuple[int, int] = _DEFAULTS.size,
    codec: str = _DEFAULTS.codec,
    bitrate: int = 300_000,
    seed: int = _DEFAULTS.seed,
) -> Score:
    """Score a detector on the video that a server with these settings sends at its frame rate.

    `detector` is a function, or a name as `--detector` has it; `size` is in pixels, even; `codec`
    is `VP8` or `H264`; `bitrate` is in bit/s. What the detector raises is raised here. The
    statistics leave out the first second of the scene, as those of a session do; what has to do
    with time is null, as nothing here takes any. The same call gives the same figures.

    Raises UsageError where there can be no such video, DetectorError where there is no such
    detector.
    """
    if frames < 1:
        raise UsageError(f"{frames} frames cannot be scored: at least 1")
    _check(size, bitrate)
    detect = load_detector(detector) if isinstance(detector, str) else detector
    motion = bounce(*size, _DEFAULTS.radius, _DEFAULTS.speed, seed)
    scene = Scene(motion, _DEFAULTS.radius, stamped=True)
    scorer = Scorer(motion.centre, size, 0.0)
    scorer.opened(0.0)
    encoding = Encoding(_codec(codec), size, _DEFAULTS.fps, bitrate)
    for number, planes in enumerate(pictures(scene, encoding, frames)):
        seconds = number / _DEFAULTS.fps
        scorer.drawn(number, seconds, seconds)
        if planes is not None:
            scorer.score(_estimate(detect, planes), seconds)
    total = scorer.total(frames / _DEFAULTS.fps)
    nothing = Statistics(0)
    return msgspec.structs.replace(
        total,
        latency_ms=nothing,
        tracking_error_px=nothing,
        held_error_px=nothing,
        first_answer_ms=None,
        gaps=Gaps(),
    )


def _codec(name: str) -> Codec:
    try:
        return Codec(name.upper())
    except ValueError:
        raise UsageError(f"{name!r} is no codec: {' or '.join(Codec)}") from None


def _check(size: tuple[int, int], bitrate: int) -> None:
    """What the flags of a server would refuse is refused here, in the same words."""
    try:
        syntax.SIZE.read(syntax.SIZE.write(size))
        syntax.BITRATE.read(str(bitrate))
    except ValueError as error:
        raise UsageError(str(error)) from None


def _estimate(detect: Detector, planes: Planes) -> Estimate:
    # As over a network, the number comes out of the picture and not from whoever drew it.
    picture = picture_of(planes)
    found = detect(picture)
    x, y = (None, None) if found is None else as_point(found)
    return Estimate(picture.frame, x, y)
