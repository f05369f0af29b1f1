(() => {
  "use strict";
  const charts = JSON.parse(document.getElementById("charts").textContent);
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const settings = { responsive: true, displaylogo: false, displayModeBar: false };
  const drawn = new Set();

  // Ink, grid and paper come from the style sheet, so that figures follow light and dark.
  const themed = (layout) => {
    const style = getComputedStyle(document.body);
    const colour = (name) => style.getPropertyValue(name).trim();
    const copy = structuredClone(layout);
    Object.assign(copy, {
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: style.fontFamily || "system-ui, sans-serif", size: 12, color: colour("--ink") },
      hoverlabel: { ...copy.hoverlabel, bgcolor: colour("--card"), bordercolor: colour("--line"), font: { color: colour("--ink") } },
    });
    for (const key of Object.keys(copy).filter((name) => /^[xy]axis\d*$/.test(name))) {
      copy[key] = {
        gridcolor: colour("--line"), zerolinecolor: colour("--line"), linecolor: colour("--line"),
        automargin: true, ...copy[key],
      };
    }
    return copy;
  };

  const draw = (place) => {
    const chart = charts[place.dataset.chart];
    if (!chart || place.offsetParent === null) return;
    drawn.add(place);
    Plotly.react(place, structuredClone(chart.data), themed(chart.layout), settings);
  };
  const places = [...document.querySelectorAll("[data-chart]")];
  const drawVisible = () => places.filter((place) => !drawn.has(place)).forEach(draw);

  const show = (tab) => {
    const tabs = [...tab.parentElement.querySelectorAll("[role=tab]")];
    for (const other of tabs) {
      const chosen = other === tab;
      other.setAttribute("aria-selected", String(chosen));
      other.tabIndex = chosen ? 0 : -1;
      document.getElementById(other.getAttribute("aria-controls")).hidden = !chosen;
    }
    drawVisible();
  };
  for (const list of document.querySelectorAll("[role=tablist]")) {
    list.addEventListener("click", (event) => event.target.role === "tab" && show(event.target));
    list.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      const tabs = [...list.querySelectorAll("[role=tab]")];
      const next = tabs[(tabs.indexOf(document.activeElement) + step + tabs.length) % tabs.length];
      next.focus();
      show(next);
    });
  }
  document.addEventListener("toggle", drawVisible, true);
  dark.addEventListener("change", () => [...drawn].forEach(draw));
  drawVisible();
})();
