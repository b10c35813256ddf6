// What all charts share: the data, what is selected, elements, figures in words, the tooltip.

const DATA = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);

const state = { run: 0, layer: null, cause: null };
const listeners = [];

/** Calls back now and whenever one of the keys changes. */
function watch(keys, draw) {
  listeners.push({ keys: keys.split(" "), draw });
  draw();
}

function set(key, value) {
  if (state[key] === value) return;
  state[key] = value;
  for (const { keys, draw } of listeners) if (keys.includes(key)) draw();
}

const run = () => DATA.runs[state.run];
const layers = () => run().document.layers;

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false)
      element.setAttribute(name, value === true ? "" : value);
  }
  element.append(
    ...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false),
  );
  return element;
}
/** New content for an element. */
function refill(element, ...children) {
  element.replaceChildren();
  return fill(element, {}, children);
}
const html = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);
const svg = (tag, attributes, ...children) =>
  fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
const text = (x, y, content, attributes = {}) => svg("text", { x, y, ...attributes }, content);

// Figures.

const PREFIXES = {
  "-5": "f",
  "-4": "p",
  "-3": "n",
  "-2": "µ",
  "-1": "m",
  0: "",
  1: "k",
  2: "M",
  3: "G",
  4: "T",
  5: "P",
};

/** Four digits with a decimal prefix, as the terminal has it. */
function si(value, unit, digits = 4) {
  if (value === null || value === undefined) return "unknown";
  let power = value ? Math.floor(Math.log10(Math.abs(value)) / 3) : 0;
  let scaled = Number((value / 10 ** (3 * power)).toPrecision(digits));
  if (Math.abs(scaled) >= 1000) {
    power += 1;
    scaled /= 1000;
  }
  if (power < -5 || power > 5) return `${value.toPrecision(digits)} ${unit}`;
  return `${scaled} ${PREFIXES[power]}${unit}`.trim();
}
const percent = (part, whole, digits = 1) => (whole ? `${((100 * part) / whole).toFixed(digits)} %` : "");
const sum = (values) => values.reduce((total, value) => total + (value ?? 0), 0);
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

// Layers.

const CAUSES = DATA.causes;
/** A cause in words; what an array does when it is busy is computing, and other components work. */
const label = (cause, component = "array") =>
  cause === "busy" && !component.endsWith("array") ? "at work" : (CAUSES[cause]?.label ?? cause.replaceAll("_", " "));
const subject = (name) => DATA.subjects[name] ?? "other";
const colour = (name) => `var(--${subject(name)})`;
const spans = (layer) => ({ busy: layer.busy_s, ...layer.stall_s });
const timeOf = (layer) => sum(Object.values(spans(layer)));
const trafficOf = (layer) => sum([layer.dram_read_bytes, layer.dram_write_bytes, layer.weight_memory_read_bytes]);
const mainCause = (layer) =>
  Object.entries(spans(layer)).reduce((most, next) => (next[1] > most[1] ? next : most), ["idle", 0])[0];
const causesOf = (doc) => Object.keys(doc.array_time_s);
function utilisationOf(layer) {
  const doc = run().document,
    possible = (doc.macs_executed * timeOf(layer)) / (doc.utilisation * doc.latency_s);
  return layer.macs && possible ? layer.macs_executed / possible : null;
}
const shapeOf = (layer) =>
  layer.m === null ? "" : `${layer.m}×${layer.k}×${layer.n}${layer.groups > 1 ? ` (×${layer.groups})` : ""}`;

// The tooltip, and what a screen reader is told.

const tip = byId("tip");

function showTip(event, title, pairs) {
  tip.replaceChildren(
    html("b", {}, title),
    html(
      "dl",
      {},
      pairs.map(([key, value, hue]) => [
        html("dt", {}, hue && html("i", { class: "swatch", style: `background:${hue}` }), key),
        html("dd", {}, value),
      ]),
    ),
  );
  tip.hidden = false;
  const box = tip.getBoundingClientRect();
  const x = event.clientX + 16 + box.width > innerWidth ? event.clientX - box.width - 12 : event.clientX + 16;
  tip.style.left = `${Math.max(4, x)}px`;
  tip.style.top = `${clamp(event.clientY + 14, 4, innerHeight - box.height - 8)}px`;
}
const hideTip = () => {
  tip.hidden = true;
};
addEventListener("scroll", hideTip, { passive: true });

function say(message) {
  byId("live").textContent = message;
}

function layerTip(event, index) {
  const layer = layers()[index],
    total = timeOf(layer);
  showTip(event, layer.name, [
    ["time", `${si(total, "s")} · ${percent(total, run().document.latency_s)}`],
    ...Object.entries(spans(layer))
      .filter(([, span]) => span > 0.0005 * total)
      .map(([cause, span]) => [label(cause), percent(span, total), colour(cause)]),
    ["dataflow", layer.dataflow ?? "host"],
    ...(layer.macs ? [["utilisation", percent(utilisationOf(layer), 1)]] : []),
  ]);
}

/** Lets arrow keys go from layer to layer in ``order``, and Enter or Escape open and close the details. */
function layerKeys(order) {
  return (event) => {
    const indices = order(),
      at = indices.indexOf(state.layer),
      last = indices.length - 1;
    const to = { ArrowRight: at + 1, ArrowLeft: at < 0 ? last : at - 1, Home: 0, End: last }[event.key];
    if (to === undefined || !indices.length) return;
    event.preventDefault();
    set("layer", indices[clamp(to, 0, last)]);
    const layer = layers()[state.layer];
    say(`${layer.name}: ${si(timeOf(layer), "s")}, ${label(mainCause(layer))} most of it`);
  };
}

/** Draws again when the width of ``box`` changes. */
function onWidth(box, draw) {
  let width = 0;
  new ResizeObserver(() => {
    if (box.clientWidth !== width) {
      width = box.clientWidth;
      draw();
    }
  }).observe(box);
}

/** About ``count`` round numbers from 0 to ``most``. */
function ticks(most, count = 4) {
  if (!(most > 0)) return [0];
  const rough = most / count,
    power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough * 0.999);
  return Array.from({ length: Math.floor(most / step + 1e-9) + 1 }, (_, index) => index * step);
}

/** Buttons of which one is pressed. */
function choice(name, options, chosen, pick) {
  const group = html("div", { class: "group", role: "group", "aria-label": name });
  for (const [key, title] of options) {
    group.append(
      html(
        "button",
        {
          type: "button",
          "aria-pressed": String(key === chosen),
          onclick: (event) => {
            for (const other of group.children)
              other.setAttribute("aria-pressed", String(other === event.currentTarget));
            pick(key);
          },
        },
        title,
      ),
    );
  }
  return group;
}

/** Rows of a label, a bar, a figure and a share. ``rows``: [label, value, hue, text]. */
function bars(rows, most, total) {
  return html(
    "div",
    { class: "bars" },
    rows.map(([name, value, hue, words]) => [
      html("span", {}, name),
      html(
        "span",
        { class: "track", "aria-hidden": "true" },
        html("i", { style: `width:${most ? (100 * (value ?? 0)) / most : 0}%;background:${hue}` }),
      ),
      html("span", { class: "number" }, words),
      html("span", { class: "part" }, total ? percent(value ?? 0, total) : ""),
    ]),
  );
}
