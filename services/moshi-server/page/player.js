// Plays frames as they come, from the first one on.

import { FRAME_SECONDS, RATE } from "./sound.js";

// How far ahead sound is scheduled: at first, and when the server once was slower than speech.
const LEAD = 0.05;
const CATCH_UP = 0.4;

export class Player {
  // Plain buffers, not a worklet: these play on insecure addresses too.
  #context = new AudioContext({ sampleRate: RATE });
  #origin = 0;
  #sources = new Set();

  /** Seconds of sound that were given to it. */
  queued = 0;
  /** How often the sound ran out while more was to come. */
  gaps = 0;

  /** Wake it up, which browsers allow in answer to a key or a click only. */
  constructor() {
    this.#context.resume();
  }

  /** Play a frame after those before it. */
  play(frame) {
    const now = this.#context.currentTime;
    if (this.queued === 0) this.#begin(now + LEAD);
    else if (this.#origin + this.queued < now) {
      this.gaps++;
      this.#begin(now + CATCH_UP);
    }
    const buffer = this.#context.createBuffer(1, frame.length, RATE);
    buffer.copyToChannel(frame, 0);
    const source = this.#context.createBufferSource();
    source.buffer = buffer;
    source.connect(this.#context.destination);
    source.start(this.#origin + this.queued);
    source.onended = () => this.#sources.delete(source);
    this.#sources.add(source);
    this.queued += frame.length / RATE;
  }

  /** Set when the next frame is heard, on a whole sample. */
  #begin(when) {
    this.#origin = Math.ceil(when * RATE) / RATE - this.queued;
  }

  /** The second of the sound that is heard now. */
  get position() {
    const late = this.#context.outputLatency || 0;
    return Math.min(this.queued, Math.max(0, this.#context.currentTime - late - this.#origin));
  }

  /** Whether everything was heard. */
  get finished() {
    return this.queued - this.position < FRAME_SECONDS / 4;
  }

  /** Be quiet, for good. */
  close() {
    for (const source of this.#sources) source.stop();
    this.#sources.clear();
    if (this.#context.state !== "closed") this.#context.close();
  }
}
