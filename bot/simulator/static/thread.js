/** The right: one thread, live, with a composer of its own. */

import { get } from "./api.js";
import { say } from "./channel.js";
import { Composer } from "./composer.js";
import { notice } from "./dialogs.js";
import { byId } from "./dom.js";
import { emit, on, openChannel, state } from "./state.js";
import { Timeline } from "./timeline.js";

const pane = byId("thread");
const timeline = new Timeline(byId("thread-messages"), { inThread: true });
const composer = new Composer(byId("thread-composer"), { send: (text) => say(text, state.thread?.ts), testid: "thread-composer" });
/** @type {Element|null} */
let cameFrom = null;

/** Open a thread. */
export async function showThread(channel, ts) {
  state.thread = { channel, ts };
  const who = state.me?.id;
  try {
    const told = await get(`threads/${encodeURIComponent(channel)}/${encodeURIComponent(ts)}`);
    if (state.thread?.ts !== ts || state.me?.id !== who) return;
    const hidden = pane.hidden;
    pane.hidden = false;
    document.body.classList.add("with-thread");
    byId("thread-place").textContent = openChannel()?.is_im ? openChannel().name : `#${openChannel()?.name ?? ""}`;
    composer.place("thread", `${channel}/${ts}`, "Reply…");
    timeline.show([told.root, ...told.replies]);
    if (hidden) {
      cameFrom = document.activeElement;
      composer.focus();
    }
    emit("thread");
  } catch (problem) {
    notice(problem.message);
    closeThread();
  }
}

/** Close the pane. */
export function closeThread() {
  state.thread = null;
  pane.hidden = true;
  document.body.classList.remove("with-thread");
  if (cameFrom instanceof HTMLElement && cameFrom.isConnected) cameFrom.focus();
  cameFrom = null;
  emit("thread");
}

function belongs(message) {
  const { channel, ts } = state.thread ?? {};
  return message.channel === channel && (message.ts === ts || message.thread_ts === ts);
}

byId("thread-close").addEventListener("click", closeThread);
pane.addEventListener("keydown", (event) => event.key === "Escape" && !event.defaultPrevented && closeThread());

on("open:thread", ({ channel, ts }) => showThread(channel, ts));
for (const topic of ["live:message", "live:changed", "live:ephemeral"]) {
  on(topic, (event) => {
    const message = event.message ?? event;
    if (state.thread && belongs(message)) timeline.put(message);
  });
}
on("live:deleted", ({ channel, ts }) => {
  if (state.thread?.channel !== channel) return;
  if (state.thread.ts === ts) closeThread();
  else timeline.remove(ts);
});
