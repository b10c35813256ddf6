// The table of layers: sortable, with a filter.

const table = { key: null, descending: false, filter: "" };

const COLUMNS = [
  { title: "layer", text: true, value: (layer) => layer.name },
  { title: "op", text: true, value: (layer) => layer.op },
  { title: "flow", text: true, value: (layer) => layer.dataflow ?? "host" },
  { title: "M×K×N", text: true, value: (layer) => layer.macs, show: shapeOf },
  { title: "MACs", value: (layer) => layer.macs, show: (layer) => (layer.macs ? si(layer.macs, "") : "") },
  { title: "time", value: timeOf, show: (layer) => si(timeOf(layer), "s") },
  {
    title: "time %",
    value: timeOf,
    show: (layer) => percent(timeOf(layer), run().document.latency_s).replace(" %", ""),
  },
  {
    title: "util %",
    value: (layer) => utilisationOf(layer) ?? -1,
    show: (layer) => (layer.macs ? percent(utilisationOf(layer) ?? 0, 1).replace(" %", "") : ""),
  },
  { title: "where it went", text: true, value: (layer) => layer.busy_s / (timeOf(layer) || 1), show: mini },
  { title: "DRAM read", value: (layer) => layer.dram_read_bytes, show: (layer) => si(layer.dram_read_bytes, "B") },
  { title: "DRAM write", value: (layer) => layer.dram_write_bytes, show: (layer) => si(layer.dram_write_bytes, "B") },
  {
    title: "energy",
    value: (layer) => layer.energy_j ?? -1,
    show: (layer) => (layer.energy_j === null ? "" : si(layer.energy_j, "J")),
    needs: () => layers().some((layer) => layer.energy_j !== null),
  },
  {
    title: "zeros %",
    value: (layer) => layer.sparsity ?? -1,
    show: (layer) => (layer.sparsity ? percent(layer.sparsity, 1).replace(" %", "") : ""),
    needs: () => layers().some((layer) => layer.sparsity),
  },
];

function mini(layer) {
  const total = timeOf(layer),
    words = Object.entries(spans(layer))
      .filter(([, span]) => span > 0)
      .map(([cause, span]) => `${label(cause)} ${percent(span, total)}`);
  return html(
    "span",
    { class: "mini", role: "img", "aria-label": words.join(", ") || "no time" },
    Object.entries(spans(layer))
      .filter(([, span]) => span > 0)
      .map(([cause, span]) =>
        html("i", { style: `width:${((100 * span) / total).toFixed(2)}%;background:${colour(cause)}` }),
      ),
  );
}

function drawTable() {
  const shown = COLUMNS.filter((column) => column.needs?.() ?? true),
    words = table.filter.toLowerCase().split(/\s+/).filter(Boolean);
  const order = [...layers().keys()].filter((index) => {
    const layer = layers()[index],
      hay = `${layer.name} ${layer.op} ${layer.dataflow ?? "host"} ${(layer.operators ?? []).join(" ")}`.toLowerCase();
    return words.every((word) => hay.includes(word));
  });
  const by = shown.find((column) => column.title === table.key);
  if (by) {
    const sign = table.descending ? -1 : 1;
    const values = new Map(order.map((index) => [index, by.value(layers()[index])]));
    order.sort((a, b) => sign * (values.get(a) < values.get(b) ? -1 : values.get(a) > values.get(b) ? 1 : 0) || a - b);
  }
  const head = html(
    "tr",
    {},
    shown.map((column) =>
      html(
        "th",
        {
          scope: "col",
          class: column.text ? "text" : null,
          "aria-sort": column === by ? (table.descending ? "descending" : "ascending") : null,
        },
        html("button", { type: "button", "data-column": column.title, onclick: () => sortBy(column) }, column.title),
      ),
    ),
  );
  const body = order.map((index) =>
    html(
      "tr",
      { "data-layer": index, onclick: () => set("layer", index) },
      shown.map((column, position) => {
        const layer = layers()[index],
          cell = (column.show ?? column.value)(layer);
        return html(
          "td",
          { class: column.text ? "text" : null },
          position ? cell : html("button", { type: "button", class: "name", title: layer.name }, cell),
        );
      }),
    ),
  );
  byId("table-body").replaceChildren(html("table", {}, html("thead", {}, head), html("tbody", {}, body)));
  byId("filtered").textContent =
    order.length === layers().length ? `${order.length} layers` : `${order.length} of ${layers().length} layers`;
  markRow();
}

/** First by the natural direction of the column, then the other way, then in the order of the network again. */
function sortBy(column) {
  const natural = !column.text;
  if (table.key !== column.title) Object.assign(table, { key: column.title, descending: natural });
  else if (table.descending === natural) table.descending = !natural;
  else table.key = null;
  drawTable();
  document.querySelector(`#table-body [data-column="${column.title}"]`).focus({ preventScroll: true });
}

function markRow() {
  for (const row of document.querySelectorAll("#table-body tr.on")) row.classList.remove("on");
  if (state.layer !== null) document.querySelector(`#table-body tr[data-layer="${state.layer}"]`)?.classList.add("on");
}

watch("run", drawTable);
watch("layer", markRow);
byId("filter").addEventListener("input", (event) => {
  table.filter = event.target.value;
  drawTable();
});
