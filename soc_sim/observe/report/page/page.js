// Which run is shown, and the theme.

const THEMES = ["system", "light", "dark"];

function showTheme(theme) {
  const root = document.documentElement;
  if (theme === "system") delete root.dataset.theme;
  else root.dataset.theme = theme;
  byId("theme").textContent = `Theme: ${theme}`;
  byId("theme").dataset.theme = theme;
  set("theme", `${theme} ${matchMedia("(prefers-color-scheme: dark)").matches}`);
}
byId("theme").addEventListener("click", () =>
  showTheme(THEMES[(THEMES.indexOf(byId("theme").dataset.theme) + 1) % THEMES.length]),
);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => showTheme(byId("theme").dataset.theme));
showTheme("system");

const choices = [...document.querySelectorAll(".runs button")];

function showRun(index) {
  set("layer", null);
  for (const part of document.querySelectorAll(".of-run")) part.hidden = Number(part.dataset.run) !== index;
  choices.forEach((button, at) => {
    button.setAttribute("aria-checked", String(at === index));
    button.tabIndex = at === index ? 0 : -1;
  });
  set("run", index);
}
choices.forEach((button, index) => {
  button.addEventListener("click", () => showRun(index));
  button.addEventListener("keydown", (event) => {
    const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    const to = (index + by + choices.length) % choices.length;
    showRun(to);
    choices[to].focus();
  });
});

// For the console of the browser, and for tests.
window.soc_sim = { data: DATA, state, set, timeline, showTheme };
