/** The live connection: events as they happen, and a fresh start after every gap. */

import { emit } from "./state.js";

const FIRST_WAIT = 400;
const LONGEST_WAIT = 5000;

/** @type {WebSocket|null} */
let socket = null;
let wait = FIRST_WAIT;
let timer = 0;

/**
 * Listen as this person. After a lost connection the page is told to refresh ("live:back"), because what was
 * said in between was missed.
 * @param {string} user
 */
export function listen(user) {
  hangUp();
  connect(user, false);
}

function connect(user, again) {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const mine = new WebSocket(`${scheme}://${location.host}/ui/live?user=${encodeURIComponent(user)}`);
  socket = mine;
  mine.addEventListener("open", () => {
    wait = FIRST_WAIT;
    emit("live:state", true);
    if (again) emit("live:back");
  });
  mine.addEventListener("message", (event) => {
    if (mine === socket) heard(event.data);
  });
  mine.addEventListener("close", () => {
    if (mine !== socket) return;
    emit("live:state", false);
    timer = setTimeout(() => connect(user, true), wait);
    wait = Math.min(wait * 2, LONGEST_WAIT);
  });
}

function heard(data) {
  const event = JSON.parse(data);
  emit(`live:${event.type}`, event);
}

function hangUp() {
  clearTimeout(timer);
  const old = socket;
  socket = null;
  old?.close();
}
