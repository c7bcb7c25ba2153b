// What this page remembers: in localStorage ids and settings (the words of the turns are read from the server again), in sessionStorage the key.

const NAME = "scenewise.page.1";
const KEY = "scenewise.key";
const MOST_ENTRIES = 40;

const FRESH = () => ({
  user: `guest-${crypto.randomUUID().slice(0, 8)}`, owner: null, language: null, theme: "auto", conversation: newId(), entries: [],
  moment: { scene: "", device: "", time: "now", place: "", minutes: "" },
});

export function newId() {
  return crypto.randomUUID().replaceAll("-", "");
}

function load() {
  try {
    const kept = JSON.parse(localStorage.getItem(NAME) ?? "null");
    if (kept && Array.isArray(kept.entries)) return { ...FRESH(), ...kept, moment: { ...FRESH().moment, ...kept.moment } };
  } catch { /* unreadable or forbidden: begin anew */ }
  return FRESH();
}

export const state = load();

export function save() {
  const entries = state.entries.slice(-MOST_ENTRIES).map(({ id, kind, text, shown, once, turnId, note, settled }) => ({ id, kind, text, shown, once, turnId, note, settled }));
  try {
    localStorage.setItem(NAME, JSON.stringify({ ...state, entries }));
  } catch { /* full or forbidden: the page works, and forgets at reload */ }
}

export function beginConversation() {
  state.conversation = newId();
  state.entries = [];
  save();
}

export function key() {
  return sessionStorage.getItem(KEY) ?? "";
}

export function setKey(value) {
  if (value) sessionStorage.setItem(KEY, value);
  else sessionStorage.removeItem(KEY);
}
