/** What could be meant: commands and their words after "/", people after "@", channels after "#", emoji after ":". */

import { h } from "./dom.js";
import { emoji, EMOJI } from "./emoji.js";
import { avatar } from "./people.js";
import { state } from "./state.js";

const MOST = 8;

/**
 * @typedef {{kind: string, value: string, nodes: () => (Node|string|null)[]}} Completion
 */

/**
 * Return the completions of what stands before the caret; `value` is the whole text up to the caret afterwards.
 * @param {string} text
 * @param {number} caret
 * @returns {Completion[]}
 */
export function completions(text, caret) {
  const before = text.slice(0, caret);
  if (/^\/\S*$/.test(before)) return commands(before);
  if (before.startsWith("/")) return words(before);
  const found = /(^|\s)([@#:])([\w+-]*)$/.exec(before);
  if (!found) return [];
  const [, , sign, typed] = found;
  const start = before.slice(0, before.length - typed.length - 1);
  if (sign === "@") return people(start, typed.toLowerCase());
  if (sign === "#") return channels(start, typed.toLowerCase());
  return typed.length >= 2 ? emojis(start, typed.toLowerCase()) : [];
}

function commands(before) {
  return state.commands
    .filter((one) => one.command.startsWith(before))
    .map((one) => ({ kind: "Commands", value: `${one.command} `, nodes: () => [h("b", { text: one.command }), h("code", { text: one.usage_hint ?? "" }), h("span", { text: one.description ?? "" })] }));
}

/**
 * Return the words that a usage hint such as "status [model] | incidents | help" offers first, with what follows them.
 * A bar inside brackets ("report [day|week]") parts no words.
 */
export function verbsOf(hint) {
  const text = (hint ?? "").trim();
  const bare = /^[[(<{][^[(<{]*[\])>}]$/.test(text) ? text.slice(1, -1) : text;
  return bare
    .split(/\s*[|·](?![^[(<{]*[\])>}])\s*/)
    .map((part) => /^([a-z][\w-]*)\s*(.*)$/i.exec(part.trim()))
    .filter(Boolean)
    .map(([, verb, rest]) => ({ verb, rest }));
}

function words(before) {
  const [name, ...typed] = before.split(/\s+/);
  const command = state.commands.find((one) => one.command === name);
  if (!command || typed.length !== 1) return [];
  return verbsOf(command.usage_hint)
    .filter(({ verb }) => verb.startsWith(typed[0]) && verb !== typed[0])
    .map(({ verb, rest }) => ({ kind: `${name} — ${command.description ?? ""}`, value: `${name} ${verb} `, nodes: () => [h("b", { text: `${name} ${verb}` }), h("code", { text: rest })] }));
}

function people(start, typed) {
  const fits = (u) => u.name.toLowerCase().startsWith(typed) || (u.real_name ?? "").toLowerCase().includes(typed);
  const users = [...state.users.values()].filter(fits).map((u) => ({ kind: "People", value: `${start}@${u.name} `, nodes: () => [avatar(u.id, 22), h("b", { text: u.real_name || u.name }), h("span", { text: u.title || `@${u.name}` })] }));
  const groups = [...state.groups.values()].filter((g) => g.handle.startsWith(typed)).map((g) => ({ kind: "People", value: `${start}@${g.handle} `, nodes: () => [h("b", { text: `@${g.handle}` }), h("span", { text: g.name })] }));
  return [...users, ...groups].slice(0, MOST);
}

function channels(start, typed) {
  return [...state.channels.values()]
    .filter((c) => !c.is_im && c.name.startsWith(typed))
    .slice(0, MOST)
    .map((c) => ({ kind: "Channels", value: `${start}#${c.name} `, nodes: () => [h("b", { text: `#${c.name}` }), h("span", { text: c.topic ?? "" })] }));
}

function emojis(start, typed) {
  return [...EMOJI.keys()]
    .filter((name) => name.includes(typed))
    .sort((a, b) => a.indexOf(typed) - b.indexOf(typed))
    .slice(0, MOST)
    .map((name) => ({ kind: "Emoji", value: `${start}:${name}: `, nodes: () => [emoji(name), h("span", { text: `:${name}:` })] }));
}
