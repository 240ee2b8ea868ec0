// What the page says: one line for each state, and what to do next.

/** What can be wrong, by the kind of a Failure: what it is, and what helps. */
export const FAILURES = {
  full: ["No place is free.", "Everybody who can speak at once does so. Try again in a moment."],
  key: [
    "The server does not take this key.",
    "Set one of the config's authorized_ids under Key. Behind a proxy, see that it passes websockets on.",
  ],
  gone: ["The server is gone.", "It has stopped, or the network has. Try again when it is back."],
  away: ["The server does not answer.", "It may still be starting. This page asks again by itself."],
  silent: [
    "The model does not answer.",
    "The server took the connection, and nothing follows. It may still be loading; if this stays, look at its log.",
  ],
  broken: ["The server reports an error.", "Its log says which."],
  elsewhere: ["The server has moved.", "Its config has another path now. Load this page again."],
  none: [
    "Nothing to speak to here.",
    "This server's config has no module for speech-to-text or text-to-speech that this page knows.",
  ],
  insecure: [
    "No microphone: this address is not secure.",
    "Browsers give a microphone to https:// and to localhost only. A sound file works here too.",
  ],
  denied: ["No microphone: the browser does not allow it.", "Allow it beside the address, and try again."],
  missing: ["No microphone was found.", "Plug one in and try again, or take a sound file."],
  busy: ["The microphone cannot be used.", "Another program may hold it. Try again, or take a sound file."],
  unplugged: ["The microphone is gone.", "What was said before is below."],
  sound: ["That is no sound file.", "The browser cannot read it. WAV, MP3, Ogg, FLAC and M4A work in most."],
};

/** What is going on. */
export const STATES = {
  looking: "Looking for the server …",
  listenIdle: "Press the button and speak.",
  speakIdle: "Write something and let it speak.",
  asking: "Asking for the microphone …",
  reading: "Reading the file …",
  connecting: "Connecting …",
  listening: "Listening. Speak now.",
  transcribing: "Transcribing the file …",
  finishing: "Waiting for the last words …",
  heard: "Done.",
  silence: "Done. No words were heard.",
  waiting: "Waiting for the first sound …",
  speaking: "Speaking …",
  spoken: "Done.",
  mute: "Done. The server sent no sound.",
  stopped: "Stopped.",
  empty: "There is nothing to say yet: write something first.",
};

const number = new Intl.NumberFormat("en", { maximumSignificantDigits: 2 });

/** Return a span of time for people: 640 ms, 1.2 s. */
export function span(milliseconds) {
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  return `${milliseconds < 10_000 ? number.format(milliseconds / 1000) : Math.round(milliseconds / 1000)} s`;
}

/** Return how many times faster than speech something was: 3.1×. */
export function factor(value) {
  return `${number.format(value)}×`;
}

/** Return a place in a recording: 7.4, or 1:07.4. */
export function clock(seconds) {
  const tenths = Math.max(0, Math.round(seconds * 10));
  if (tenths < 600) return (tenths / 10).toFixed(1);
  return `${Math.floor(tenths / 600)}:${((tenths % 600) / 10).toFixed(1).padStart(4, "0")}`;
}
