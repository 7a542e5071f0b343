/** Light or dark: as the system says until somebody chooses. */

import { byId, icon } from "./dom.js";

const KEPT = "simulator.theme";
const system = matchMedia("(prefers-color-scheme: dark)");

function now() {
  return localStorage.getItem(KEPT) ?? (system.matches ? "dark" : "light");
}

function draw() {
  const theme = now();
  document.documentElement.setAttribute("data-theme", theme);
  const other = theme === "dark" ? "light" : "dark";
  byId("theme").replaceChildren(icon(theme === "dark" ? "sun" : "moon", 20));
  byId("theme").setAttribute("aria-label", `Switch to ${other} theme`);
  byId("theme").title = `Switch to ${other} theme`;
}

byId("theme").addEventListener("click", () => {
  localStorage.setItem(KEPT, now() === "dark" ? "light" : "dark");
  draw();
});
system.addEventListener("change", draw);
draw();
