// Performance over intensity, both logarithmic.

function drawRoofline() {
  const box = byId("roofline-chart"),
    width = box.clientWidth,
    height = 340,
    { roofline } = run();
  if (!width) return;
  const [left, right, top, bottom] = [64, 12, 14, 40];
  const points = roofline.points.filter((point) => point.macs_per_s > 0);
  if (!points.length) {
    box.replaceChildren(html("p", { class: "hint" }, "No layer has MACs and traffic."));
    return;
  }
  const peak = roofline.peak_macs_per_s,
    bandwidth = roofline.peak_bytes_per_s,
    ridge = peak && bandwidth ? peak / bandwidth : null;
  const range = (values) => {
    const logs = values.filter((value) => value > 0).map(Math.log10);
    return [Math.floor(Math.min(...logs) * 2 - 0.4) / 2, Math.ceil(Math.max(...logs) * 2 + 0.4) / 2];
  };
  const [x0, x1] = range([...points.map((point) => point.macs_per_byte), ridge]);
  const [y0, y1] = range([...points.map((point) => point.macs_per_s), peak]);
  const x = (value) => left + ((Math.log10(value) - x0) / (x1 - x0)) * (width - left - right);
  const y = (value) => height - bottom - ((Math.log10(value) - y0) / (y1 - y0)) * (height - top - bottom);
  const nodes = [];
  for (let power = Math.ceil(x0); power <= x1; power++) {
    nodes.push(
      svg("line", { class: "grid", x1: x(10 ** power), x2: x(10 ** power), y1: top, y2: height - bottom }),
      text(x(10 ** power), height - bottom + 16, si(10 ** power, ""), { "text-anchor": "middle" }),
    );
  }
  for (let power = Math.ceil(y0); power <= y1; power++) {
    nodes.push(
      svg("line", { class: "grid", x1: left, x2: width - right, y1: y(10 ** power), y2: y(10 ** power) }),
      text(left - 8, y(10 ** power) + 4, si(10 ** power, "MAC/s"), { "text-anchor": "end" }),
    );
  }
  nodes.push(
    text(left + (width - left - right) / 2, height - 6, "dense MACs per byte of traffic", { "text-anchor": "middle" }),
  );
  if (peak) {
    const from = ridge ? Math.max(10 ** x0, ridge) : 10 ** x0;
    if (from < 10 ** x1)
      nodes.push(svg("line", { class: "roof", x1: x(from), x2: x(10 ** x1), y1: y(peak), y2: y(peak) }));
    nodes.push(
      text(width - right, y(peak) - 6, `all PEs: ${si(peak, "MAC/s")}`, { "text-anchor": "end", class: "strong" }),
    );
  }
  if (bandwidth) {
    const low = Math.max(10 ** x0, 10 ** y0 / bandwidth),
      high = Math.min(ridge ?? 10 ** x1, 10 ** x1);
    if (low < high) {
      nodes.push(
        svg("line", { class: "roof", x1: x(low), y1: y(low * bandwidth), x2: x(high), y2: y(high * bandwidth) }),
      );
      const angle = (Math.atan2(y(high * bandwidth) - y(low * bandwidth), x(high) - x(low)) * 180) / Math.PI;
      const [tx, ty] = [x(low) + 10, y(low * bandwidth) - 16];
      nodes.push(
        text(tx, ty, `DRAM: ${si(bandwidth, "B/s")}`, { class: "strong", transform: `rotate(${angle} ${tx} ${ty})` }),
      );
    }
  }
  const total = run().document.latency_s;
  const circles = new Map(
    [...points]
      .sort((a, b) => timeOf(layers()[b.layer]) - timeOf(layers()[a.layer]))
      .map((point) => {
        const layer = layers()[point.layer],
          cause = mainCause(layer);
        return [
          point.layer,
          svg("circle", {
            class: "dot",
            cx: x(point.macs_per_byte),
            cy: y(point.macs_per_s),
            r: clamp(44 * Math.sqrt(timeOf(layer) / total), 3, 26),
            style: `fill:${colour(cause)}`,
            "data-layer": point.layer,
            "data-dim": state.cause && state.cause !== cause,
            onmousemove: (event) =>
              showTip(event, layer.name, [
                ["intensity", `${point.macs_per_byte.toPrecision(3)} MAC/B`],
                ["performance", si(point.macs_per_s, "MAC/s")],
                ...(peak ? [["of all PEs", percent(point.macs_per_s, peak)]] : []),
                ["bound by", ridge ? (point.macs_per_byte < ridge ? "bandwidth" : "computation") : "unknown"],
                ["most of its time", label(cause), colour(cause)],
              ]),
            onmouseleave: hideTip,
            onclick: () => set("layer", point.layer),
          }),
        ];
      }),
  );
  drawRoofline.place = () => circles.forEach((circle, index) => circle.classList.toggle("on", index === state.layer));
  const order = points
    .map((point) => point.layer)
    .sort((a, b) => Number(circles.get(a).getAttribute("cx")) - Number(circles.get(b).getAttribute("cx")));
  const focused = box.contains(document.activeElement);
  box.replaceChildren(
    svg(
      "svg",
      {
        height,
        tabindex: 0,
        role: "application",
        "aria-roledescription": "chart",
        onkeydown: layerKeys(() => order),
        "aria-label": `Roofline of ${points.length} layers; ceilings ${peak ? si(peak, "MAC/s") : "unknown"} and ${bandwidth ? si(bandwidth, "B/s") : "unknown"}. Arrow keys go from point to point, by intensity.`,
      },
      nodes,
      [...circles.values()],
    ),
  );
  drawRoofline.place();
  if (focused) box.firstChild.focus({ preventScroll: true });
}

watch("run cause", drawRoofline);
watch("layer", () => drawRoofline.place?.());
onWidth(byId("roofline-chart"), drawRoofline);
