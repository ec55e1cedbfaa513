// Plays in the page's video with one of the players beside, answers every frame that is shown, and tells.

const CELL = 8, CELLS_A_ROW = 20, ROWS = 16, BITS = 40, NUMBER_BITS = 24;

/**
 * Play for so long.
 * @param {string} player the module whose `play` plays an address in a video; it gives how to leave and, where there is
 *   one, the channel for answers
 * @param {string} url of the WHEP endpoint
 * @param {number} seconds
 */
export async function run(player, url, seconds) {
  const video = document.querySelector("video");
  const seen = { frames: 0, feedback: 0 };
  const { play } = await import(player);
  const answer = (channel) => {
    seen.frames += 1;
    if (channel?.readyState === "open") {
      channel.send(JSON.stringify({ type: "estimate", frame: numberOf(video), x: 1, y: 1 }));
    }
    video.requestVideoFrameCallback(() => answer(channel));
  };
  const { channel, leave } = await play(url, video);
  channel?.addEventListener("message", () => (seen.feedback += 1));
  video.requestVideoFrameCallback(() => answer(channel));
  await new Promise((resolve) => setTimeout(resolve, 1000 * seconds));
  const played = video.currentTime;
  await leave();
  return { ...seen, played };
}

const context = new OffscreenCanvas(CELL * CELLS_A_ROW, ROWS).getContext("2d", { willReadFrequently: true });

/** The number in the bottom rows of the picture, whose layout docs/protocol.md tells; null where there is none. */
function numberOf(video) {
  const { width, height } = context.canvas;
  context.drawImage(video, 0, video.videoHeight - height, width, height, 0, 0, width, height);
  const { data } = context.getImageData(0, 0, width, height);
  const bits = Array.from({ length: BITS }, (_, bit) => {
    const column = CELL * (bit % CELLS_A_ROW) + CELL / 2;
    const row = CELL * Math.floor(bit / CELLS_A_ROW) + CELL / 2;
    return data[4 * (row * width + column)] > 127 ? 1 : 0;
  });
  // Seen as polynomials, the number's bits and then the checksum's are what the generator divides.
  const rest = bits.reduce((crc, bit) => {
    const high = (crc >> 15) ^ bit;
    return ((crc << 1) & 0xffff) ^ (high ? 0x1021 : 0);
  }, 0xffff);
  return rest === 0 ? bits.slice(0, NUMBER_BITS).reduce((number, bit) => 2 * number + bit, 0) : null;
}
