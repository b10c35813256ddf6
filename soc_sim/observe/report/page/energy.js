// Energy by component, and the layers that cost most.

const plain = (name) => name.replaceAll("_", " ");

watch("run", () => {
  const doc = run().document,
    known = Object.entries(doc.energy ?? {}).filter(([, joules]) => joules !== null);
  const total = sum(known.map(([, joules]) => joules)),
    most = Math.max(...known.map(([, joules]) => joules), 0);
  const unknown = Object.keys(doc.energy ?? {}).filter((name) => doc.energy[name] === null);
  const rows = known
    .filter(([, joules]) => joules > 0)
    .sort((a, b) => b[1] - a[1])
    .map(([name, joules]) => [plain(name), joules, colour(name), si(joules, "J")]);
  const costly = [...layers().keys()]
    .filter((index) => layers()[index].energy_j)
    .sort((a, b) => layers()[b].energy_j - layers()[a].energy_j)
    .slice(0, 6);
  refill(
    byId("energy-chart"),
    html("h3", { style: "margin-top:0" }, "By component"),
    rows.length ? bars(rows, most, total) : html("p", { class: "hint" }, "Nothing is known of it."),
    doc.energy_range_j?.total
      ? html(
          "p",
          { class: "hint" },
          `By other published figures: ${si(doc.energy_range_j.total.low, "J")} to ${si(doc.energy_range_j.total.high, "J")} in all.`,
        )
      : "",
    unknown.length ? html("p", { class: "hint" }, `Unknown: ${unknown.map(plain).join(", ")}; there is no total.`) : "",
    costly.length ? html("h3", {}, "Layers that cost most") : "",
    costly.length
      ? bars(
          costly.map((index) => [
            html(
              "button",
              { type: "button", class: "quiet", style: "padding:0;color:inherit", onclick: () => set("layer", index) },
              layers()[index].name,
            ),
            layers()[index].energy_j,
            "var(--other)",
            si(layers()[index].energy_j, "J"),
          ]),
          layers()[costly[0]].energy_j,
          doc.energy_j,
        )
      : "",
  );
});
