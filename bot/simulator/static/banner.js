/** The narrator's line above everything: the demo tells its story there. */

import { byId } from "./dom.js";
import { withEmoji } from "./emoji.js";
import { on } from "./state.js";

const banner = byId("banner");

function draw(told) {
  banner.hidden = !told?.text;
  if (!told?.text) return;
  byId("banner-text").replaceChildren(...withEmoji(told.text));
  const share = Math.round(100 * Math.min(1, Math.max(0, Number(told.progress) || 0)));
  byId("banner-bar").style.setProperty("--share", `${share}%`);
  byId("banner-bar").setAttribute("aria-valuenow", String(share));
}

on("banner", draw);
on("live:banner", draw);
