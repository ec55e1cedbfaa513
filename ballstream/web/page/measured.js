// What the server measured, as the feed told it: every answer of every client.

export const SECONDS = 60;
/** The place of `latency_ms` in an answer of the feed. */
export const LATENCY = 3;

const MOST_KEPT = 200_000; // nearly two hours of one client at 30 fps
const COLUMNS = ["seconds", "client", "transport", "frame", "detection_error_px", "tracking_error_px", "latency_ms"];

/** A minute of each client for the plots, and the answers themselves for whoever wants the file. */
export class Measured {
  #histories = new Map();
  #answers = [];
  now = null; // when the last line came, in seconds

  /** Take the rows of a line of the feed, read at `now`, in seconds. */
  add(rows, now) {
    this.now = now;
    for (const row of rows.filter(({ passive }) => !passive)) {
      if (!this.#histories.has(row.client)) this.#histories.set(row.client, []);
      this.#histories.get(row.client).push({ ...row, at: now });
      for (const answer of row.answers) this.#answers.push([now.toFixed(2), row.client, row.transport, ...answer]);
    }
    for (const [client, points] of this.#histories) {
      while (points.length && points[0].at < now - SECONDS) points.shift();
      if (!points.length) this.#histories.delete(client);
    }
    if (this.#answers.length > 1.1 * MOST_KEPT) this.#answers.splice(0, this.#answers.length - MOST_KEPT);
  }

  /** The last minute: pairs of a client's number and the rows about it, oldest first. */
  get histories() {
    return [...this.#histories];
  }

  /** Let the browser save all answers as a table. */
  download() {
    const lines = [COLUMNS, ...this.#answers].map((cells) => cells.map((cell) => cell ?? "").join(","));
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([lines.join("\n"), "\n"], { type: "text/csv" }));
    link.download = "ballstream.csv";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href));
  }
}
