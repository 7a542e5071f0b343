/** The app's Home tab of the acting person. */

import { post } from "./api.js";
import { blocks } from "./blocks.js";
import { byId, h } from "./dom.js";
import { viewScope } from "./modal.js";
import { avatar } from "./people.js";
import { on, state } from "./state.js";

const pane = byId("home");

/** Ask the app for the Home tab and show it. */
export async function showHome() {
  const who = state.me?.id;
  byId("channel-name").replaceChildren(avatar(state.bot.user_id, 24), state.bot.name);
  byId("channel-topic").replaceChildren();
  byId("channel-members").hidden = true;
  byId("home-tabs").hidden = false;
  document.title = `${state.bot.name} Home · ${state.team.name} · Simulator`;
  pane.replaceChildren(h("div", { class: "home-inside" }, h("p", { class: "home-empty", text: "Opening…" })));
  const answer = await post("home", {});
  if (state.me?.id === who && state.open.kind === "home") draw(answer.view);
}

function draw(view) {
  const inside = view ? blocks(view.blocks, viewScope(view)) : [h("p", { class: "home-empty" }, h("b", { text: "Nothing here yet" }), h("span", { text: ` ${state.bot.name} has not published a Home tab for you.` }))];
  const scroll = pane.scrollTop;
  pane.replaceChildren(h("div", { class: "home-inside" }, inside));
  pane.scrollTop = scroll;
}

on("live:home", ({ view }) => {
  if (state.open.kind === "home") draw(view);
});
