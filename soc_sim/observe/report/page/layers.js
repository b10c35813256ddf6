// Strips with one column for each layer: time by cause, utilisation, traffic, energy, dataflow and regret.

const layersChart = { mode: "time" };
const LEFT = 124;

byId("layers-tools").append(
  choice(
    "Scale of time",
    [
      ["time", "Time"],
      ["share", "Share"],
    ],
    "time",
    (mode) => {
      layersChart.mode = mode;
      drawLayers();
    },
  ),
);

function strips() {
  const doc = run().document,
    all = layers();
  const relative = layersChart.mode === "share";
  const found = [
    {
      name: relative ? "share of time" : "time",
      height: 168,
      unit: relative ? "" : "s",
      parts: all.map((layer) => {
        const total = relative ? timeOf(layer) || 1 : 1;
        return causesOf(doc).map((cause) => [cause, (spans(layer)[cause] ?? 0) / total]);
      }),
      most: relative ? 1 : undefined,
    },
  ];
  if (doc.utilisation)
    found.push({
      name: "utilisation",
      height: 34,
      unit: "",
      most: 1,
      parts: all.map((layer) => [["busy", utilisationOf(layer) ?? 0]]),
    });
  found.push({
    name: "traffic",
    height: 52,
    unit: "B",
    parts: all.map((layer) => [
      ["dram", layer.dram_read_bytes],
      ["outputs", layer.dram_write_bytes],
      ["weight_memory", layer.weight_memory_read_bytes ?? 0],
    ]),
  });
  const energyOf = (layer) =>
    Object.entries(layer.component_energy_j ?? { other: layer.energy_j }).map(([name, joules]) => [name, joules ?? 0]);
  if (all.some((layer) => energyOf(layer).some(([, joules]) => joules))) {
    found.push({
      name: "energy",
      height: 52,
      unit: "J",
      parts: all.map(energyOf),
    });
  }
  return found;
}

function drawStrip(strip, top, column) {
  const bottom = top + strip.height;
  const most = strip.most ?? (Math.max(...strip.parts.map((parts) => sum(parts.map(([, value]) => value)))) || 1);
  const scale = (value) => (strip.height * value) / most;
  const marks = strip.height > 100 ? ticks(most, 4) : [0, most];
  const nodes = marks.map((mark) => [
    svg("line", {
      class: "grid",
      x1: LEFT,
      x2: LEFT + column * strip.parts.length,
      y1: bottom - scale(mark),
      y2: bottom - scale(mark),
    }),
    mark
      ? text(LEFT - 8, bottom - scale(mark) + 4, strip.unit ? si(mark, strip.unit, 3) : `${Math.round(100 * mark)} %`, {
          "text-anchor": "end",
        })
      : null,
  ]);
  const gap = column > 6 ? 1 : column > 3 ? 0.5 : 0;
  strip.parts.forEach((parts, index) => {
    let y = bottom;
    for (const [name, value] of parts) {
      if (!(value > 0)) continue;
      const height = scale(value);
      y -= height;
      if (height < 0.05) continue;
      nodes.push(
        svg("rect", {
          x: LEFT + index * column + gap / 2,
          y,
          width: Math.max(0.5, column - gap),
          height,
          style: `fill:${colour(name)}`,
          "data-dim": strip.name.endsWith("time") && state.cause && state.cause !== name,
        }),
      );
    }
  });
  nodes.push(text(0, top + 10, strip.name, { class: "strong" }));
  return nodes;
}

/** A row for each dataflow that some layer could use, as dark as its regret; the chosen one has a dot. */
function drawRegret(top, column) {
  const all = layers();
  const chosen = (layer, flow) => layer.dataflow === flow;
  const flows = [
    ...new Set(all.flatMap((layer) => [...Object.keys(layer.regret ?? {}), layer.dataflow ?? []].flat())),
  ].filter((flow) => all.some((layer) => layer.regret?.[flow] || chosen(layer, flow)));
  const nodes = flows.length ? [text(0, top + 11, "dataflow", { class: "strong" })] : [];
  flows.forEach((flow, row) => {
    const y = top + row * 15;
    nodes.push(text(LEFT - 8, y + 11, flow, { "text-anchor": "end" }));
    all.forEach((layer, index) => {
      const regret = layer.regret?.[flow],
        x = LEFT + index * column;
      if (regret)
        nodes.push(
          svg("rect", {
            x,
            y,
            width: Math.max(0.5, column - (column > 4 ? 1 : 0)),
            height: 14,
            style: `fill:var(--buffer);fill-opacity:${(0.08 + 0.72 * clamp(Math.log2(regret) / 2, 0, 1)).toFixed(3)}`,
          }),
        );
      if (chosen(layer, flow))
        nodes.push(
          svg("circle", { cx: x + column / 2, cy: y + 7, r: clamp(column / 3, 1.2, 3.2), style: "fill:var(--text)" }),
        );
    });
  });
  return [nodes, flows.length * 15];
}

function names(top, column) {
  const all = layers(),
    step = Math.max(1, Math.ceil(12 / column));
  return all.map((layer, index) => {
    if (index % step) return null;
    const x = LEFT + (index + 0.5) * column + 3;
    const short = layer.name.length > 18 ? `…${layer.name.slice(-17)}` : layer.name;
    return text(x, top + 8, short, {
      transform: `rotate(-55 ${x} ${top + 8})`,
      "text-anchor": "end",
      style: "font-size:10px",
    });
  });
}

function drawLayers() {
  const box = byId("layers-chart"),
    width = box.clientWidth,
    all = layers();
  if (!width || !all.length) return;
  const column = (width - LEFT) / all.length;
  const nodes = [];
  let top = 14;
  for (const strip of strips()) {
    nodes.push(drawStrip(strip, top, column));
    top += strip.height + 16;
  }
  const [regret, height] = drawRegret(top, column);
  nodes.push(regret);
  const end = top + height;
  nodes.push(names(end + 2, column));
  const mark = (kind, inset) =>
    svg("rect", {
      class: kind,
      x: 0,
      y: 6,
      width: Math.max(2, column),
      height: end - 2 - inset,
      rx: 2,
      visibility: "hidden",
    });
  const hover = mark("hover", 0),
    selected = mark("selected", 0);
  const at = (event) =>
    clamp(Math.floor((event.clientX - box.getBoundingClientRect().left - LEFT) / column), 0, all.length - 1);
  const place = (rectangle, index) => {
    rectangle.setAttribute("visibility", index === null ? "hidden" : "visible");
    if (index !== null) rectangle.setAttribute("x", LEFT + index * column);
  };
  const hit = svg("rect", {
    class: "hit",
    x: LEFT,
    y: 0,
    width: width - LEFT,
    height: end,
    onmousemove: (event) => {
      place(hover, at(event));
      layerTip(event, at(event));
    },
    onmouseleave: () => {
      place(hover, null);
      hideTip();
    },
    onclick: (event) => set("layer", at(event)),
  });
  layersChart.place = () => place(selected, state.layer);
  const focused = box.contains(document.activeElement);
  box.replaceChildren(
    svg(
      "svg",
      {
        height: end + 74,
        tabindex: 0,
        role: "application",
        "aria-roledescription": "chart",
        onkeydown: layerKeys(() => [...all.keys()]),
        "aria-label": `${all.length} layers: time by cause, utilisation, traffic, energy, dataflow. Arrow keys go from layer to layer; the table below has the figures.`,
      },
      nodes.flat(Infinity),
      hover,
      selected,
      hit,
    ),
  );
  layersChart.place();
  if (focused) box.firstChild.focus({ preventScroll: true });
}

watch("run cause", drawLayers);
watch("layer", () => layersChart.place?.());
onWidth(byId("layers-chart"), drawLayers);
