"""A model as a detector: one that says of each pixel how much it looks like the ball.

    ballstream-client --detector onnx_detector:Model

with `ball.onnx` beside this file: `(1, 3, height, width)` float32 in, BGR from 0 to 1, and
`(1, 1, height, width)` float32 out, 0 where there is no ball.
"""

from pathlib import Path

import numpy as np
import onnxruntime

import ballstream


class Model:
    def __init__(self) -> None:  # once, in the detector's process, before any picture
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # encoder and decoder need the other cores
        path = Path(__file__).with_name("ball.onnx")
        self.session = onnxruntime.InferenceSession(path, options, ["CPUExecutionProvider"])
        (self.input,) = (each.name for each in self.session.get_inputs())

    def __call__(self, picture: ballstream.Picture) -> tuple[float, float] | None:
        bgr = picture.bgr[: picture.field]  # without the rows of the frame's number
        batch = bgr.transpose(2, 0, 1)[np.newaxis].astype(np.float32) / 255
        (likeness,) = self.session.run(None, {self.input: batch})
        columns, rows = likeness[0, 0].sum(axis=0), likeness[0, 0].sum(axis=1)
        if not (mass := columns.sum()):
            return None
        x, y = columns @ np.arange(len(columns)) / mass, rows @ np.arange(len(rows)) / mass
        return float(x), float(y)
