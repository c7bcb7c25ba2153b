// The moment as chips: native selects, so that keyboard, screen reader and phone know them; and the moment as the server takes it.

import { h } from "./dom.js";
import { save, state } from "./state.js";
import { spoken, t } from "./strings.js";

const DEVICES = ["phone", "tablet", "laptop", "desktop", "tv", "speaker", "headphones", "watch", "car"];
const PLACES = ["home", "office", "train", "bus", "car", "street", "cafe", "park", "gym", "kitchen", "bedroom", "hotel", "plane", "library"];
const MINUTES = [15, 30, 60, 90, 150];
const PRESETS = { morning: [1, 8, 10], noon: [3, 12, 30], evening: [6, 20, 30], sunday: [0, 16, 0], night: [4, 23, 0] };

export function deviceHere() {
  return matchMedia("(pointer: coarse)").matches ? (Math.min(screen.width, screen.height) < 600 ? "phone" : "tablet") : "laptop";
}

function wallClock(date) {
  const two = (n) => String(n).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}T${two(date.getHours())}:${two(date.getMinutes())}`;
}

function chosenTime(now) {
  const preset = PRESETS[state.moment.time];
  if (!preset) return state.moment.time === "now" ? wallClock(now) : state.moment.time;
  const [day, hour, minute] = preset;
  const date = new Date(now);
  date.setDate(date.getDate() + ((day - date.getDay() + 7) % 7));
  date.setHours(hour, minute, 0, 0);
  return wallClock(date);
}

// The moment without the scene, as `moment` of /v1/recommend and part of a chat's metadata.
export function moment() {
  const { device, place, minutes } = state.moment;
  const told = { device: device || deviceHere(), local_time: chosenTime(new Date()), locale: spoken() };
  if (place) told.place = place;
  if (minutes) told.available_min = Number(minutes);
  return told;
}

export function sceneName(name) {
  const words = t(name.replaceAll("_", " "));
  return words[0].toUpperCase() + words.slice(1);
}

// Draw the chips into `bar`. `recognised` is the scene that the last turn was in; `changed()` is called when the person has changed one.
export function drawMoment(bar, { scenes, recognised, changed }) {
  const focused = bar.contains(document.activeElement) ? document.activeElement.id : null;
  const auto = recognised ? t("autoScene", { scene: sceneName(recognised) }) : t("auto");
  const known = state.moment;
  const chips = [
    chip("scene", [["", auto], ...scenes.map((one) => [one.name, sceneName(one.name)])]),
    chip("device", DEVICES.map((name) => [name, t(name)]), known.device || deviceHere()),
    chip("time", [["now", t("now")], ...Object.keys(PRESETS).map((name) => [name, t(name)]), ...custom(), ["pick", t("pick")]]),
    chip("place", [["", t("anywhere")], ...PLACES.map((name) => [name, t(name)])]),
    chip("minutes", [["", t("anyLength")], ...MINUTES.map((n) => [String(n), t("upTo", { n })])]),
  ];
  bar.replaceChildren(...chips);
  if (focused) document.getElementById(focused)?.focus();

  function chip(name, options, value = known[name]) {
    const select = h("select", { id: `moment-${name}`, onchange: () => choose(name, select.value) },
      options.map(([own, words]) => h("option", { value: own, selected: own === value }, words)));
    const set = name === "device" ? known.device : name === "time" ? known.time !== "now" : known[name];
    return h("span", { class: set ? "chip set" : "chip", "data-chip": name }, h("label", { class: "chip-name", for: select.id }, t(name)), select);
  }

  function custom() {
    return known.time === "now" || known.time in PRESETS ? [] : [[known.time, new Date(known.time).toLocaleString(spoken(), { weekday: "short", hour: "2-digit", minute: "2-digit" })]];
  }

  function choose(name, value) {
    if (name === "time" && value === "pick") return pickTime();
    state.moment[name] = value;
    save();
    drawMoment(bar, { scenes, recognised, changed });
    changed();
  }

  function pickTime() {
    const old = bar.querySelector("[data-chip=time]");
    const done = () => {
      if (input.value) state.moment.time = input.value;
      save();
      drawMoment(bar, { scenes, recognised, changed });
      if (input.value) changed();
    };
    const entered = (event) => {
      if (event.key !== "Enter") return;
      input.blur();
      document.getElementById("moment-time").focus();
    };
    const input = h("input", { type: "datetime-local", id: "moment-time", value: wallClock(new Date()), onblur: done, onkeydown: entered });
    old.replaceWith(h("span", { class: "chip set", "data-chip": "time" }, h("label", { class: "chip-name", for: input.id }, t("pickTime")), input));
    input.focus();
  }
}
