// A text whose words are lit as they are spoken.

// The server's own pauses, and how it splits a text into words (tts_preprocess.rs of moshi-server).
const BREAK = /<break\s+time="[0-9.]+s"\s*\/>/g;
const bare = (text) => text.replaceAll("’", "'").replace(/[–:()\s]/g, "");

export class Reading {
  #words = [];
  #letters = 0;

  /** Show a text in an element. */
  constructor(element, text) {
    element.replaceChildren();
    let letters = 0;
    for (const line of text.replace(BREAK, " ").split("\n")) {
      if (!line.trim()) continue;
      const paragraph = element.appendChild(document.createElement("p"));
      for (const word of line.trim().split(/\s+/)) {
        const shown = paragraph.appendChild(document.createElement("span"));
        shown.textContent = word;
        paragraph.append(" ");
        letters += bare(word).length;
        this.#words.push({ shown, letters, start: Infinity, stop: Infinity, look: "" });
      }
    }
  }

  /** Take a word of the server's, with the seconds in which it is spoken. It may be a part of one that is shown. */
  add(text, start, stop) {
    if (text.startsWith("<break")) return;
    const word = this.#words.find(({ letters }) => letters > this.#letters);
    this.#letters += bare(text).length;
    if (!word) return;
    word.start = Math.min(word.start, start);
    word.stop = stop;
  }

  /** Light the words up to a second of the sound. */
  light(second) {
    for (const word of this.#words) {
      const look = second < word.start ? "" : second < word.stop ? "said now" : "said";
      if (look !== word.look) word.shown.className = word.look = look;
    }
  }
}
