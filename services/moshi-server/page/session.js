// One conversation with a speech-to-text module, without anything to see: frames go in, words come out.

import { Connection } from "./connection.js";
import { FRAME, FRAME_SECONDS } from "./sound.js";

// How many frames of a file are under way at once: two seconds, so that stopping is quick.
const WINDOW = 25;
// How much silence may follow the last frame: more than any model's delay.
const TRAILING = 125;
// Which of the model's heads predicts a pause; Unmute takes the same one.
const PAUSE_HEAD = 2;

export class Session {
  #connection;
  #sentAt = [];
  #steps = 0;
  #moved = () => {};
  #open = true;
  #finished = false;

  /** `on` is told what comes: word(text, start, late), end(stop), pause(value), behind(seconds). */
  constructor(path, key, on) {
    this.on = on;
    this.#connection = new Connection(path, { auth_id: key }, (message) => this.#take(message));
    this.ready = this.#connection.ready;
    this.over = this.#connection.over;
    const ended = () => {
      this.#open = false;
      this.#moved();
    };
    this.over.then(ended, ended);
  }

  /** Send a frame. */
  send(frame) {
    if (this.#sentAt.length === 0) this.#connection.expect();
    this.#sentAt.push(performance.now());
    this.#connection.send({ type: "Audio", pcm: frame });
  }

  /** Send a frame once the model has caught up; false when the conversation is over. */
  async sendInTurn(frame) {
    while (this.#open && this.#sentAt.length - this.#steps >= WINDOW) await this.#move();
    if (this.#open) this.send(frame);
    return this.#open;
  }

  /** Say that nothing more comes, and wait for the last words. */
  async finish() {
    // The server sends the marker back when everything before it was understood, for which it needs more to hear.
    this.#connection.send({ type: "Marker", id: 1 });
    for (let count = 0; count < TRAILING && this.#open && !this.#finished; count++) {
      await this.sendInTurn(new Float32Array(FRAME));
    }
    while (this.#open && !this.#finished) await this.#move();
    this.#connection.close();
    await this.over;
  }

  /** End at once. */
  close() {
    this.#connection.close();
  }

  /** Wait for the next thing that the model says, or for the end. */
  #move() {
    return new Promise((resolve) => (this.#moved = resolve));
  }

  #take(message) {
    switch (message.type) {
      case "Word": {
        const frame = Math.round(message.start_time / FRAME_SECONDS);
        const spoken = this.#sentAt[Math.min(Math.max(0, frame), this.#sentAt.length - 1)];
        this.on.word(message.text, message.start_time, performance.now() - spoken);
        break;
      }
      case "EndWord":
        this.on.end(message.stop_time);
        break;
      case "Step":
        this.#steps++;
        if (message.prs.length > PAUSE_HEAD) this.on.pause(message.prs[PAUSE_HEAD]);
        this.on.behind((this.#sentAt.length - this.#steps) * FRAME_SECONDS);
        this.#moved();
        break;
      case "Marker":
        this.#finished = true;
        this.#moved();
        break;
    }
  }
}
