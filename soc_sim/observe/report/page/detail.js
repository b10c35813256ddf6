// The panel with everything about the selected layer.

const detail = { from: null };

const pairs = (rows) =>
  html(
    "dl",
    {},
    rows
      .filter(([, value]) => value !== null && value !== undefined && value !== "")
      .map(([key, value]) => [html("dt", {}, key), html("dd", {}, value)]),
  );

/** Component, reason, time and cause of all waits, the longest first. */
function reasonsOf(byCause) {
  return Object.entries(byCause)
    .flatMap(([cause, byComponent]) =>
      Object.entries(byComponent).flatMap(([who, byReason]) =>
        Object.entries(byReason).map(([why, span]) => [who, why.replace(":", " by "), span, cause]),
      ),
    )
    .sort((a, b) => b[2] - a[2]);
}
/** Where operands lie, and why results lie where they do; stored results of old lack it. */
const residencyOf = ({ residency: at }) =>
  at
    ? [
        ["weights in", at.weights && plain(at.weights)],
        ["inputs from", at.inputs.map(plain).join(", ")],
        ["outputs to", at.outputs.map(plain).join(", ")],
        ["because", at.reason],
      ]
    : [];
const boundOf = ({ bound_by: bound }) =>
  bound ? `${bound.component}, ${plain(bound.reason).replace(":", " by ")} (${percent(bound.share, 1, 0)})` : null;

function drawDetail() {
  const panel = byId("detail"),
    all = layers();
  const opening = panel.hidden && state.layer !== null;
  panel.hidden = state.layer === null;
  document.body.classList.toggle("with-detail", !panel.hidden);
  if (panel.hidden) return;
  if (opening) detail.from = document.activeElement;
  const layer = all[state.layer],
    total = timeOf(layer),
    index = state.layer;
  const point = run().roofline.points.find((candidate) => candidate.layer === index);
  const step = (by, name, sign) =>
    html(
      "button",
      {
        type: "button",
        class: "quiet",
        "aria-label": name,
        title: name,
        disabled: !all[index + by],
        "data-step": by,
        onclick: () => {
          set("layer", clamp(index + by, 0, all.length - 1));
          panel.querySelector(`[data-step="${by}"]`)?.focus();
        },
      },
      sign,
    );
  const times = Object.entries(spans(layer)).filter(([, span]) => span > 0);
  const regrets = Object.entries(layer.regret ?? {}).filter(([, regret]) => regret !== null);
  const energies = Object.entries(layer.component_energy_j ?? {})
    .filter(([, joules]) => joules > 0)
    .sort((a, b) => b[1] - a[1])
    .slice(0, 6);
  const reasons = reasonsOf(layer.stall_reasons_s ?? {}).slice(0, 8);
  refill(
    panel,
    html(
      "header",
      {},
      html("h2", { id: "detail-title" }, layer.name),
      step(-1, "Layer before", "←"),
      step(1, "Layer after", "→"),
      html(
        "button",
        { type: "button", class: "quiet", "aria-label": "Close", title: "Close (Escape)", onclick: closeDetail },
        "✕",
      ),
    ),
    pairs([
      ["operator", layer.op],
      ["fused", (layer.operators ?? []).length > 1 ? layer.operators.join(", ") : null],
      ["runs on", layer.unit],
      ["M×K×N", shapeOf(layer)],
      ["MACs", layer.macs ? si(layer.macs, "") : null],
      ["executed", layer.macs && layer.macs_executed !== layer.macs ? si(layer.macs_executed, "") : null],
      ["bound by", boundOf(layer)],
      ["dataflow", layer.dataflow],
      ["cycles of the array", layer.compute_cycles ? layer.compute_cycles.toLocaleString("en") : null],
      ["utilisation", layer.macs ? percent(utilisationOf(layer) ?? 0, 1) : null],
    ]),
    html("h3", {}, `Time: ${si(total, "s")}, ${percent(total, run().document.latency_s)} of the run`),
    bars(
      times.map(([cause, span]) => [label(cause), span, colour(cause), si(span, "s", 3)]),
      Math.max(...times.map(([, span]) => span), 0),
      total,
    ),
    reasons.length
      ? [
          html("h3", {}, "Why it waited"),
          bars(
            reasons.map(([who, why, span, cause]) => [`${who}: ${why}`, span, colour(cause), si(span, "s", 3)]),
            reasons[0][2],
            total,
          ),
        ]
      : "",
    regrets.length
      ? [
          html("h3", {}, "Expected latency by dataflow, relative to the chosen one"),
          bars(
            regrets.map(([flow, regret]) => [
              `${flow}${flow === layer.dataflow ? " ●" : ""}`,
              regret,
              flow === layer.dataflow ? "var(--accent)" : "var(--idle)",
              `${regret.toFixed(3)}×`,
            ]),
            Math.max(...regrets.map(([, regret]) => regret)),
          ),
        ]
      : "",
    energies.length
      ? [
          html("h3", {}, `Energy: ${layer.energy_j === null ? "known in part" : si(layer.energy_j, "J")}`),
          bars(
            energies.map(([name, joules]) => [plain(name), joules, colour(name), si(joules, "J", 3)]),
            energies[0][1],
            sum(energies.map(([, joules]) => joules)),
          ),
        ]
      : "",
    html("h3", {}, "Traffic and storage"),
    pairs([
      ["DRAM read", si(layer.dram_read_bytes, "B")],
      ["DRAM written", si(layer.dram_write_bytes, "B")],
      ["weight memory read", layer.weight_memory_read_bytes ? si(layer.weight_memory_read_bytes, "B") : null],
      [
        "weights stored",
        layer.weight_bytes
          ? `${si(layer.weight_bytes, "B")}${layer.weight_format ? `, ${layer.weight_format}` : ""}`
          : null,
      ],
      ["metadata", layer.metadata_bytes ? si(layer.metadata_bytes, "B") : null],
      ["zeros", layer.sparsity ? percent(layer.sparsity, 1) : null],
      ...residencyOf(layer),
      ["intensity", point ? `${point.macs_per_byte.toPrecision(3)} MAC/B` : null],
      ["energy", energies.length ? null : layer.energy_j === null ? "unknown" : si(layer.energy_j, "J")],
      ["from first load", si(layer.start_s, "s", 6)],
      ["to last store", si(layer.end_s, "s", 6)],
    ]),
    html(
      "div",
      { class: "go" },
      html(
        "button",
        {
          type: "button",
          onclick: () => {
            showInTimeline(index);
            byId("timeline").scrollIntoView();
          },
        },
        "Show in timeline",
      ),
      html(
        "button",
        {
          type: "button",
          onclick: () =>
            document.querySelector(`#table-body tr[data-layer="${index}"]`)?.scrollIntoView({ block: "center" }),
        },
        "Show in table",
      ),
    ),
  );
}

function closeDetail() {
  set("layer", null);
  if (detail.from?.isConnected) detail.from.focus({ preventScroll: true });
}

addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  hideTip();
  if (state.layer !== null) closeDetail();
  else set("cause", null);
});
watch("run layer", drawDetail);
