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

/** The picture in four bytes a pixel, of which `red` and `blue` say where in a pixel these are. */
export function pictureOfRgb(data, width, height, red = 0, blue = 2) {
  const planes = {
    y: () => lumaOfRgb(data, red, blue),
    u: () => blueOfRgb(halved(data, width, height), red, blue),
    v: () => redOfRgb(halved(data, width, height), red, blue),
  };
  return new Picture(width, height, (name) => planes[name]());
}

/** The luma (Y) of pixels of four bytes; BT.601, studio range, as the two that follow. */
export function lumaOfRgb(data, red = 0, blue = 2) {
  return weighed(data, 16, red, 0.257, 0.504, blue, 0.098);
}

/** How blue they are (U). */
export function blueOfRgb(data, red = 0, blue = 2) {
  return weighed(data, 128, red, -0.148, -0.291, blue, 0.439);
}

/** How red they are (V). */
export function redOfRgb(data, red = 0, blue = 2) {
  return weighed(data, 128, red, 0.439, -0.368, blue, -0.071);
}

function weighed(data, base, red, r, g, blue, b) {
  const plane = new Uint8ClampedArray(data.length / 4);
  for (let i = 0, at = 0; i < plane.length; i++, at += 4) {
    plane[i] = base + r * data[at + red] + g * data[at + 1] + b * data[at + blue];
  }
  return plane;
}

/** The picture in half its size: each pixel the mean of two by two. */
function halved(data, width, height) {
  const [columns, rows] = [(width + 1) >> 1, (height + 1) >> 1];
  const half = new Uint8ClampedArray(4 * columns * rows);
  for (let row = 0, i = 0; row < rows; row++) {
    const upper = 8 * row * width;
    const lower = 2 * row + 1 < height ? upper + 4 * width : upper;
    for (let column = 0; column < columns; column++) {
      const left = 8 * column;
      const right = 2 * column + 1 < width ? left + 4 : left;
      for (let byte = 0; byte < 4; byte++, i++) {
        const sum = data[upper + left + byte] + data[upper + right + byte];
        half[i] = (sum + data[lower + left + byte] + data[lower + right + byte]) / 4;
      }
    }
  }
  return half;
}
