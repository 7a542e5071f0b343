/** The page's side of the simulator's own API (`/ui/…`). Every answer is JSON; trouble becomes {ok: false, text}. */

import { heardAfter } from "./live.js";
import { state } from "./state.js";

const UNREACHABLE = "The simulator does not answer. Is it still running?";

/** Ask for something; throws when the simulator is gone or refuses. What happens meanwhile is heard after the answer. */
export function get(path, query = {}) {
  return heardAfter(ask(path, query));
}

async function ask(path, query) {
  const asked = new URLSearchParams({ user: state.me?.id ?? "", ...query });
  for (const [key, value] of [...asked]) if (value === "") asked.delete(key);
  const answer = await fetch(`/ui/${path}?${asked}`);
  const told = await answer.json().catch(() => null);
  if (!answer.ok || told === null) throw new Error(told?.text ?? `The simulator answered ${answer.status}.`);
  return told;
}

/** Do something as the acting person; never throws. */
export async function post(path, body) {
  try {
    const answer = await fetch(`/ui/${path}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-Simulator-Page": "1" },
      body: JSON.stringify({ user: state.me?.id, ...body }),
    });
    const told = await answer.json().catch(() => null);
    if (told && typeof told === "object") return { ok: answer.ok, ...told };
    return { ok: false, error: "no_json", text: `The simulator answered ${answer.status}.` };
  } catch {
    return { ok: false, error: "unreachable", text: UNREACHABLE };
  }
}
