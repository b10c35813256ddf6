// The timeline: what it shows of which track, and where.

const timeline = { data: null, view: null, expanded: new Set(), rows: [], run: -1 };
const AXIS = 22,
  ROW = 22,
  LANE = 9,
  LAYER = 17,
  AREA = 58,
  FILL = 30,
  MOST_LAYERS = 8;

const canvasOf = (name, attributes = {}) => html("canvas", { class: name, ...attributes });
const overview = canvasOf("overview", { "aria-hidden": "true", height: 28 });
const canvas = canvasOf("slices", {
  tabindex: 0,
  role: "application",
  "aria-roledescription": "timeline",
  "aria-label": "Timeline of the components. Left and right arrow keys move, plus and minus zoom, 0 shows all.",
});
const labels = html("div", { class: "labels" });
byId("timeline-chart").append(html("div", { class: "lanes" }, html("div"), overview, labels, canvas));
byId("timeline-tools").append(
  html("button", { type: "button", "aria-label": "Zoom in", onclick: () => zoom(0.5) }, "+"),
  html("button", { type: "button", "aria-label": "Zoom out", onclick: () => zoom(2) }, "−"),
  html("button", { type: "button", onclick: () => look(0, timeline.data.end) }, "All"),
);

const seconds = (units) => units * timeline.data.unit_ps * 1e-12;

/** Further cores show their array alone until they are unfolded. */
const coreOf = (name) => /^(core[1-9]\d*)[. ]/.exec(name)?.[1];
const folded = (name) => coreOf(name) && !timeline.expanded.has(coreOf(name));

/** What an area shows of this timeline: each part with its rate, or its series. */
function areaOf(area, data) {
  const parts = area.parts
    .map((part) => {
      if (part.edges_s)
        return {
          ...part,
          series: { edges: part.edges_s.map((time) => time / (data.unit_ps * 1e-12)), values: part.values },
          rate: 1,
        };
      if (part.counter) return { ...part, series: data.counters.get(part.counter), rate: 1 };
      const track = data.tracks.find((candidate) => candidate.track === part.track);
      return { ...part, track, rate: track ? part.total / (seconds(sum([...track.busy])) || 1) : 0 };
    })
    .filter((part) => part.track || part.series?.values.length);
  return { ...area, parts, full: area.peak ?? highest(parts) };
}

/** What all parts together reach at most; parts of one area have their edges in common. */
function highest(parts) {
  if (!parts.every((part) => part.series)) return Math.max(0, ...parts.map((part) => part.rate));
  return Math.max(
    0,
    ...[...(parts[0]?.series.values ?? [])].map((_, row) => sum(parts.map((part) => part.series.values[row]))),
  );
}

const wasBusy = ({ busy }) => busy.length > 0;

/** What has no row, because there is nothing to show. */
function neverBusy(data) {
  const names = data.tracks.filter((track) => !wasBusy(track)).map(({ track }) => track),
    most = 6;
  if (!names.length) return "";
  return ` Never busy: ${names.slice(0, most).join(", ")}${names.length > most ? ` and ${names.length - most} more` : ""}.`;
}

/** A track is one row, or a row for each of its lanes once it is unfolded; layers always have all of theirs. */
function arrange() {
  const { data, expanded } = timeline,
    rows = [];
  let top = AXIS;
  const add = (row, height) => {
    rows.push({ ...row, top, height });
    top += height + 5;
  };
  for (const track of data.tracks.filter(wasBusy)) {
    const many = track.lanes.length > 1,
      open = expanded.has(track.track);
    if (folded(track.track) && !/\.array$/.test(track.track)) continue;
    if (track.track === "layers") add({ kind: "layers", track }, Math.min(track.lanes.length, MOST_LAYERS) * LAYER);
    else if (many && open) add({ kind: "lanes", track }, track.lanes.length * LANE);
    else add({ kind: many ? "folded" : "slices", track }, ROW);
  }
  for (const area of data.areas) if (!folded(area.title)) add({ kind: "area", area }, area.unit === "B" ? FILL : AREA);
  timeline.rows = rows;
  timeline.height = top + 2;
}

function drawLabels() {
  labels.replaceChildren(
    ...timeline.rows.map((row) => {
      const place = `top:${row.top}px;height:${Math.min(row.height, ROW)}px`;
      if (row.kind === "area") {
        return html(
          "span",
          {
            style: `top:${row.top}px;height:${row.height}px;flex-direction:column;align-items:flex-start;justify-content:center;gap:0;line-height:1.25`,
            title: row.area.text,
          },
          row.area.title,
          html("small", {}, `full height ${si(row.area.full, row.area.unit, 3)}`),
        );
      }
      const { track, lanes } = row.track,
        core = /\.array$/.test(track) ? coreOf(track) : undefined;
      const unfolds = core ?? (lanes.length > 1 && row.kind !== "layers" ? track : null);
      const [, of, name] = /^((?:core\d+|interconnect)\.)?(.*)$/.exec(track);
      const words = [of ? html("span", { class: "of" }, of.slice(0, -1)) : "", name];
      if (!unfolds) return html("span", { style: place, title: track }, words);
      const open = timeline.expanded.has(unfolds),
        title = core ? `all of ${core}` : `${track}: ${lanes.length} lanes`;
      return html(
        "button",
        {
          type: "button",
          style: place,
          title,
          "aria-expanded": String(open),
          "data-track": track,
          onclick: () => {
            if (open) timeline.expanded.delete(unfolds);
            else timeline.expanded.add(unfolds);
            layOut();
            labels.querySelector(`[data-track="${track}"]`).focus();
          },
        },
        words,
      );
    }),
  );
  labels.style.height = `${timeline.height}px`;
}

function layOut() {
  if (!timeline.data) return;
  arrange();
  drawLabels();
  drawTimeline();
}

/** Shows the time from ``from`` to ``to``, in units of the timeline. */
function look(from, to) {
  const { end } = timeline.data,
    span = clamp(to - from, Math.min(20, end), end);
  const begin = clamp((from + to - span) / 2, 0, end - span);
  timeline.view = { from: begin, to: begin + span };
  drawTimeline();
}

function zoom(factor, around = 0.5) {
  const { from, to } = timeline.view,
    centre = from + (to - from) * around;
  look(centre - (centre - from) * factor, centre + (to - centre) * factor);
}

function showInTimeline(layer) {
  const { start_s, end_s } = layers()[layer],
    unit = timeline.data.unit_ps * 1e-12,
    margin = 0.08 * (end_s - start_s);
  look((start_s - margin) / unit, (end_s + margin) / unit);
}

async function loadTimeline() {
  const index = state.run,
    data = await timelineOf(index);
  if (index !== state.run) return;
  Object.assign(timeline, { data, view: { from: 0, to: data.end } });
  data.areas ??= run()
    .areas.map((area) => areaOf(area, data))
    .filter((area) => area.parts.length && area.full > 0);
  refill(
    byId("timeline-hint"),
    `${run().timeline_hint}${neverBusy(data)}`
      .split("`")
      .map((words, at) => (at % 2 ? html("code", {}, words) : words)),
  );
  layOut();
  performance.mark("ready");
  document.documentElement.dataset.ready = "";
}

/** What a point of the canvas shows: a row, and there a slice if there is one. */
function found(x, y) {
  const { view } = timeline,
    row = timeline.rows.find((candidate) => y >= candidate.top && y < candidate.top + candidate.height);
  if (!row) return null;
  if (row.kind === "area") return { row };
  const time = view.from + x / view.scale,
    near = 1.5 / view.scale,
    { lanes } = row.track;
  const at =
    row.kind === "layers"
      ? Math.floor((y - row.top) / LAYER)
      : row.kind === "lanes"
        ? Math.floor((y - row.top) / LANE)
        : null;
  const hits = [];
  for (const lane of at === null ? lanes : lanes.slice(at, at + 1)) {
    for (
      let index = firstRow(row.track, lane, time - near);
      index < lane[1] && row.track.starts[index] <= time + near;
      index++
    )
      hits.push(index);
  }
  const distance = (index) =>
    Math.max(row.track.starts[index] - time, time - row.track.starts[index] - row.track.durations[index], 0);
  return { row, hits: hits.sort((a, b) => distance(a) - distance(b)) };
}

function timelineTip(event, x, y) {
  const hit = found(x, y);
  if (!hit || (hit.hits && !hit.hits.length)) {
    hideTip();
    return;
  }
  const { view } = timeline,
    when = si(seconds(view.from + x / view.scale), "s", 6);
  if (hit.row.kind === "area") {
    const { area } = hit.row;
    showTip(event, area.title, [
      ["at", when],
      ...area.parts.map((part) => [
        part.title,
        si((part.cover?.[Math.floor(x)] ?? 0) * part.rate, area.unit, 3),
        `var(--${part.subject})`,
      ]),
    ]);
    return;
  }
  const { track } = hit.row,
    [first] = hit.hits,
    overlapping = hit.hits.filter(
      (index) =>
        track.starts[index] <= view.from + x / view.scale &&
        track.starts[index] + track.durations[index] > view.from + x / view.scale,
    );
  const kind = track.kinds[track.kindOf[first]];
  showTip(
    event,
    track.track === "layers" ? timeline.data.layers[track.layerOf[first]] : (CAUSES[kind]?.label ?? kind),
    [
      ["track", track.track],
      ...(track.track === "layers" ? [] : [["layer", timeline.data.layers[track.layerOf[first]] ?? ""]]),
      ["from", si(seconds(track.starts[first]), "s", 6)],
      ["for", si(seconds(track.durations[first]), "s")],
      ...(track.busy[first] < track.durations[first] ? [["of it busy", si(seconds(track.busy[first]), "s")]] : []),
      ...(overlapping.length > 1 && !track.resolution ? [["at once", overlapping.length]] : []),
    ],
  );
}

watch("run", () => {
  loadTimeline();
});
watch("layer cause theme", () => {
  if (timeline.data) drawTimeline();
});
onWidth(byId("timeline-chart"), () => {
  if (timeline.data) drawTimeline();
});
