// What lies where in the memories, for how long, and how full buffers get.

const MAP_LEFT = 72;

function placeTip(event, place) {
  const names = layers().map((layer) => layer.name),
    during = place.last_layer !== null && place.last_layer !== undefined;
  showTip(event, place.tensor, [
    ["holds", during ? "activations" : "weights"],
    ["address", `0x${place.address.toString(16)}`],
    ["size", si(place.size_bytes, "B")],
    ...(during
      ? [
          ["from", names[place.first_layer] ?? "input"],
          ["until", names[place.last_layer] ?? "output"],
        ]
      : []),
  ]);
}

/** The used addresses of a memory as one strip: weights, constants and the part in which activations take turns. */
function strip(memory, used, places) {
  const height = 22,
    width = 1000;
  const marks = places.map((place) =>
    svg("rect", {
      x: (width * place.address) / used,
      y: 0,
      height,
      width: Math.max(0.4, (width * place.size_bytes) / used - 0.3),
      style: `fill:var(--${place.last_layer === null ? "weights" : "inputs"});fill-opacity:${place.last_layer === null ? 0.85 : 0.35}`,
      onmousemove: (event) => placeTip(event, place),
      onmouseleave: hideTip,
    }),
  );
  return svg(
    "svg",
    {
      viewBox: `0 0 ${width} ${height}`,
      preserveAspectRatio: "none",
      height,
      role: "img",
      "aria-label": `Addresses of ${plain(memory)}: ${marks.length} tensors in ${si(used, "B")}`,
    },
    marks,
  );
}

/** Activations: addresses over layers, so that one sees what lies where, when, and what takes whose place. */
function lives(memory, places, width) {
  const height = 190,
    bottom = 22,
    count = layers().length,
    low = Math.min(...places.map((place) => place.address));
  const most = Math.max(...places.map((place) => place.address + place.size_bytes)) - low;
  const x = (layer) => MAP_LEFT + ((width - MAP_LEFT) * layer) / count,
    y = (offset) => (height - bottom) * (1 - offset / most);
  const nodes = ticks(most, 4).map((offset) => [
    svg("line", { class: "grid", x1: MAP_LEFT, x2: width, y1: y(offset), y2: y(offset) }),
    text(MAP_LEFT - 8, y(offset) + 4, offset ? si(offset, "B", 3) : "0", { "text-anchor": "end" }),
  ]);
  for (const place of places) {
    const from = Math.max(0, place.first_layer ?? 0),
      offset = place.address - low;
    nodes.push(
      svg("rect", {
        x: x(from),
        width: Math.max(1, x(place.last_layer + 1) - x(from) - 0.5),
        y: y(offset + place.size_bytes),
        height: Math.max(0.6, y(offset) - y(offset + place.size_bytes) - 0.5),
        rx: 1,
        class: "life",
        "data-tensor": place.tensor,
        onmousemove: (event) => placeTip(event, place),
        onmouseleave: hideTip,
        onclick: () => set("layer", from),
      }),
    );
  }
  nodes.push(
    text(MAP_LEFT, height - 4, "first layer"),
    text(width, height - 4, "last layer", { "text-anchor": "end" }),
  );
  return svg(
    "svg",
    {
      height,
      role: "img",
      "aria-label": `Activations in ${plain(memory)}: ${places.length} tensors, over ${count} layers`,
    },
    nodes,
  );
}

function drawMemory() {
  const doc = run().document,
    fit = doc.memory,
    box = byId("memory-chart"),
    width = box.clientWidth;
  if (!fit) {
    refill(box, html("p", { class: "hint" }, "This result says nothing about memory."));
    return;
  }
  const placed = doc.memory_map ?? [];
  const memories = Object.entries(fit.used_bytes).map(([memory, used]) => {
    const capacity = fit.capacity_bytes[memory],
      places = placed.filter((place) => place.memory === memory);
    const passing = places.filter((place) => place.last_layer !== null);
    return [
      html(
        "h3",
        {},
        `${plain(memory)}: ${si(used, "B")} of ${capacity ? `${si(capacity, "B")} (${percent(used, capacity)})` : "unlimited"}`,
      ),
      places.length && used ? strip(memory, used, places) : "",
      passing.length && width
        ? [html("h3", {}, `Activations in ${plain(memory)}: addresses over layers`), lives(memory, passing, width)]
        : "",
    ];
  });
  const buffers = doc.cores?.[0]?.buffers ?? {};
  const fills = Object.entries(fit.buffer_peak_bytes).map(([name, peak]) => {
    const capacity = buffers[name]?.capacity_bytes;
    return [
      name,
      capacity ? peak / capacity : 0,
      colour(name),
      capacity ? `${si(peak, "B")} of ${si(capacity, "B")}` : si(peak, "B"),
    ];
  });
  refill(
    box,
    memories,
    html(
      "div",
      { class: "columns" },
      html(
        "div",
        {},
        html("h3", {}, "Contents"),
        bars(
          [
            ["weights", fit.weight_bytes, "var(--weights)", si(fit.weight_bytes, "B")],
            ["activations, at most", fit.peak_activation_bytes, "var(--inputs)", si(fit.peak_activation_bytes, "B")],
          ],
          Math.max(fit.weight_bytes, fit.peak_activation_bytes),
        ),
      ),
      html("div", {}, html("h3", {}, "Buffers, filled at most"), bars(fills, 1, 1)),
    ),
  );
}

watch("run", drawMemory);
onWidth(byId("memory-chart"), drawMemory);
