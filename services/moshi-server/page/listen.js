// Speech to text: a button, the microphone or a file, and the words.

import { Chart } from "./chart.js";
import { Failure } from "./connection.js";
import { Microphone } from "./microphone.js";
import { Session } from "./session.js";
import { FRAME_SECONDS, decodeFile, frames, loudness } from "./sound.js";
import { clock, factor, span } from "./words.js";

// A silence that begins a new paragraph, in seconds.
const PARAGRAPH = 1.5;
// From how many seconds on it is told that the model is slower than speech.
const BEHIND = 1.5;

export class Listen {
  #find;
  #say;
  #options;
  #chart;
  #running;
  #end = 0;

  /** Fill the view `root`. `options` gives the module's path and the key; `say(state)` tells what goes on. */
  constructor(root, options, say) {
    this.#find = (name) => root.querySelector(`[data-at="${name}"]`);
    this.#options = options;
    this.#say = say;
    this.#chart = new Chart(this.#find("chart"));
    this.#find("talk").addEventListener("click", () => (this.#running ? this.stop() : this.#run(() => this.#talk())));
    const input = this.#find("file");
    this.#find("choose").addEventListener("click", () => input.click());
    input.addEventListener("change", () => {
      this.#take(input.files[0]);
      input.value = "";
    });
    for (const type of ["dragover", "dragleave", "drop"]) document.addEventListener(type, (event) => this.#drag(event));
    this.#find("copy").addEventListener("click", () => this.#copy());
    this.#find("copy").hidden = !navigator.clipboard;
    this.#find("times").addEventListener("change", ({ target }) => {
      this.#find("words").classList.toggle("plain", !target.checked);
    });
  }

  /** Stop listening; what was said is still waited for. */
  stop() {
    this.#running?.stop();
  }

  #drag(event) {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    document.body.classList.toggle("dropping", event.type === "dragover");
    if (event.type === "drop") this.#take(event.dataTransfer.files[0]);
  }

  #take(file) {
    if (file && !this.#running) this.#run(() => this.#transcribe(file));
  }

  /** Run one conversation, from the button or the file to the end. */
  async #run(conversation) {
    let stopped = () => {};
    this.#running = {
      stopped: new Promise((resolve) => (stopped = resolve)),
      stop: () => {
        this.#running.asked = true;
        stopped();
      },
    };
    this.#reset();
    this.#show(true);
    try {
      await conversation();
      this.#say(this.#find("words").textContent ? "heard" : "silence");
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      this.#say(error.kind === "ended" ? "stopped" : error);
    } finally {
      this.#running = undefined;
      this.#show(false);
    }
  }

  async #talk() {
    this.#say("asking");
    const microphone = new Microphone();
    const running = this.#running;
    let session;
    let lost = false;
    try {
      await microphone.open(
        (frame) => {
          if (!session || running.asked) return;
          session.send(frame);
          this.#hear(frame);
        },
        () => {
          lost = true;
          running.stop();
        },
      );
      const opening = this.#open((seconds) => this.#behind(seconds));
      await Promise.race([opening.ready, running.stopped]);
      if (running.asked) this.#abandon(opening);
      session = opening;
      this.#say("listening");
      await Promise.race([session.over, running.stopped]);
      if (!running.asked) throw new Failure("gone");
    } finally {
      microphone.close();
    }
    this.#say("finishing");
    await session.finish();
    if (lost) throw new Failure("unplugged");
  }

  async #transcribe(file) {
    this.#say("reading");
    const running = this.#running;
    let samples;
    try {
      samples = await decodeFile(file);
    } catch {
      throw new Failure("sound");
    }
    const session = this.#open(() => {});
    await Promise.race([session.ready, running.stopped]);
    if (running.asked) this.#abandon(session);
    this.#say("transcribing");
    const begun = performance.now();
    let sent = 0;
    for (const frame of frames(samples)) {
      if (running.asked || !(await session.sendInTurn(frame))) break;
      this.#hear(frame);
      sent++;
    }
    this.#say("finishing");
    await session.finish();
    this.#figure("speed", factor((sent * FRAME_SECONDS * 1000) / (performance.now() - begun)));
  }

  #abandon(session) {
    session.close();
    throw new Failure("ended");
  }

  #open(behind) {
    this.#say("connecting");
    const session = new Session(this.#options.path, this.#options.key(), {
      word: (text, start, late) => this.#word(text, start, late),
      end: (stop) => this.#ended(stop),
      pause: (value) => this.#pause(value),
      behind,
    });
    session.ready.then((time) => this.#figure("ready", span(time)), () => {});
    return session;
  }

  #hear(frame) {
    const loud = loudness(frame);
    this.#chart.bar(loud);
    this.#find("talk").style.setProperty("--loud", loud.toFixed(2));
  }

  #word(text, start, late) {
    const words = this.#find("words");
    if (!words.lastElementChild || start - this.#end > PARAGRAPH) words.append(document.createElement("p"));
    if (!words.textContent) this.#figure("first", span(Math.max(0, late)));
    const word = document.createElement("ruby");
    word.dataset.start = start.toFixed(2);
    const time = document.createElement("rt");
    time.textContent = clock(start);
    time.setAttribute("aria-hidden", "true");
    word.append(text, time);
    words.lastElementChild.append(word, " ");
    words.scrollTop = words.scrollHeight;
    this.#end = start;
    this.#find("copy").disabled = false;
  }

  #ended(stop) {
    const word = this.#find("words").querySelector("p:last-child ruby:last-of-type");
    if (!word) return;
    word.dataset.stop = stop.toFixed(2);
    word.title = `${word.dataset.start} to ${stop.toFixed(2)} s`;
    this.#end = stop;
  }

  #pause(value) {
    this.#chart.point(value);
    this.#find("pause").textContent = `${Math.round(100 * value)} %`;
  }

  #behind(seconds) {
    const slow = !this.#running.asked && seconds > BEHIND;
    this.#find("behind").textContent = slow ? `The model is ${Math.round(seconds)} s behind.` : "";
  }

  async #copy() {
    const lines = [...this.#find("words").children].map((line) =>
      [...line.querySelectorAll("ruby")].map((word) => word.firstChild.data).join(" "),
    );
    await navigator.clipboard.writeText(lines.join("\n"));
    this.#find("copy").textContent = "Copied";
    setTimeout(() => (this.#find("copy").textContent = "Copy"), 1500);
  }

  #reset() {
    this.#chart.clear();
    this.#find("words").replaceChildren();
    this.#find("copy").disabled = true;
    this.#find("pause").textContent = this.#find("behind").textContent = "";
    for (const name of ["ready", "first", "speed"]) this.#figure(name, "–");
    this.#end = 0;
  }

  #figure(name, text) {
    this.#find(name).textContent = text;
  }

  #show(running) {
    this.#find("talk").classList.toggle("on", running);
    this.#find("talk").querySelector("span").textContent = running ? "Stop" : "Speak";
    this.#find("talk").style.removeProperty("--loud");
    this.#find("choose").disabled = running;
  }
}
