// Sound as the models take and give it: one channel of 24 kHz, in frames of 80 ms.

export const RATE = 24_000;
export const FRAME = 1_920;
export const FRAME_SECONDS = FRAME / RATE;

/** Return the samples of a sound file as the models take them; rejects where the browser cannot read it. */
export async function decodeFile(file) {
  // The context decodes to its own rate. This works on insecure addresses too.
  const context = new OfflineAudioContext(1, 1, RATE);
  const sound = await context.decodeAudioData(await file.arrayBuffer());
  const mono = new Float32Array(sound.length);
  for (let channel = 0; channel < sound.numberOfChannels; channel++) {
    sound.getChannelData(channel).forEach((sample, index) => {
      mono[index] += sample / sound.numberOfChannels;
    });
  }
  return mono;
}

/** Yield samples in frames; the last one is filled up with silence. */
export function* frames(samples) {
  for (let at = 0; at < samples.length; at += FRAME) {
    const frame = new Float32Array(FRAME);
    frame.set(samples.subarray(at, at + FRAME));
    yield frame;
  }
}

/** Return how loud a frame is, from 0 to 1, as an ear would put it. */
export function loudness(frame) {
  let sum = 0;
  for (const sample of frame) sum += sample * sample;
  const decibels = 10 * Math.log10(sum / frame.length + 1e-10);
  return Math.min(1, Math.max(0, (decibels + 60) / 57));
}

/** Return frames as a WAV file: 16 bits, one channel. */
export function wav(list) {
  const size = list.reduce((sum, frame) => sum + frame.length, 0);
  const view = new DataView(new ArrayBuffer(44 + 2 * size));
  const text = (at, word) => [...word].forEach((letter, index) => view.setUint8(at + index, letter.charCodeAt(0)));
  text(0, "RIFF");
  view.setUint32(4, 36 + 2 * size, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, RATE, true);
  view.setUint32(28, 2 * RATE, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  text(36, "data");
  view.setUint32(40, 2 * size, true);
  let at = 44;
  for (const frame of list) {
    for (const sample of frame) {
      view.setInt16(at, Math.round(Math.min(1, Math.max(-1, sample)) * 32767), true);
      at += 2;
    }
  }
  return new Blob([view.buffer], { type: "audio/wav" });
}
