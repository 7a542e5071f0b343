/** The live connection: events as they happen, none lost while an answer is on its way, a fresh start after every gap. */

import { emit } from "./state.js";

const FIRST_WAIT = 400;
const LONGEST_WAIT = 5000;

/** @type {WebSocket|null} */
let socket = null;
let wait = FIRST_WAIT;
let timer = 0;
let fetching = 0;
/** @type {any[]} what happened while an answer is on its way */
let held = [];

/**
 * Listen as this person; done once the simulator tells this page what happens, or cannot be reached. Only then is a snapshot
 * whole: what is said between an earlier one and the first event would be missed. After a lost connection the page is told to
 * refresh ("live:back") for the same reason.
 * @param {string} user
 */
export function listen(user) {
  hangUp();
  return new Promise((done) => connect(user, false, done));
}

/**
 * Hold back what happens while an answer is on its way, until whoever asked has drawn it: an event that overtakes the answer
 * would change a page that the answer then replaces.
 * @template T
 * @param {Promise<T>} answer
 */
export async function heardAfter(answer) {
  fetching += 1;
  try {
    return await answer;
  } finally {
    setTimeout(catchUp); // after the asker's next step, which draws
  }
}

function catchUp() {
  fetching -= 1;
  while (!fetching && held.length) tell(held.shift());
}

function connect(user, again, done) {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const mine = new WebSocket(`${scheme}://${location.host}/ui/live?user=${encodeURIComponent(user)}`);
  socket = mine;
  mine.addEventListener("message", (event) => {
    if (mine !== socket) return;
    const told = JSON.parse(event.data);
    if (told.type !== "joined") return heard(told);
    wait = FIRST_WAIT;
    emit("live:state", true);
    if (again) emit("live:back");
    done();
  });
  mine.addEventListener("close", () => {
    done();
    if (mine !== socket) return;
    emit("live:state", false);
    timer = setTimeout(() => connect(user, true, done), wait);
    wait = Math.min(wait * 2, LONGEST_WAIT);
  });
}

function heard(event) {
  if (fetching) held.push(event);
  else tell(event);
}

function tell(event) {
  emit(`live:${event.type}`, event);
}

function hangUp() {
  clearTimeout(timer);
  const old = socket;
  socket = null;
  held = [];
  old?.close();
}
