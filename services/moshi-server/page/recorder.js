// Runs beside the page, in the browser's audio thread: what the microphone hears, in frames as the models take them.

import { Resampler } from "./resample.js";

const RATE = 24_000;
const FRAME = 1_920;

class Recorder extends AudioWorkletProcessor {
  #resampler = new Resampler(sampleRate, RATE);
  #frame = new Float32Array(FRAME);
  #filled = 0;

  process([[channel]]) {
    if (!channel) return true;
    for (const sample of this.#resampler.push(channel)) {
      this.#frame[this.#filled++] = sample;
      if (this.#filled === FRAME) {
        this.port.postMessage(this.#frame, [this.#frame.buffer]);
        this.#frame = new Float32Array(FRAME);
        this.#filled = 0;
      }
    }
    return true;
  }
}

registerProcessor("recorder", Recorder);
