// The table of the clients.

/** Show the rows of the feed; the one of client `own` is this page's. */
export function showClients(body, rows, own) {
  body.replaceChildren(...(rows.length ? rows.map((row) => line(row, row.client === own)) : [nobody()]));
}

function line(row, isOwn) {
  const line = document.createElement("tr");
  line.classList.toggle("own", isOwn);
  line.dataset.client = row.client;
  const name = row.name ? ` (${row.name})` : "";
  line.append(cell(`${row.client}${isOwn ? " (this page)" : name}`, "th"));
  if (row.passive || !row.channel) {
    const watching = cell(
      row.passive ? "watches and does not answer" : "watches, but opened no channel “coordinates”",
    );
    watching.colSpan = 8;
    line.append(watching);
    return line;
  }
  line.append(
    cell(row.frames_due),
    cell(figure(row.answered_percent, 1, " %")),
    cell(figure(row.detection_error_px, 3)),
    cell(figure(row.tracking_error_px, 2)),
    cell(figure(row.held_error_px, 2)),
    cell(figure(row.latency_ms, 1)),
    cell(figure(row.latency_ms_p95, 1)),
    cell(figure(row.longest_gap_ms, 0)),
  );
  return line;
}

/** A figure with a fixed number of places and its unit, a dash where there is none. */
export function figure(value, places, unit = "") {
  return value === null || value === undefined ? "–" : value.toFixed(places) + unit;
}

function cell(text, kind = "td") {
  const cell = document.createElement(kind);
  if (kind === "th") cell.scope = "row";
  cell.textContent = text;
  return cell;
}

function nobody() {
  const line = document.createElement("tr");
  const only = cell("Nobody yet");
  only.colSpan = 9;
  line.append(only);
  return line;
}
