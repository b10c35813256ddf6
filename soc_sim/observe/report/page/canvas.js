// Draws the timeline on its canvases. What is narrower than a pixel is added up: the height of a column is the share of
// time in which the track was busy.

const HEIGHT = { overview: 28 };
const shades = { scheme: null, cache: {} };

/** A custom property of the style sheet as a colour that canvases understand. */
function shade(name) {
  const scheme = `${document.documentElement.dataset.theme} ${matchMedia("(prefers-color-scheme: dark)").matches}`;
  if (shades.scheme !== scheme) Object.assign(shades, { scheme, cache: {} });
  if (!shades.cache[name]) {
    tip.style.setProperty("color", `var(--${name})`);
    shades.cache[name] = getComputedStyle(tip).color;
    tip.style.removeProperty("color");
  }
  return shades.cache[name];
}

function context(target, height) {
  const ratio = devicePixelRatio || 1,
    width = target.clientWidth;
  target.width = Math.round(width * ratio);
  target.height = Math.round(height * ratio);
  target.style.height = `${height}px`;
  const pen = target.getContext("2d");
  pen.scale(ratio, ratio);
  pen.clearRect(0, 0, width, height);
  return pen;
}

/** Whether a slice belongs to what is singled out. */
function active(track, row) {
  return (
    (state.layer === null || track.layerOf[row] === state.layer) &&
    (state.cause === null || track.subjects[track.kindOf[row]] === subject(state.cause))
  );
}

function drawSlices(pen, track, lanes, view, top, height) {
  const exact = lanes.length === 1 && !track.resolution,
    covers = new Map();
  for (const lane of lanes) {
    eachSlice(track, lane, view, (row, x0, x1) => {
      const bright = active(track, row),
        name = track.subjects[track.kindOf[row]];
      if (exact && x1 - x0 >= 1.5) {
        pen.globalAlpha = bright ? 1 : 0.16;
        pen.fillStyle = shade(name);
        const from = Math.max(x0, -1),
          to = Math.min(x1, view.width + 1);
        pen.fillRect(from, top, to - from - clamp((x1 - x0 - 8) / 16, 0, 0.75), height);
        return;
      }
      const key = `${bright ? "1" : "0"}${name}`;
      if (!covers.has(key)) covers.set(key, new Float32Array(view.width));
      addCover(covers.get(key), x0, x1, track.busy[row] / track.durations[row]);
    });
  }
  drawCovers(pen, covers, view, top, height);
}

function drawCovers(pen, covers, view, top, height) {
  const stacked = new Float32Array(view.width),
    total = new Float32Array(view.width);
  for (const cover of covers.values()) for (let pixel = 0; pixel < view.width; pixel++) total[pixel] += cover[pixel];
  for (const [key, cover] of [...covers].sort(([a], [b]) => (a < b ? 1 : -1))) {
    pen.globalAlpha = key[0] === "1" ? 1 : 0.16;
    pen.fillStyle = shade(key.slice(1));
    for (let pixel = 0; pixel < view.width; pixel++) {
      if (!cover[pixel]) continue;
      // What was too short to be seen is a pixel high.
      const part = Math.max(1, height * Math.min(1, total[pixel])) * (cover[pixel] / total[pixel]);
      pen.fillRect(pixel, top + height - stacked[pixel] - part, 1, part);
      stacked[pixel] += part;
    }
  }
}

function drawLayersTrack(pen, track, view, top) {
  track.lanes.slice(0, MOST_LAYERS).forEach((lane, number) =>
    eachSlice(track, lane, view, (row, x0, x1) => {
      const y = top + number * LAYER,
        from = Math.max(x0, -2),
        wide = Math.max(1, Math.min(x1, view.width + 2) - from - 1);
      const chosen = track.layerOf[row] === state.layer;
      pen.globalAlpha = chosen ? 0.95 : state.layer === null ? 0.24 : 0.12;
      pen.fillStyle = shade("accent");
      pen.fillRect(from, y, wide, LAYER - 2);
      pen.globalAlpha = 1;
      if (wide < 34) return;
      pen.fillStyle = chosen ? shade("surface") : shade("text");
      let name = timeline.data.layers[track.layerOf[row]] ?? "";
      const room = Math.floor((wide - 8) / 5.8);
      if (name.length > room) name = room > 6 ? `…${name.slice(1 - room)}` : "";
      pen.fillText(name, Math.max(from, 0) + 4, y + 11);
    }),
  );
}

function drawArea(pen, row, view) {
  const { area, top, height } = row;
  for (const part of area.parts) part.cover = part.series ? means(part.series, view) : coverage(part.track, view);
  const stacked = new Float32Array(view.width);
  for (const part of area.parts) {
    pen.fillStyle = shade(part.subject);
    pen.globalAlpha = area.unit === "B" ? 0.6 : 1;
    for (let pixel = 0; pixel < view.width; pixel++) {
      const tall = Math.min(height - stacked[pixel], (height * part.cover[pixel] * part.rate) / area.full);
      if (tall > 0) pen.fillRect(pixel, top + height - stacked[pixel] - tall, 1, tall);
      stacked[pixel] += Math.max(0, tall);
    }
  }
  pen.globalAlpha = 1;
  pen.fillStyle = shade("line");
  pen.fillRect(0, top, view.width, 1);
  pen.fillRect(0, top + height, view.width, 1);
}

function drawAxis(pen, view) {
  const span = seconds(view.to - view.from),
    [, step = span] = ticks(span, Math.max(2, view.width / 130)),
    first = Math.ceil(seconds(view.from) / step);
  pen.font = `11px ${getComputedStyle(document.body).fontFamily}`;
  for (let index = first; index * step <= seconds(view.to) * (1 + 1e-12); index++) {
    const x = ((index * step) / (timeline.data.unit_ps * 1e-12) - view.from) * view.scale;
    pen.fillStyle = shade("grid");
    pen.fillRect(Math.round(x), AXIS - 6, 1, timeline.height);
    pen.fillStyle = shade("muted");
    const digits = Math.max(3, Math.ceil(Math.log10(Math.max(1, index))) + 2),
      words = si(index * step, "s", digits);
    pen.fillText(words, clamp(x, 0, view.width - pen.measureText(words).width), AXIS - 10);
  }
}

function drawTimeline() {
  const width = canvas.clientWidth;
  if (!width || !timeline.view) return;
  const view = Object.assign(timeline.view, { width, scale: width / (timeline.view.to - timeline.view.from) });
  const pen = context(canvas, timeline.height);
  drawAxis(pen, view);
  for (const row of timeline.rows) {
    pen.globalAlpha = 1;
    if (row.kind === "area") drawArea(pen, row, view);
    else if (row.kind === "layers") drawLayersTrack(pen, row.track, view, row.top);
    else if (row.kind === "lanes")
      row.track.lanes.forEach((lane, number) =>
        drawSlices(pen, row.track, [lane], view, row.top + number * LANE, LANE - 1),
      );
    else drawSlices(pen, row.track, row.track.lanes, view, row.top, row.height);
    pen.globalAlpha = 1;
  }
  drawOverview();
}

/** The whole time in small, with what is in view marked. */
function drawOverview() {
  const width = overview.clientWidth,
    height = HEIGHT.overview,
    { data, view } = timeline;
  const whole = { from: 0, to: data.end, width, scale: width / data.end },
    pen = context(overview, height);
  const track = data.tracks.find((candidate) => /^core0\.array/.test(candidate.track)) ?? data.tracks[0];
  pen.fillStyle = shade("grid");
  pen.fillRect(0, 2, width, height - 8);
  if (track?.track === "layers") drawSlices(pen, { ...track, subjects: ["idle"] }, track.lanes, whole, 2, height - 8);
  else if (track) drawSlices(pen, track, track.lanes, whole, 2, height - 8);
  pen.globalAlpha = 1;
  const from = view.from * whole.scale,
    to = Math.max(from + 3, view.to * whole.scale);
  pen.fillStyle = shade("surface");
  pen.globalAlpha = 0.72;
  pen.fillRect(0, 0, from, height - 4);
  pen.fillRect(to, 0, width - to, height - 4);
  pen.globalAlpha = 1;
  pen.strokeStyle = shade("text");
  pen.lineWidth = 1.25;
  pen.strokeRect(from + 0.6, 0.6, to - from - 1.2, height - 5.2);
}
