/** What the page knows now, and who wants to hear when it changes. */

/**
 * @typedef {{id: string, name: string, real_name?: string, title?: string, color?: string, is_bot?: boolean}} User
 * @typedef {{id: string, name: string, topic?: string, is_im?: boolean, unread?: number, mention?: boolean}} Channel
 */

export const state = {
  /** @type {any} */ team: { name: "" },
  /** @type {User|null} */ me: null,
  /** @type {Map<string, User>} */ users: new Map(),
  /** @type {Map<string, any>} */ channels: new Map(),
  /** @type {Map<string, {id: string, handle: string, name: string}>} user groups */ groups: new Map(),
  /** @type {any} */ bot: { user_id: "", name: "", connected: false, transport: "none" },
  /** @type {any[]} */ commands: [],
  /** @type {any[]} */ shortcuts: [],
  /** @type {{kind: "channel"|"home", channel: string}} */ open: { kind: "channel", channel: "" },
  /** @type {{channel: string, ts: string}|null} */ thread: null,
};

/** @type {Map<string, Set<(detail: any) => void>>} */
const listeners = new Map();

/** Hear about a topic. */
export function on(topic, listener) {
  if (!listeners.has(topic)) listeners.set(topic, new Set());
  listeners.get(topic).add(listener);
}

/** Tell everybody who wanted to hear about a topic. */
export function emit(topic, detail) {
  for (const listener of listeners.get(topic) ?? []) listener(detail);
}

/** Take over what GET /ui/state told. */
export function take(told) {
  state.team = told.team;
  state.me = told.me;
  state.users = new Map(told.users.map((user) => [user.id, user]));
  state.channels = new Map(told.channels.map((channel) => [channel.id, channel]));
  state.bot = told.bot;
  state.commands = told.commands ?? [];
  state.shortcuts = told.shortcuts ?? [];
  state.groups = new Map((told.groups ?? []).map((group) => [group.id, group]));
  emit("state");
  emit("banner", told.banner);
}

/** Return the open channel, or undefined. */
export function openChannel() {
  return state.channels.get(state.open.channel);
}
