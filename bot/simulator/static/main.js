/** The front door of the page: who acts, what is open, and a fresh start after every gap. */

import "./theme.js";
import "./banner.js";
import { get } from "./api.js";
import { restoreLog } from "./callog.js";
import { composer, showChannel } from "./channel.js";
import { notice } from "./dialogs.js";
import { byId, h, icon } from "./dom.js";
import { showHome } from "./home.js";
import { listen } from "./live.js";
import { closeMenu } from "./menus.js";
import { closeAll, restoreViews } from "./modal.js";
import { emit, on, state, take } from "./state.js";
import { closeThread, showThread } from "./thread.js";
import { ago } from "./times.js";
import { drawSidebar } from "./sidebar.js";

const ME = "simulator.me";
const CHANNEL = "simulator.channel";
const AGO_MS = 30_000;

/** Return who acted last: the address says so, else this browser remembers; empty means whoever comes first. */
function remembered() {
  return new URLSearchParams(location.search).get("user") ?? localStorage.getItem(ME) ?? "";
}

async function stateOf(user) {
  try {
    return await get("state", { user });
  } catch (problem) {
    // Remembered from another workspace: begin with the first person of this one.
    if (user) return get("state", { user: "" });
    throw problem;
  }
}

/** Become this person: what only others may see goes at once. */
async function actAs(user) {
  closeMenu();
  closeAll();
  const { me } = await stateOf(user);
  localStorage.setItem(ME, me.id);
  await listen(me.id);
  await draw(me.id);
}

/** Show everything as it is now, for this person. */
async function draw(user) {
  take(await get("state", { user }));
  route();
  if (state.thread) showThread(state.thread.channel, state.thread.ts);
  restoreViews();
}

/** Show what the address names: "#/C123", or "#/home". */
function route() {
  const name = decodeURIComponent(location.hash.slice(2));
  const home = name === "home";
  const known = state.channels.has(name) ? name : first();
  if (!home && state.open.channel !== known && state.thread) closeThread();
  state.open = { kind: home ? "home" : "channel", channel: home ? state.open.channel || first() : known };
  if (home && state.thread) closeThread();
  document.body.classList.toggle("at-home", home);
  byId("home").hidden = !home;
  byId("talk").hidden = home;
  for (const tab of ["home", "messages"]) byId(`tab-${tab}`).setAttribute("aria-selected", String((tab === "home") === home));
  drawSidebar();
  if (home) return showHome();
  localStorage.setItem(CHANNEL, known);
  return showChannel();
}

function first() {
  const kept = localStorage.getItem(CHANNEL) ?? "";
  if (state.channels.has(kept)) return kept;
  const all = [...state.channels.values()].filter((c) => !c.is_im && c.is_member !== false);
  return [...all].sort((a, b) => String(b.last_ts ?? "").localeCompare(String(a.last_ts ?? "")))[0]?.id ?? [...state.channels.keys()][0] ?? "";
}

on("act-as", (user) => actAs(user).catch((problem) => notice(problem.message)));
on("live:back", () => draw(state.me.id).catch((problem) => notice(problem.message)));
on("live:state", (connected) => {
  byId("offline").hidden = connected;
});
addEventListener("hashchange", () => {
  route();
  composer.focus();
});

byId("menu").append(icon("menu", 22));
byId("menu").addEventListener("click", () => document.body.classList.toggle("with-sidebar"));
byId("veil").addEventListener("click", () => document.body.classList.remove("with-sidebar"));
byId("tab-home").addEventListener("click", () => (location.hash = "#/home"));
byId("tab-messages").addEventListener("click", () => {
  const direct = [...state.channels.values()].find((channel) => channel.is_im);
  if (direct) location.hash = `#/${encodeURIComponent(direct.id)}`;
});
for (const node of document.querySelectorAll("[data-icon]")) node.append(icon(node.getAttribute("data-icon"), Number(node.getAttribute("data-icon-size") ?? 20)));
addEventListener("keydown", (event) => {
  if (event.key === "Escape") document.body.classList.remove("with-sidebar");
});

// "2 minutes ago" ages while one looks at it.
setInterval(() => {
  for (const node of document.querySelectorAll("[data-ago]")) node.textContent = node.getAttribute("data-ago-words") + ago(new Date(Number(node.getAttribute("data-ago"))));
}, AGO_MS);

actAs(remembered())
  .then(() => {
    restoreLog();
    composer.focus();
    document.body.classList.add("ready");
    emit("ready");
  })
  .catch((problem) => byId("messages").replaceChildren(h("p", { class: "fatal", role: "alert", text: `The page cannot start: ${problem.message}` })));
