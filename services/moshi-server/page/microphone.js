// The microphone, as a stream of frames.

import { Failure } from "./connection.js";

const REASONS = { NotAllowedError: "denied", SecurityError: "denied", NotFoundError: "missing", OverconstrainedError: "missing" };

export class Microphone {
  #stream;
  #context;

  /**
   * Open the microphone; `onFrame` gets each frame of 80 ms, `onLost` is called when it is pulled out.
   *
   * Nothing is done to the sound: the models know noise, and a browser's filters do not know speech better.
   */
  async open(onFrame, onLost) {
    if (!window.isSecureContext || !navigator.mediaDevices) throw new Failure("insecure");
    const audio = { channelCount: 1, echoCancellation: false, noiseSuppression: false, autoGainControl: false };
    try {
      this.#stream = await navigator.mediaDevices.getUserMedia({ audio });
    } catch (error) {
      throw new Failure(REASONS[error.name] ?? "busy");
    }
    this.#stream.getAudioTracks()[0].onended = onLost;
    this.#context = new AudioContext({ latencyHint: "interactive" });
    await this.#context.audioWorklet.addModule(new URL("recorder.js", import.meta.url));
    const recorder = new AudioWorkletNode(this.#context, "recorder", { numberOfOutputs: 0, channelCount: 1 });
    recorder.port.onmessage = ({ data }) => onFrame(data);
    this.#context.createMediaStreamSource(this.#stream).connect(recorder);
    await this.#context.resume();
  }

  /** Let go of it: the browser's sign that it is open goes out. */
  close() {
    this.#stream?.getTracks().forEach((track) => track.stop());
    this.#context?.close();
    this.#stream = this.#context = undefined;
  }
}
