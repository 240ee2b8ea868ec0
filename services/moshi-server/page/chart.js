// A strip of sound: a bar for each frame, and over it a line, where there is one to draw.

const STEP = 6;
const BAR = 3;

export class Chart {
  #canvas;
  #bars = [];
  #line = [];
  #head;
  #asked = 0;

  constructor(canvas) {
    this.#canvas = canvas;
    new ResizeObserver(() => this.#draw()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#draw());
  }

  /** Begin anew. */
  clear() {
    this.#bars = [];
    this.#line = [];
    this.#head = undefined;
    this.#later();
  }

  /** Add a frame's loudness, from 0 to 1. */
  bar(value) {
    this.#bars.push(value);
    this.#later();
  }

  /** Add the line's value for the next frame, from 0 to 1. */
  point(value) {
    this.#line.push(value);
    this.#later();
  }

  /** Show what was heard up to a frame; the chart follows it. */
  head(frame) {
    this.#head = frame;
    this.#later();
  }

  /** Draw before the browser paints next, once. */
  #later() {
    this.#asked ||= requestAnimationFrame(() => this.#draw());
  }

  #draw() {
    cancelAnimationFrame(this.#asked);
    this.#asked = 0;
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    const scale = window.devicePixelRatio || 1;
    this.#canvas.width = Math.round(width * scale);
    this.#canvas.height = Math.round(height * scale);
    const pen = this.#canvas.getContext("2d");
    pen.scale(scale, scale);
    const colour = (name) => getComputedStyle(this.#canvas).getPropertyValue(name);
    const room = Math.floor(width / STEP);
    const last = this.#head === undefined ? this.#bars.length : Math.min(this.#bars.length, Math.ceil(this.#head) + room / 2);
    const first = Math.max(0, Math.ceil(last) - room);
    const across = (frame) => (frame - first) * STEP + STEP / 2;

    pen.fillStyle = colour("--faint");
    pen.fillRect(0, height / 2 - 0.5, width, 1);
    for (let frame = first; frame < Math.min(this.#bars.length, first + room); frame++) {
      const size = Math.max(BAR, this.#bars[frame] * (height - 8));
      pen.fillStyle = colour(this.#head !== undefined && frame < this.#head ? "--accent" : "--bar");
      pen.beginPath();
      pen.roundRect(across(frame) - BAR / 2, (height - size) / 2, BAR, size, BAR / 2);
      pen.fill();
    }
    if (this.#line.length === 0) return;
    pen.strokeStyle = colour("--accent");
    pen.lineWidth = 2;
    pen.lineJoin = "round";
    pen.beginPath();
    for (let frame = first; frame < this.#line.length; frame++) {
      pen.lineTo(across(frame), 4 + (1 - this.#line[frame]) * (height - 8));
    }
    pen.stroke();
  }
}
