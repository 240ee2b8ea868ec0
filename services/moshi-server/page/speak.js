// Text to speech: a text, a voice, and the sound.

import { Chart } from "./chart.js";
import { Connection, Failure } from "./connection.js";
import { Player } from "./player.js";
import { Reading } from "./reading.js";
import { FRAME_SECONDS, RATE, loudness, wav } from "./sound.js";
import { clock, factor, span } from "./words.js";

export class Speak {
  #find;
  #say;
  #options;
  #chart;
  #reading;
  #running;
  #frames = [];
  #seconds = 0;

  /** Fill the view `root`. `options` gives the module's path and the key; `say(state)` tells what goes on. */
  constructor(root, options, say) {
    this.#find = (name) => root.querySelector(`[data-at="${name}"]`);
    this.#options = options;
    this.#say = say;
    this.#chart = new Chart(this.#find("chart"));
    this.#find("speak").addEventListener("click", () => (this.#running ? this.stop() : this.#run((stopped) => this.#speak(stopped))));
    this.#find("again").addEventListener("click", () => this.#run((stopped) => this.#again(stopped)));
    this.#find("save").addEventListener("click", () => this.#save());
    this.#find("text").addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !this.#running) this.#run((stopped) => this.#speak(stopped));
    });
  }

  /** Be quiet. */
  stop() {
    this.#running?.();
  }

  /** Run what the button can stop: `conversation` gets a promise that is rejected then. */
  async #run(conversation) {
    const stopped = new Promise((_, reject) => {
      this.#running = () => reject(new Failure("ended"));
    });
    stopped.catch(() => {});
    this.#show(true);
    try {
      await conversation(stopped);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      this.#say(error.kind === "ended" ? "stopped" : error);
    } finally {
      this.#running = undefined;
      this.#show(false);
    }
  }

  async #speak(stopped) {
    const text = this.#find("text").value.trim();
    if (!text) {
      this.#say("empty");
      this.#find("text").focus();
      return;
    }
    this.#reset(text);
    const player = new Player();
    let connection;
    try {
      this.#say("connecting");
      let sent = 0;
      const query = { format: "PcmMessagePack", auth_id: this.#options.key() };
      const voice = this.#find("voice").value.trim();
      if (voice) query.voice = voice;
      connection = new Connection(this.#options.path, query, (message) => {
        if (message.type === "Audio") this.#hear(Float32Array.from(message.pcm), player, sent);
        else if (message.type === "Text") this.#hearWord(message);
      });
      this.#figure("ready", span(await Promise.race([connection.ready, stopped])));
      this.#say("waiting");
      sent = performance.now();
      connection.expect();
      connection.send({ type: "Text", text });
      connection.send({ type: "Eos" });
      const moving = this.#follow(player);
      try {
        await Promise.race([connection.over, stopped]);
        if (this.#frames.length === 0) return this.#say("mute");
        this.#figure("speed", factor((this.#seconds * 1000) / (performance.now() - sent)));
        await Promise.race([this.#heard(player), stopped]);
      } finally {
        cancelAnimationFrame(moving.request);
      }
      this.#mark(this.#seconds);
      this.#say("spoken");
    } finally {
      connection?.close();
      player.close();
    }
  }

  /** Play what is there once more. */
  async #again(stopped) {
    const player = new Player();
    this.#reading.light(0);
    this.#say("speaking");
    for (const frame of this.#frames) player.play(frame);
    const moving = this.#follow(player);
    try {
      await Promise.race([this.#heard(player), stopped]);
      this.#mark(this.#seconds);
      this.#say("spoken");
    } finally {
      cancelAnimationFrame(moving.request);
      player.close();
    }
  }

  #hear(frame, player, sent) {
    if (this.#frames.length === 0) {
      this.#figure("first", span(performance.now() - sent));
      this.#say("speaking");
    }
    this.#frames.push(frame);
    this.#seconds += frame.length / RATE;
    player.play(frame);
    this.#chart.bar(loudness(frame));
    this.#figure("length", `${clock(this.#seconds)} s`);
  }

  #hearWord({ text, start_s: start, stop_s: stop }) {
    // The server begins with an empty word.
    if (text) this.#reading.add(text, start, stop);
  }

  /** Move chart and words along with what is heard, as often as the browser paints. */
  #follow(player) {
    const moving = {};
    const step = () => {
      this.#mark(player.position);
      moving.request = requestAnimationFrame(step);
    };
    step();
    return moving;
  }

  #mark(seconds) {
    this.#chart.head(seconds / FRAME_SECONDS);
    this.#reading.light(seconds);
  }

  #heard(player) {
    return new Promise((resolve) => {
      const look = () => (player.finished ? resolve() : setTimeout(look, 40));
      look();
    });
  }

  #save() {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(wav(this.#frames));
    link.download = "speech.wav";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  }

  #reset(text) {
    this.#frames = [];
    this.#seconds = 0;
    this.#reading = new Reading(this.#find("reading"), text);
    this.#chart.clear();
    for (const name of ["ready", "first", "speed", "length"]) this.#figure(name, "–");
  }

  #figure(name, text) {
    this.#find(name).textContent = text;
  }

  #show(running) {
    this.#find("speak").classList.toggle("on", running);
    this.#find("speak").querySelector("span").textContent = running ? "Stop" : "Speak";
    for (const name of ["again", "save"]) this.#find(name).disabled = running || this.#frames.length === 0;
  }
}
