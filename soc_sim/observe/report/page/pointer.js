// Moving about in the timeline: drag to move, Ctrl and wheel to zoom, Shift and drag (or drag in the overview) to choose.

const drag = { from: null, moved: false, choosing: false };
const local = (event, target) => {
  const box = target.getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
};

canvas.addEventListener("pointerdown", (event) => {
  if (!timeline.data) return;
  canvas.setPointerCapture(event.pointerId);
  Object.assign(drag, { from: event.clientX, moved: false, choosing: event.shiftKey, view: { ...timeline.view } });
});

canvas.addEventListener("pointermove", (event) => {
  if (!timeline.data) return;
  const [x, y] = local(event, canvas);
  if (drag.from === null) {
    timelineTip(event, x, y);
    return;
  }
  if (Math.abs(event.clientX - drag.from) > 3) drag.moved = true;
  if (!drag.moved || drag.choosing) return;
  hideTip();
  const by = (drag.from - event.clientX) / drag.view.scale;
  const { end } = timeline.data,
    span = drag.view.to - drag.view.from,
    from = clamp(drag.view.from + by, 0, end - span);
  look(from, from + span);
});

canvas.addEventListener("pointerup", (event) => {
  if (drag.from === null) return;
  const [x, y] = local(event, canvas),
    start = x + drag.from - event.clientX,
    { view } = timeline;
  if (drag.choosing && drag.moved)
    look(view.from + Math.min(x, start) / view.scale, view.from + Math.max(x, start) / view.scale);
  else if (!drag.moved) {
    const hit = found(x, y),
      index = hit?.hits?.length ? hit.row.track.layerOf[hit.hits[0]] : null;
    set("layer", index !== null && index >= 0 && index < layers().length ? index : null);
  }
  drag.from = null;
});
canvas.addEventListener("pointercancel", () => {
  drag.from = null;
});
canvas.addEventListener("pointerleave", hideTip);
canvas.addEventListener("dblclick", (event) => zoom(0.4, local(event, canvas)[0] / canvas.clientWidth));

canvas.addEventListener(
  "wheel",
  (event) => {
    if (!timeline.data) return;
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      zoom(Math.exp(clamp(event.deltaY, -120, 120) / 240), local(event, canvas)[0] / canvas.clientWidth);
    } else if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      event.preventDefault();
      shift(event.deltaX / canvas.clientWidth);
    }
  },
  { passive: false },
);

/** Moves by a part of what is in view. */
function shift(part) {
  const { from, to } = timeline.view,
    span = to - from,
    begin = clamp(from + span * part, 0, timeline.data.end - span);
  look(begin, begin + span);
}

canvas.addEventListener("keydown", (event) => {
  if (!timeline.data || event.ctrlKey || event.metaKey || event.altKey) return;
  const act = {
    ArrowLeft: () => shift(-0.2),
    ArrowRight: () => shift(0.2),
    "+": () => zoom(0.5),
    "=": () => zoom(0.5),
    "-": () => zoom(2),
    0: () => look(0, timeline.data.end),
    Home: () => shift(-1e9),
    End: () => shift(1e9),
  }[event.key];
  if (!act) return;
  event.preventDefault();
  act();
  say(`${si(seconds(timeline.view.from), "s")} to ${si(seconds(timeline.view.to), "s")}`);
});

overview.addEventListener("pointerdown", (event) => {
  if (!timeline.data) return;
  overview.setPointerCapture(event.pointerId);
  drag.overview = local(event, overview)[0];
});
overview.addEventListener("pointermove", (event) => {
  if (drag.overview === undefined) return;
  const [x] = local(event, overview),
    unit = timeline.data.end / overview.clientWidth;
  if (Math.abs(x - drag.overview) > 3) look(Math.min(x, drag.overview) * unit, Math.max(x, drag.overview) * unit);
});
overview.addEventListener("pointerup", (event) => {
  if (drag.overview === undefined) return;
  const [x] = local(event, overview),
    unit = timeline.data.end / overview.clientWidth,
    { from, to } = timeline.view;
  if (Math.abs(x - drag.overview) <= 3) look(x * unit - (to - from) / 2, x * unit + (to - from) / 2);
  drag.overview = undefined;
});
overview.addEventListener("pointercancel", () => {
  drag.overview = undefined;
});
