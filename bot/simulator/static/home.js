/** The app's Home tab of the acting person. */

import { post } from "./api.js";
import { blocks } from "./blocks.js";
import { byId, h } from "./dom.js";
import { viewScope } from "./modal.js";
import { avatar } from "./people.js";
import { on, state } from "./state.js";

const pane = byId("home");
const PATIENCE_MS = 1200;
/** When the app last published; an answer that is older than that shows nothing. */
let published = 0;

/** Ask the app for the Home tab and show it. */
export async function showHome() {
  const who = state.me?.id;
  byId("channel-name").replaceChildren(avatar(state.bot.user_id, 24), state.bot.name);
  byId("channel-topic").replaceChildren();
  byId("channel-members").hidden = true;
  byId("home-tabs").hidden = false;
  document.title = `${state.bot.name} Home · ${state.team.name} · Simulator`;
  pane.replaceChildren(h("div", { class: "home-inside" }, h("p", { class: "home-empty", text: "Opening…" })));
  const asked = performance.now();
  const answer = await post("home", {});
  const here = () => state.me?.id === who && state.open.kind === "home" && published < asked;
  // The first visit is what makes the app publish: give it a moment before saying that there is nothing.
  if (!answer.view) await new Promise((resolve) => setTimeout(resolve, PATIENCE_MS));
  if (here()) draw(answer.view);
}

function draw(view) {
  const inside = view ? blocks(view.blocks, viewScope(view)) : [h("p", { class: "home-empty" }, h("b", { text: "Nothing here yet" }), h("span", { text: ` ${state.bot.name} has not published a Home tab for you.` }))];
  const scroll = pane.scrollTop;
  pane.replaceChildren(h("div", { class: "home-inside" }, inside));
  pane.scrollTop = scroll;
}

on("live:home", ({ view }) => {
  published = performance.now();
  if (state.open.kind === "home") draw(view);
});
