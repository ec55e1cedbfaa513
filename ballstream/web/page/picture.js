// Pictures of the video as planes (I420), however the browser hands them out.

import { ROWS } from "./stamp.js";

/**
 * One picture of the video, as a detector gets it.
 *
 * The planes are tight (no padding between rows), 8 bit, studio range; `u` and `v` have half the
 * width and height, rounded up. They hold until the detector returns: copy what is to be kept.
 */
export class Picture {
  #plane;
  #known = {};

  /**
   * @param {number} width in pixels
   * @param {number} height in pixels, the rows of the stamp among them
   * @param {(name: "y"|"u"|"v") => Uint8Array} plane gives a plane; asked once for each at most
   */
  constructor(width, height, plane) {
    this.width = width;
    this.height = height;
    this.#plane = plane;
  }

  /** Rows that the ball can be in: all but those of the stamp. */
  get field() {
    return this.height - ROWS;
  }

  get y() {
    return (this.#known.y ??= this.#plane("y"));
  }

  get u() {
    return (this.#known.u ??= this.#plane("u"));
  }

  get v() {
    return (this.#known.v ??= this.#plane("v"));
  }
}

/** Reads one `VideoFrame` after the other, through one buffer. */
export class FrameReader {
  #buffer = new Uint8Array(0);

  /**
   * The picture in a frame, which is closed.
   * @param {VideoFrame} frame
   * @returns {Promise<Picture>}
   */
  async read(frame) {
    try {
      const { format, visibleRect } = frame;
      const size = frame.allocationSize();
      if (this.#buffer.length < size) this.#buffer = new Uint8Array(size);
      const layout = await frame.copyTo(this.#buffer);
      return pictureOf(format, visibleRect, this.#buffer.subarray(0, size), layout);
    } finally {
      frame.close(); // decoders have few frames to give
    }
  }
}

function pictureOf(format, { width, height }, data, layout) {
  const at = layout.map(({ offset }) => offset);
  switch (format) {
    case "I420":
    case "I420A": {
      const planes = { y: data.subarray(at[0], at[1]), u: data.subarray(at[1], at[2]), v: data.subarray(at[2], at[3]) };
      return new Picture(width, height, (name) => planes[name]);
    }
    case "NV12": {
      const chroma = data.subarray(at[1]);
      const planes = {
        y: () => data.subarray(0, at[1]),
        u: () => everySecond(chroma, 0),
        v: () => everySecond(chroma, 1),
      };
      return new Picture(width, height, (name) => planes[name]());
    }
    case "RGBA":
    case "RGBX":
      return pictureOfRgb(data, width, height);
    case "BGRA":
    case "BGRX":
      return pictureOfRgb(data, width, height, 2, 0);
    default:
      throw new Error(`frames of the format "${format}" cannot be read`);
  }
}

function everySecond(data, first) {
  const half = new Uint8Array(data.length >> 1);
  for (let i = 0; i < half.length; i++) half[i] = data[2 * i + first];
  return half;
}

/**
 * The picture in four bytes a pixel, of which `red` and `blue` say where in a pixel these are.
 * @returns {Picture}
 */
export function pictureOfRgb(data, width, height, red = 0, blue = 2) {
  const planes = {
    y: () => lumaOfRgb(data, red, blue),
    u: () => chroma(data, width, height, [red, -0.148], [1, -0.291], [blue, 0.439]),
    v: () => chroma(data, width, height, [red, 0.439], [1, -0.368], [blue, -0.071]),
  };
  return new Picture(width, height, (name) => planes[name]());
}

/** The luma of pixels of four bytes (BT.601, studio range). */
export function lumaOfRgb(data, red = 0, blue = 2) {
  const luma = new Uint8ClampedArray(data.length / 4);
  for (let i = 0, at = 0; i < luma.length; i++, at += 4) {
    luma[i] = 16 + 0.257 * data[at + red] + 0.504 * data[at + 1] + 0.098 * data[at + blue];
  }
  return luma;
}

/** A chroma plane: each sample from the mean of two by two pixels. */
function chroma(data, width, height, [first, a], [second, b], [third, c]) {
  const [columns, rows] = [(width + 1) >> 1, (height + 1) >> 1];
  const plane = new Uint8ClampedArray(columns * rows);
  for (let row = 0, i = 0; row < rows; row++) {
    const upper = 8 * row * width;
    const lower = 2 * row + 1 < height ? upper + 4 * width : upper;
    for (let column = 0; column < columns; column++, i++) {
      const left = 8 * column;
      const right = 2 * column + 1 < width ? left + 4 : left;
      const [p, q, r, s] = [upper + left, upper + right, lower + left, lower + right];
      const mean = (at) => data[p + at] + data[q + at] + data[r + at] + data[s + at];
      plane[i] = 128 + 0.25 * (a * mean(first) + b * mean(second) + c * mean(third));
    }
  }
  return plane;
}
