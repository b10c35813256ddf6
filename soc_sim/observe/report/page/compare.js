// Several runs side by side: figures with their change, where the time and the energy went, layers that changed most.

const METRICS = [
  ["latency", (doc) => doc.latency_s, "s", -1],
  ["throughput", (doc) => (doc.latency_s ? 1 / doc.latency_s : null), "inferences/s", 1],
  ["utilisation", (doc) => 100 * doc.utilisation, "%", 1],
  ["energy", (doc) => doc.energy_j, "J", -1],
  ["average power", (doc) => (doc.energy_j === null || !doc.latency_s ? null : doc.energy_j / doc.latency_s), "W", -1],
  ["MACs executed", (doc) => doc.macs_executed, "", -1],
  ["DRAM read", (doc) => doc.dram?.read_bytes, "B", -1],
  ["DRAM written", (doc) => doc.dram?.write_bytes, "B", -1],
  ["DRAM bandwidth", (doc) => doc.dram?.bandwidth_bytes_per_s, "B/s", 0],
  ["area", (doc) => doc.area_mm2, "mm²", -1],
];
const shown = (value, unit) =>
  ["%", "mm²", "inferences/s"].includes(unit) && value !== null && value !== undefined
    ? `${Number(value.toPrecision(4)).toLocaleString("en")} ${unit}`
    : si(value, unit);

function change(value, base, better) {
  if (typeof value !== "number" || typeof base !== "number" || !base || value === base) return "";
  const by = value / base - 1,
    good = Math.sign(by) === better;
  return html(
    "span",
    { class: better ? (good ? "better" : "worse") : null },
    by >= 9 ? ` ×${(by + 1).toPrecision(3)}` : ` ${by > 0 ? "+" : "−"}${Math.abs(100 * by).toFixed(1)} %`,
  );
}

function compareTable(title, rows) {
  return html(
    "div",
    { class: "scroll", tabindex: 0, role: "region", "aria-label": title || "Figures" },
    html(
      "table",
      {},
      html(
        "thead",
        {},
        html(
          "tr",
          {},
          html("th", { class: "text", scope: "col" }, title),
          DATA.runs.map((each) => html("th", { scope: "col" }, each.label)),
        ),
      ),
      html(
        "tbody",
        {},
        rows.map(([name, cells]) =>
          html(
            "tr",
            {},
            html("td", { class: "text" }, name),
            cells.map((cell) => html("td", { title: typeof cell === "string" ? cell : null }, cell)),
          ),
        ),
      ),
    ),
  );
}

/** One bar for each run, on a common scale, in the parts that ``of`` names. */
function stackedRuns(of, unit) {
  const all = DATA.runs.map((each) => Object.entries(of(each.document) ?? {}).filter(([, value]) => value));
  const most = Math.max(...all.map((parts) => sum(parts.map(([, value]) => value))), 0);
  return html(
    "div",
    { class: "bars" },
    DATA.runs.map((each, index) => {
      const total = sum(all[index].map(([, value]) => value));
      return [
        html("span", {}, each.label),
        html(
          "span",
          {
            class: "track",
            role: "img",
            "aria-label": all[index].map(([name, value]) => `${label(name)} ${si(value, unit)}`).join(", "),
          },
          all[index].map(([name, value]) =>
            html("i", {
              style: `width:${most ? (100 * value) / most : 0}%;background:${colour(name)}`,
              onmouseleave: hideTip,
              onmousemove: (event) =>
                showTip(event, `${each.label}: ${label(name)}`, [
                  [unit === "J" ? "energy" : "time", si(value, unit)],
                  ["share", percent(value, total)],
                ]),
            }),
          ),
        ),
        html("span", { class: "number" }, si(total, unit)),
        html("span", { class: "part" }),
      ];
    }),
  );
}

function changedLayers() {
  const [base, ...others] = DATA.runs,
    byName = others.map((each) => new Map(each.document.layers.map((layer) => [layer.name, layer])));
  return base.document.layers
    .map((layer) => {
      const times = [
        timeOf(layer),
        ...byName.map((found) => (found.has(layer.name) ? timeOf(found.get(layer.name)) : null)),
      ];
      return {
        layer,
        times,
        most: Math.max(...times.slice(1).map((time) => (time === null ? 0 : Math.abs(time - times[0])))),
      };
    })
    .filter(({ most }) => most > 0)
    .sort((a, b) => b.most - a.most)
    .slice(0, 12);
}

function drawComparison() {
  const documents = DATA.runs.map((each) => each.document);
  const figures = METRICS.map(([name, of, unit, better]) => {
    const values = documents.map(of);
    return values.every((value) => value === null || value === undefined)
      ? null
      : [name, values.map((value, index) => [shown(value, unit), index ? change(value, values[0], better) : ""])];
  }).filter(Boolean);
  const changed = changedLayers();
  const several = DATA.runs.length > 3 ? "" : "columns";
  refill(
    byId("comparison-chart"),
    html(
      "div",
      { class: several },
      compareTable("", figures),
      html(
        "div",
        {},
        html("h3", {}, "Time of the array"),
        stackedRuns((doc) => doc.array_time_s, "s"),
        html("h3", {}, "Energy that is known"),
        stackedRuns((doc) => doc.energy, "J"),
      ),
    ),
    html(
      "div",
      { class: several },
      changed.length
        ? html(
            "div",
            {},
            html("h3", {}, "Layers whose time changed most"),
            compareTable(
              "layer",
              changed.map(({ layer, times }) => [
                layer.name,
                times.map((time, index) => [
                  time === null ? "–" : si(time, "s"),
                  index ? change(time, times[0], -1) : "",
                ]),
              ]),
            ),
          )
        : "",
      DATA.differences.length
        ? html(
            "div",
            {},
            html("h3", {}, "What differs in the configurations"),
            compareTable(
              "setting",
              DATA.differences.map(([path, values]) => [path, values.map((value) => value ?? "–")]),
            ),
          )
        : "",
    ),
  );
}

if (DATA.runs.length > 1) drawComparison();
