// The array's time as one bar, and the causes as a legend that singles one out everywhere.

function drawTime() {
  const doc = run().document,
    box = byId("time-bar"),
    width = box.clientWidth,
    total = sum(Object.values(doc.array_time_s));
  let x = 0;
  const parts = Object.entries(doc.array_time_s)
    .filter(([, span]) => span > 0)
    .map(([cause, span]) => {
      const from = x,
        wide = (width * span) / total;
      x += wide;
      return svg("rect", {
        x: from,
        y: 0,
        width: Math.max(0.5, wide - (wide > 4 ? 1 : 0)),
        height: 28,
        style: `fill:${colour(cause)}`,
        "data-dim": state.cause && state.cause !== cause,
        onmousemove: (event) =>
          showTip(event, label(cause), [
            ["time", si(span, "s")],
            ["share", percent(span, total, 2)],
          ]),
        onmouseleave: hideTip,
        onclick: () => set("cause", state.cause === cause ? null : cause),
      });
    });
  const words = Object.entries(doc.array_time_s)
    .filter(([, span]) => span)
    .map(([cause, span]) => `${label(cause)} ${percent(span, total)}`);
  box.replaceChildren(
    svg("svg", { height: 28, role: "img", "aria-label": `Time of the array: ${words.join(", ")}` }, parts),
  );
}

function drawLegend() {
  const doc = run().document,
    total = sum(Object.values(doc.array_time_s));
  byId("causes").replaceChildren(
    ...causesOf(doc)
      .filter((cause) => doc.array_time_s[cause] > 0)
      .map((cause) =>
        html(
          "button",
          {
            type: "button",
            "aria-pressed": String(state.cause === cause),
            title: CAUSES[cause]?.text ?? "",
            "data-cause": cause,
            onclick: () => set("cause", state.cause === cause ? null : cause),
          },
          html("i", { class: "swatch", style: `background:${colour(cause)}` }),
          label(cause),
          html("span", { class: "share" }, percent(doc.array_time_s[cause], total, 2)),
        ),
      ),
  );
}

/** What each component did with its time; of many cores the first is shown, and the others are in the timeline. */
function drawComponents() {
  const all = Object.entries(run().document.component_time_s ?? {}).filter(([name]) => !/^core[1-9]/.test(name));
  byId("components").hidden = !all.length;
  refill(
    byId("components"),
    html("summary", {}, "All components"),
    html(
      "div",
      { class: "bars" },
      all.map(([name, spans]) => {
        const total = sum(Object.values(spans)),
          parts = Object.entries(spans).filter(([, span]) => span > 0);
        return [
          html("span", {}, name),
          html(
            "span",
            {
              class: "track",
              role: "img",
              "aria-label": parts.map(([cause, span]) => `${label(cause)} ${percent(span, total)}`).join(", "),
            },
            parts.map(([cause, span]) =>
              html("i", {
                style: `width:${(100 * span) / total}%;background:${cause === "busy" ? colour(name) : colour(cause)};${cause === "idle" ? "opacity:.25" : cause === "busy" ? "" : "opacity:.45"}`,
                onmouseleave: hideTip,
                onmousemove: (event) =>
                  showTip(event, name, [
                    [label(cause, name), si(span, "s")],
                    ["share", percent(span, total)],
                  ]),
              }),
            ),
          ),
          html("span", { class: "number" }, si(spans.busy ?? 0, "s")),
          html("span", { class: "part" }, percent(spans.busy ?? 0, total)),
        ];
      }),
    ),
    html(
      "p",
      { class: "hint" },
      "Full colour: at work, with the time and its share; pale: what it waited for; grey: idle.",
    ),
  );
}

/** Settings that were changed and simulated again (``run --bottlenecks``, ``--what-if``), where the result has them. */
function drawRemedies() {
  const asked = run().document.what_if,
    found = (run().document.bottlenecks ?? []).filter((entry) => entry.change);
  if (asked) found.push({ ...asked, component: "asked for", change: asked.set.join(", ") });
  byId("remedies").hidden = !found.length;
  if (!found.length) return;
  refill(
    byId("remedies"),
    html("h3", {}, "What a change would bring, each simulated"),
    html(
      "table",
      {},
      html(
        "thead",
        {},
        html(
          "tr",
          {},
          ["bound by", "of the time", "change", "latency"].map((title, index) =>
            html("th", { scope: "col", class: index % 2 ? null : "text" }, title),
          ),
        ),
      ),
      html(
        "tbody",
        {},
        found.map((entry) =>
          html(
            "tr",
            {},
            html(
              "td",
              { class: "text" },
              [entry.component, entry.reason?.replace(":", " by ").replaceAll("_", " ")].filter(Boolean).join(", "),
            ),
            html("td", {}, entry.share ? percent(entry.share, 1) : ""),
            html("td", { class: "text", title: entry.set.join("\n") }, entry.change),
            html(
              "td",
              {},
              `${si(entry.latency_s, "s")} `,
              html(
                "span",
                { class: entry.latency_change < 0 ? "better" : entry.latency_change > 0 ? "worse" : null },
                `${entry.latency_change > 0 ? "+" : entry.latency_change < 0 ? "−" : ""}${Math.abs(100 * entry.latency_change).toFixed(1)} %`,
              ),
            ),
          ),
        ),
      ),
    ),
  );
}

watch("run", () => {
  drawComponents();
  drawRemedies();
});
watch("run cause", () => {
  const pressed = document.activeElement?.dataset?.cause;
  drawTime();
  drawLegend();
  if (pressed) document.querySelector(`#causes [data-cause="${pressed}"]`)?.focus();
});
onWidth(byId("time-bar"), drawTime);
