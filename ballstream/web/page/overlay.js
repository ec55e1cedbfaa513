// The found and the true place, drawn over the video.

const SHARPNESS = 2;
const FOUND = "#e69f00";
const TRUE = "#ffffff";

/** Draw the picture of a frame, which is 1:1 on its canvas. */
export function drawPicture(canvas, picture) {
  const { displayWidth: width, displayHeight: height } = picture;
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  canvas.getContext("2d").drawImage(picture, 0, 0);
}

/** Take off whatever was drawn. */
export function clear(canvas) {
  canvas.width = 0;
}

/** Draw over a frame; `found` and `expected` are places in px of the picture, or null. */
export function drawOverlay(canvas, { width, height }, found, expected, radius) {
  if (canvas.width !== width * SHARPNESS || canvas.height !== height * SHARPNESS) {
    canvas.width = width * SHARPNESS;
    canvas.height = height * SHARPNESS;
  }
  const context = canvas.getContext("2d");
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, canvas.width, canvas.height);
  context.scale(SHARPNESS, SHARPNESS);
  context.translate(0.5, 0.5); // from pixel centres to pixel edges
  context.lineWidth = Math.max(width / 400, 1.5);
  if (expected) {
    context.strokeStyle = TRUE;
    context.setLineDash([5, 4]);
    context.beginPath();
    context.arc(expected.x, expected.y, radius + 3, 0, 2 * Math.PI);
    context.stroke();
    context.setLineDash([]);
  }
  if (found) {
    const arm = radius * 0.7;
    context.strokeStyle = FOUND;
    context.beginPath();
    context.moveTo(found.x - arm, found.y);
    context.lineTo(found.x + arm, found.y);
    context.moveTo(found.x, found.y - arm);
    context.lineTo(found.x, found.y + arm);
    context.stroke();
  }
}
