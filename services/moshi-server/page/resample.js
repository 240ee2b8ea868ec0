// Sound of any rate becomes sound of another: every browser gives a microphone at the device's own rate, and Firefox
// at no other.

const CROSSINGS = 16;

export class Resampler {
  #step;
  #cutoff;
  #reach;
  #input = new Float32Array(0);
  #at;

  /** Convert from one rate to another, both in Hz. What comes out is `reach` samples of the input late. */
  constructor(from, to) {
    this.#step = from / to;
    // Below half of the lower rate, with room for the filter's slope.
    this.#cutoff = Math.min(1, to / from) * 0.95;
    this.#reach = Math.ceil(CROSSINGS / this.#cutoff);
    this.#input = new Float32Array(this.#reach);
    this.#at = this.#reach;
  }

  /** Take some samples and return those that can be told by now. */
  push(samples) {
    if (this.#step === 1) return samples;
    const input = new Float32Array(this.#input.length + samples.length);
    input.set(this.#input);
    input.set(samples, this.#input.length);
    const output = [];
    while (this.#at + this.#reach < input.length) {
      output.push(this.#between(input, this.#at));
      this.#at += this.#step;
    }
    const done = Math.floor(this.#at) - this.#reach;
    this.#input = input.slice(done);
    this.#at -= done;
    return output;
  }

  /** Return the value at a place between samples: a sinc in a Hann window. */
  #between(input, place) {
    const middle = Math.floor(place);
    let sum = 0;
    for (let index = middle - this.#reach + 1; index <= middle + this.#reach; index++) {
      const distance = (index - place) * this.#cutoff;
      if (Math.abs(distance) >= CROSSINGS) continue;
      const sinc = distance === 0 ? 1 : Math.sin(Math.PI * distance) / (Math.PI * distance);
      sum += input[index] * sinc * (0.5 + 0.5 * Math.cos((Math.PI * distance) / CROSSINGS));
    }
    return sum * this.#cutoff;
  }
}
