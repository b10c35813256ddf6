// Energy by component and layer, the map of the memories, and how full buffers get.

const plain = (name) => name.replaceAll("_", " ");

watch("run", () => {
  const doc = run().document, known = Object.entries(doc.energy ?? {}).filter(([, joules]) => joules !== null);
  const total = sum(known.map(([, joules]) => joules)), most = Math.max(...known.map(([, joules]) => joules), 0);
  const unknown = Object.keys(doc.energy ?? {}).filter((name) => doc.energy[name] === null);
  const rows = known.filter(([, joules]) => joules > 0).sort((a, b) => b[1] - a[1]).map(([name, joules]) => [plain(name), joules, colour(name), si(joules, "J")]);
  const costly = [...layers().keys()].filter((index) => layers()[index].energy_j).sort((a, b) => layers()[b].energy_j - layers()[a].energy_j).slice(0, 6);
  refill(byId("energy-chart"),
    html("h3", { style: "margin-top:0" }, "By component"),
    rows.length ? bars(rows, most, total) : html("p", { class: "hint" }, "Nothing is known of it."),
    doc.energy_range_j?.total ? html("p", { class: "hint" }, `By other published figures: ${si(doc.energy_range_j.total.low, "J")} to ${si(doc.energy_range_j.total.high, "J")} in all.`) : "",
    unknown.length ? html("p", { class: "hint" }, `Unknown: ${unknown.map(plain).join(", ")}; there is no total.`) : "",
    costly.length ? html("h3", {}, "Layers that cost most") : "",
    costly.length ? bars(costly.map((index) => [
      html("button", { type: "button", class: "quiet", style: "padding:0;color:inherit", onclick: () => set("layer", index) }, layers()[index].name),
      layers()[index].energy_j, "var(--other)", si(layers()[index].energy_j, "J"),
    ]), layers()[costly[0]].energy_j, doc.energy_j) : "",
  );
});

/** The used addresses of a memory, each tensor in its place. */
function map(memory, used, placements) {
  const height = 30, width = 1000;
  const boxes = placements.filter((place) => place.memory === memory).map((place) => svg("rect", {
    x: (width * place.address) / used, y: 0, height, width: Math.max(0.4, (width * place.size_bytes) / used - 0.4),
    style: `fill:var(--${place.kind === "weights" ? "weights" : "inputs"});fill-opacity:${place.kind === "weights" ? 0.9 : 0.5}`,
    onmousemove: (event) => showTip(event, place.tensor, [
      ["holds", place.kind], ["address", `0x${place.address.toString(16)}`], ["size", si(place.size_bytes, "B")],
    ]),
    onmouseleave: hideTip,
  }));
  return svg("svg", { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", height, role: "img", "aria-label": `Addresses of ${memory}: ${boxes.length} tensors in ${si(used, "B")}` }, boxes);
}

watch("run", () => {
  const doc = run().document, fit = doc.memory, box = byId("memory-chart");
  if (!fit) {
    refill(box, html("p", { class: "hint" }, "This result says nothing about memory."));
    return;
  }
  const memories = Object.entries(fit.used_bytes).map(([memory, used]) => {
    const capacity = fit.capacity_bytes[memory];
    return [
      html("h3", {}, `${plain(memory)}: ${si(used, "B")} of ${capacity ? `${si(capacity, "B")} (${percent(used, capacity)})` : "unlimited"}`),
      fit.placements?.some((place) => place.memory === memory) ? map(memory, used, fit.placements) : "",
    ];
  });
  const buffers = doc.cores?.[0]?.buffers ?? {};
  const fills = Object.entries(fit.buffer_peak_bytes).map(([name, peak]) => {
    const capacity = buffers[name]?.capacity_bytes;
    return [name, capacity ? peak / capacity : 0, colour(name), capacity ? `${si(peak, "B")} of ${si(capacity, "B")}` : si(peak, "B")];
  });
  refill(box, memories,
    html("div", { class: "columns" },
      html("div", {}, html("h3", {}, "Contents"), bars([
        ["weights", fit.weight_bytes, "var(--weights)", si(fit.weight_bytes, "B")],
        ["activations, at most", fit.peak_activation_bytes, "var(--inputs)", si(fit.peak_activation_bytes, "B")],
      ], Math.max(fit.weight_bytes, fit.peak_activation_bytes))),
      html("div", {}, html("h3", {}, "Buffers, filled at most"), bars(fills, 1, 1))),
  );
});
