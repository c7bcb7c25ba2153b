// The page put together: who asks, what is drawn where, and what each button does.

import * as api from "./api.js";
import { drawCards, drawSkeleton } from "./cards.js";
import { openDeveloper } from "./developer.js";
import { button, h, icon } from "./dom.js";
import { openGraph } from "./graph.js";
import { askKey } from "./key.js";
import { drawMoment, moment, sceneName } from "./moment.js";
import { openProfile } from "./profile.js";
import { save, state } from "./state.js";
import { languages, speak, spoken, t } from "./strings.js";
import { Talk } from "./talk.js";
import { drawEntry, opening, troubleWords } from "./thread.js";

const $ = (id) => document.getElementById(id);
const wide = matchMedia("(min-width: 64rem)");
const THEMES = ["auto", "light", "dark"];
let scenes = [];
let drawn = { list: null };

const talk = new Talk({ changed, greet, needKey: askKey });

function say(words) {
  $("live").textContent = "";
  requestAnimationFrame(() => { $("live").textContent = words; });
}

// Something of the conversation is new: draw what is concerned.
function changed(entry) {
  const old = entry && $(`entry-${entry.id}`);
  if (old && entry.controller) old.replaceWith(element(entry));
  else drawThread();
  drawStage();
  drawSend();
  if (!entry) return;
  if (!old || !entry.controller) reveal(entry);
  if (entry.controller) return void $("live").replaceChildren(t("working", { step: t(entry.step) }));
  if (entry.trouble) return void say(troubleWords(entry.trouble));
  if (entry.record) {
    const { record, note } = entry;
    const n = record.intent === "explain" ? 0 : record.items.length;
    if (note) say(n ? t("reranked", { n, title: record.items[0].title }) : t("nothingFits"));
    else say(n ? t("answered", { reply: opening(record), n }) : record.reply);
  }
}

// Scroll the talk, and nothing around it: on a desk to its end, on a phone to where the entry begins.
function reveal(entry) {
  const scroll = $("scroll"), node = $(`entry-${entry.id}`);
  if (!node) return;
  const top = wide.matches ? scroll.scrollHeight : node.getBoundingClientRect().top - scroll.getBoundingClientRect().top + scroll.scrollTop - 16;
  scroll.scrollTo({ top, behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
}

function element(entry) {
  const shown = talk.shown === entry;
  return drawEntry(entry, {
    again: () => (entry.again ? entry.again() : talk.again(entry)),
    show: () => { talk.selected = entry.id; drawThread(); drawStage(); $("list-title").focus(); },
    shown, latest: entry === talk.current,
  });
}

function drawThread() {
  const list = $("list");
  const held = list.contains(document.activeElement);
  $("stage").prepend(list); // the list is one element, on a desk beside the talk and on a phone within it: save it from what is drawn anew
  $("thread").replaceChildren(...state.entries.map(element));
  $("welcome").hidden = state.entries.length > 0;
  placeList();
  if (held && !list.contains(document.activeElement)) $("list-title").focus();
}

function placeList() {
  const entry = talk.shown;
  const home = wide.matches || !entry ? $("stage") : $(`entry-${entry.id}`)?.querySelector(".answer") ?? $("stage");
  const list = $("list");
  if (list.parentElement !== home) home === $("stage") ? home.prepend(list) : home.append(list);
}

function drawStage() {
  const entry = talk.shown;
  const busy = Boolean(talk.ranking || (talk.running && !entry));
  $("list").hidden = !entry && !busy;
  $("empty").hidden = Boolean(entry) || busy;
  $("list").setAttribute("aria-busy", String(Boolean(talk.ranking || talk.running)));
  if (!entry) {
    $("list-title").textContent = t("list");
    if (busy && drawn.list !== "skeleton") drawSkeleton($("cards"));
    drawn.list = busy ? "skeleton" : null;
    return;
  }
  const { record } = entry;
  const acts = entry === talk.current;
  const name = `${record.turn_id} ${acts} ${spoken()}`;
  if (drawn.list === name) return;
  drawn.list = name;
  $("list-title").textContent = record.scene ? t("itemsFor", { n: record.items.length, scene: sceneName(record.scene) }) : t("items", { n: record.items.length });
  $("list-tools").replaceChildren(talk.current !== entry ? button(t("latest"), { class: "plain", onclick: () => { talk.selected = null; drawThread(); drawStage(); $("list-title").focus(); } }) : "");
  drawCards($("cards"), entry, { act, acts });
  drawChips();
}

async function act(name, item, place) {
  if (name === "graph") return openGraph(item.item_id, item.title);
  if (talk.running) return;
  const zh = spoken() === "zh";
  if (name === "why") return talk.send(zh ? `为什么推荐 #${place}？` : `why number ${place}?`, t("whySaid", { title: item.title }));
  const kind = { more: "like", not: "dislike", seen: "seen" }[name];
  try {
    await api.tell(item.item_id, kind, moment());
  } catch (failure) {
    if (failure.kind === "key") return talk.needKey(() => act(name, item, place));
    strip(failure.status === 403 ? t("feedbackRefused") : failure.kind === "dropped" ? t("offline") : t("failed", { message: failure.message }));
    if (failure.status !== 403) return;
  }
  if (name === "more") return talk.send(zh ? `类似 #${place} 的` : `more like number ${place}`, t("moreSaid", { title: item.title }));
  $("list-title").focus();
  await talk.rank("feedbackNote", item.title);
}

function strip(words) {
  $("strip").hidden = !words;
  $("strip").replaceChildren(h("p", {}, words), button(t("close"), { class: "icon-button", "aria-label": t("close"), onclick: () => strip("") }, "close"));
  if (words) say(words);
}

function drawChips() {
  drawMoment($("chips"), { scenes, recognised: state.moment.scene ? null : talk.current?.record.scene, changed: () => talk.rank() });
}

function drawSend() {
  const running = Boolean(talk.running);
  const send = $("send");
  send.replaceChildren(icon(running ? "stop" : "send"));
  send.setAttribute("aria-label", t(running ? "stop" : "send"));
  send.classList.toggle("stop", running);
}

// Everything that does not belong to a turn: labels, buttons, the welcome.
function drawFrame() {
  for (const node of document.querySelectorAll("[data-t]")) node.textContent = t(node.dataset.t);
  $("message").placeholder = t("placeholder");
  document.documentElement.dataset.theme = state.theme;
  const tool = (name, words, onclick, more = {}) => button(words, { class: "tool", id: `tool-${name}`, title: words, onclick, ...more }, more.picture ?? name);
  const other = languages().find((one) => one !== spoken());
  $("tools").replaceChildren(
    tool("new", t("newTalk"), () => { talk.begin(); $("message").focus(); }, { picture: "plus" }),
    tool("profile", t("profile"), () => openProfile({ changed: profileChanged, say }), { picture: "user" }),
    tool("developer", t("developer"), () => openDeveloper((talk.shown ?? state.entries.findLast((entry) => entry.record))?.record), { picture: "code" }),
    h("button", { type: "button", class: "tool words", id: "tool-language", lang: other === "zh" ? "zh-Hans" : "en", title: t("language"), "aria-label": other === "zh" ? "中文" : "English", onclick: () => changeLanguage(other) }, other === "zh" ? "中" : "EN"),
    tool("theme", t(`theme${state.theme[0].toUpperCase()}${state.theme.slice(1)}`), changeTheme, { picture: "theme" }));
  const examples = ["try1", "try2", "try3"].map((name) => button(t(name), { class: "example", onclick: () => ask(t(name)) }));
  $("welcome").replaceChildren(h("h2", {}, t("welcome")), h("p", {}, t("welcomeText")), h("div", { class: "examples" }, examples, button(t("forNow"), { class: "example now", onclick: () => talk.rank() }, "spark")));
  $("empty").replaceChildren(h("div", { class: "empty-art", "aria-hidden": "true" }, h("i"), h("i"), h("i")), h("h2", {}, t("emptyStage")), h("p", {}, t("emptyStageText")));
  $("model").textContent = api.who.llm ? t("modelIs", { name: api.who.llm }) : t("noModelShort");
  $("model").classList.toggle("without", !api.who.llm);
}

function drawAll() {
  drawn = { list: null };
  drawFrame();
  drawChips();
  drawThread();
  drawStage();
  drawSend();
}

function changeLanguage(name) {
  state.language = name;
  save();
  speak(name);
  drawAll();
  $("tool-language").focus();
}

function changeTheme() {
  state.theme = THEMES[(THEMES.indexOf(state.theme) + 1) % THEMES.length];
  save();
  drawFrame();
  $("tool-theme").focus();
  say($("tool-theme").title);
}

function profileChanged(kind) {
  if (kind === "user" || kind === "forgotten") {
    state.owner = api.userId();
    talk.begin();
  } else if (talk.current && !talk.running) talk.rank();
}

function ask(words) {
  if (!words.trim() || talk.running) return;
  strip("");
  $("message").value = "";
  grow();
  talk.send(words.trim());
}

function grow() {
  const box = $("message");
  box.style.blockSize = "auto";
  box.style.blockSize = `${Math.min(box.scrollHeight, 160)}px`;
}

function listen() {
  $("composer").addEventListener("submit", (event) => {
    event.preventDefault();
    if (talk.running) talk.stop();
    else ask($("message").value);
  });
  $("message").addEventListener("input", grow);
  $("message").addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    ask($("message").value);
  });
  wide.addEventListener("change", () => { placeList(); });
  addEventListener("offline", () => strip(t("offline")));
  addEventListener("online", () => {
    strip("");
    const entry = state.entries.at(-1);
    if (entry?.trouble?.kind === "dropped") entry.again ? entry.again() : talk.again(entry);
  });
}

let greeting = null;

// Find out who asks and what there is, once; whoever asks meanwhile waits for the same answer.
function greet() {
  greeting ??= (async () => {
    const me = await api.me();
    scenes = await api.scenes();
    Object.assign(api.who, me);
    if (state.owner !== api.userId()) {
      if (state.owner) talk.begin(); // another key, another person: the conversation is not theirs
      state.owner = api.userId();
      save();
    }
    drawFrame();
    drawChips();
  })().catch((failure) => {
    greeting = null;
    throw failure;
  });
  return greeting;
}

async function start() {
  try {
    await greet();
    await talk.restore();
  } catch (failure) {
    if (failure.kind === "key") askKey(start);
    else strip(failure.kind === "dropped" ? t("offline") : t("failed", { message: failure.message }));
  }
}

speak(state.language ?? (navigator.language.startsWith("zh") ? "zh" : "en"));
save();
listen();
drawAll();
await start();
