// Asks the server what it has, and shows what fits.

import { Failure, modules } from "./connection.js";
import { Listen } from "./listen.js";
import { Speak } from "./speak.js";
import { FAILURES, STATES } from "./words.js";

const KINDS = {
  batched_asr: { view: "listen", title: "Speech to text", idle: "listenIdle", make: Listen },
  py_batched_asr: { view: "listen", title: "Speech to text", idle: "listenIdle", make: Listen },
  py: { view: "speak", title: "Text to speech", idle: "speakIdle", make: Speak },
};
const KEY = "key";
/** How often the free places are counted, and a server that does not answer is asked again, in milliseconds. */
const REFRESH = 5_000;

const find = (name) => document.getElementById(name);
const views = [];

/** Say what goes on: a state's name, or a Failure. */
function say(what) {
  const failed = what instanceof Failure;
  const [line, help] = failed ? FAILURES[what.kind] : [STATES[what], ""];
  find("state").dataset.state = failed ? what.kind : what;
  find("state").classList.toggle("failed", failed);
  find("line").textContent = line;
  find("help").textContent = help;
  if (failed && what.kind === "key") find("key-box").open = true;
  count();
}

/** Show how many places are free, once it is known what the server has. */
async function count() {
  if (views.length === 0) return;
  let found = [];
  try {
    found = (await modules()).filter(({ type }) => type in KINDS);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
  }
  const free = found.map((one) => one.total_slots - one.used_slots).reduce((sum, number) => sum + number, 0);
  const all = found.map((one) => Number(one.total_slots)).reduce((sum, number) => sum + number, 0);
  find("places").textContent = all ? `${free} of ${all} ${all === 1 ? "place" : "places"} free` : "";
}

function keep() {
  const input = find("key");
  input.value = sessionStorage.getItem(KEY) ?? input.defaultValue;
  input.addEventListener("input", () => sessionStorage.setItem(KEY, input.value));
  find("key-shown").addEventListener("change", ({ target }) => {
    input.type = target.checked ? "text" : "password";
  });
}

/** Return one module of each kind of view. */
function choose(found) {
  const first = new Map();
  for (const module of found) {
    const kind = KINDS[module.type];
    if (kind && !first.has(kind.view)) first.set(kind.view, { ...kind, path: module.path });
  }
  return [...first.values()];
}

/** Return what the server has, as soon as it says it. */
async function look() {
  for (;;) {
    try {
      const chosen = choose(await modules());
      if (chosen.length > 0) return chosen;
      say(new Failure("none"));
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      say(error.kind === "gone" ? new Failure("away") : error);
    }
    await new Promise((resolve) => setTimeout(resolve, REFRESH));
  }
}

async function begin() {
  keep();
  say("looking");
  const chosen = await look();
  for (const { view, path, make } of chosen) {
    find(view).hidden = false;
    views.push(new make(find(view), { path, key: () => find("key").value }, say));
  }
  const title = chosen.map((each) => each.title).join(", ");
  find("title").textContent = document.title = title;
  say(chosen[0].idle);
}

document.addEventListener("keydown", ({ key }) => {
  if (key === "Escape") for (const view of views) view.stop();
});
setInterval(() => document.hidden || count(), REFRESH);
await begin();
