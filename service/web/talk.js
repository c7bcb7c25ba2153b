// The conversation: entries, how one is sent, sent again, stopped, restored. Nothing is drawn here; `changed(entry)` says what is new.

import * as api from "./api.js";
import { moment } from "./moment.js";
import { beginConversation, newId, save, state } from "./state.js";

const TRIES = 5;
const WISHES = new Set(["recommend", "anything", "shorter", "longer", "cheaper", "newer", "older"]);

export class Talk {
  constructor({ changed, greet, needKey }) {
    Object.assign(this, { changed, greet, needKey, selected: null, ranking: null, owed: false });
  }

  get running() {
    return state.entries.find((entry) => entry.controller) ?? null;
  }

  get lists() {
    return state.entries.filter((entry) => entry.record?.items.length && entry.record.intent !== "explain");
  }

  // The entry whose list is shown: the one that was chosen, else the latest.
  get shown() {
    return this.lists.find((entry) => entry.id === this.selected) ?? this.lists.at(-1) ?? null;
  }

  // The list that the agent has in mind when somebody says "the second one".
  get current() {
    return this.lists.at(-1) ?? null;
  }

  begin() {
    this.stop();
    this.ranking?.abort();
    this.selected = null;
    beginConversation();
    this.changed(null);
  }

  // Read again what was said before the page was loaded; somebody may be writing meanwhile.
  async restore() {
    const old = state.entries.filter((entry) => !entry.controller && !entry.record);
    await Promise.all(old.map(async (entry) => {
      if (!entry.turnId) return;
      try {
        entry.record = await api.turn(entry.turnId);
      } catch (failure) {
        if (failure.kind === "refused") entry.gone = true;
        else entry.trouble = failure;
      }
    }));
    state.entries = state.entries.filter((entry) => !entry.gone);
    for (const entry of old) if (!entry.turnId && !entry.trouble) entry.trouble = new api.Failure(entry.settled ? "stopped" : "unfinished", "");
    save();
    this.changed(null);
  }

  async send(text, shown = text) {
    const entry = { id: newId(), kind: "chat", text, shown, once: newId() };
    state.entries.push(entry);
    this.selected = null;
    save();
    await this.attempt(entry);
    return entry;
  }

  // Send an entry, the first time or again: it keeps its `once`, so it is heard once.
  async attempt(entry, tries = TRIES) {
    if (entry.turnId) return this.reload(entry);
    const controller = new AbortController();
    Object.assign(entry, { controller, trouble: null, step: "perceive", words: "", settled: false });
    this.changed(entry);
    const on = {
      step: (name) => { entry.step = name; this.changed(entry); },
      words: (words) => { entry.words += words; this.changed(entry); },
    };
    try {
      await this.greet();
      const metadata = { ...moment(), conversation_id: state.conversation };
      if (state.moment.scene) metadata.scene = state.moment.scene;
      const record = await api.chat(entry.text, metadata, entry.once, on, controller.signal);
      Object.assign(entry, { record, turnId: record.turn_id, note: null });
    } catch (failure) {
      entry.trouble = failure.name === "AbortError" ? new api.Failure("stopped", "") : failure instanceof api.Failure ? failure : new api.Failure("refused", String(failure.message));
      entry.settled = entry.trouble.kind === "stopped";
    }
    entry.controller = null;
    save();
    this.changed(entry);
    if (entry.trouble?.kind === "key") this.needKey(() => this.attempt(entry));
    if (entry.trouble?.kind === "busy" && tries > 1) entry.timer = setTimeout(() => this.attempt(entry, tries - 1), 1000 * entry.trouble.afterS);
    if (entry.record && this.owed) this.rank();
  }

  async reload(entry) {
    entry.trouble = null;
    try {
      entry.record = await api.turn(entry.turnId);
    } catch (failure) {
      entry.trouble = failure;
    }
    this.changed(entry);
  }

  again(entry) {
    clearTimeout(entry.timer);
    return this.attempt(entry);
  }

  stop() {
    this.running?.controller.abort();
    for (const entry of state.entries) clearTimeout(entry.timer);
  }

  // The list anew, at once and without the LLM: for another moment, or after feedback. It takes the place of the latest one.
  async rank(note = "rerankedNote", title = "") {
    if (this.running) {
      this.owed = true;
      return null;
    }
    this.owed = false;
    this.ranking?.abort();
    const controller = (this.ranking = new AbortController());
    const wish = state.entries.filter((entry) => WISHES.has(entry.record?.intent) && entry.kind === "chat").at(-1)?.text ?? "";
    this.changed(null);
    let entry = null, trouble = null, record = null;
    try {
      await this.greet();
      const body = { text: wish, moment: moment(), conversation_id: state.conversation };
      if (state.moment.scene) body.scene = state.moment.scene;
      record = await api.recommend(body, controller.signal);
    } catch (failure) {
      if (failure.name === "AbortError") return null;
      trouble = failure;
    }
    this.ranking = null;
    entry = state.entries.at(-1);
    if (trouble || !entry || entry !== this.current) {
      entry = { id: newId(), kind: "list", text: "", shown: "", once: newId() };
      state.entries = [...state.entries.filter((one) => one.kind !== "list" || one.record), entry];
    }
    Object.assign(entry, { trouble, note: { name: note, title } });
    if (record) Object.assign(entry, { record, turnId: record.turn_id, again: null });
    else entry.again = () => this.rank(note, title);
    this.selected = null;
    save();
    this.changed(entry);
    if (trouble?.kind === "key") this.needKey(() => this.rank(note, title));
    if (trouble?.kind === "busy") entry.timer = setTimeout(() => this.rank(note, title), 1000 * trouble.afterS);
    return record;
  }
}
