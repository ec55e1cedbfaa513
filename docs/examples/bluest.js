// A detector: the bluest sample of the picture, in pixels.
export function detect({ width, field, u }) {
  const columns = (width + 1) >> 1;
  const bluest = u.subarray(0, columns * (field >> 1)).reduce((best, value, i) => (value > u[best] ? i : best), 0);
  return u[bluest] > 184 ? { x: 2 * (bluest % columns) + 0.5, y: 2 * Math.floor(bluest / columns) + 0.5 } : null;
}
