// The server's routes, and how each way of failing is told apart.

import { key, newId, state } from "./state.js";

// `kind`: "dropped" (no or half an answer), "key" (401), "busy" (come back in `afterS`), "refused" (the server says why).
export class Failure extends Error {
  constructor(kind, message, { status = 0, afterS = 0 } = {}) {
    super(message);
    Object.assign(this, { kind, status, afterS });
  }
}

export const who = { user_id: null, scopes: [], keys: false, llm: null };

export function userId() {
  return who.user_id ?? state.user;
}

function headers(more) {
  const known = { "Content-Type": "application/json", ...more };
  if (key()) known.Authorization = `Bearer ${key()}`;
  if (!who.user_id) known["X-Scenewise-User"] = encodeURIComponent(state.user);
  return known;
}

async function ask(method, path, { body, more, signal } = {}) {
  let answer;
  try {
    answer = await fetch(path, { method, headers: headers(more), body: body === undefined ? undefined : JSON.stringify(body), signal, cache: "no-store", credentials: "omit" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Failure("dropped", String(error.message));
  }
  if (answer.ok) return answer;
  const told = await answer.json().catch(() => null);
  const message = told?.error?.message ?? `${answer.status}`;
  const afterS = Number(answer.headers.get("Retry-After")) || 2;
  const kind = answer.status === 401 ? "key" : [409, 429, 503].includes(answer.status) ? "busy" : "refused";
  throw new Failure(kind, message, { status: answer.status, afterS });
}

async function json(method, path, rest) {
  const answer = await ask(method, path, rest);
  try {
    return await answer.json();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Failure("dropped", String(error.message));
  }
}

const part = encodeURIComponent;
const itemPath = (id) => id.split("/").map(part).join("/");
const user = () => `/v1/users/${part(userId())}`;
// A write that is sent again under its own key is done once.
const write = (method, path, body) => json(method, path, { body, more: { "Idempotency-Key": newId() } });

export const me = () => json("GET", "/v1/me");
export const scenes = () => json("GET", "/v1/scenes").then((told) => told.scenes);
export const turn = (id) => json("GET", `/v1/turns/${part(id)}`);
export const graph = (id, limit) => json("GET", `/v1/graph/items/${itemPath(id)}?depth=2&limit=${limit}`);
export const profile = () => json("GET", user());
export const editProfile = (action, attribute, value) => write("POST", `${user()}/profile`, { action, attribute, value });
export const lockTaste = (attribute, value, locked) => write("PUT", `${user()}/profile/lock`, { attribute, value, locked });
export const exportUser = () => json("GET", `${user()}/export`);
export const forgetUser = () => write("DELETE", user());
export const tell = (itemId, kind, moment) => write("POST", "/v1/events", { user_id: userId(), item_id: itemId, kind, moment });
export const recommend = (body, signal) => json("POST", "/v1/recommend", { body: { ...body, user_id: userId() }, signal });

const items = new Map();
export function item(id) {
  if (!items.has(id)) {
    const asked = json("GET", `/v1/items/${itemPath(id)}`);
    asked.catch(() => items.delete(id));
    items.set(id, asked);
  }
  return items.get(id);
}

// One turn of the conversation. `on.step(name)` and `on.words(text)` as they come; the turn's record is returned. `once` names this
// message: sent again, it is answered with the turn that was kept.
export async function chat(text, metadata, once, on, signal) {
  const body = { model: "scenewise", stream: true, messages: [{ role: "user", content: text }], metadata: { ...metadata, user_id: userId() } };
  const answer = await ask("POST", "/v1/chat/completions", { body, more: { "Idempotency-Key": once }, signal });
  let record = null;
  for await (const data of events(answer.body)) {
    if (data === "[DONE]") {
      if (record) return record;
      break;
    }
    const told = JSON.parse(data);
    if (told.error) throw new Failure("refused", told.error.message);
    if (told.scenewise?.step) on.step(told.scenewise.step.name);
    if (told.scenewise?.turn_id) record = told.scenewise;
    const words = told.choices?.[0]?.delta?.content;
    if (words) on.words(words);
  }
  throw new Failure("dropped", "the stream ended early");
}

async function* events(stream) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    let got;
    try {
      got = await reader.read();
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new Failure("dropped", String(error.message));
    }
    if (got.done) return;
    const parts = (rest + got.value).split("\n\n");
    rest = parts.pop();
    for (const one of parts) if (one.startsWith("data: ")) yield one.slice(6);
  }
}
