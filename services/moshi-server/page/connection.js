// A conversation with a module of moshi-server over a websocket, and what can be wrong with it.

import { decode, encode } from "./msgpack.js";

/** How long a model or a server may be silent while it is waited for, in milliseconds. */
const PATIENCE = 20_000;

/** What went wrong; `kind` is a key of the words in words.js. */
export class Failure extends Error {
  constructor(kind) {
    super(kind);
    this.kind = kind;
  }
}

/** Return the modules that the server's config has: [{type, path, used_slots, total_slots}]. */
export async function modules() {
  let response;
  try {
    response = await fetch("api/modules_info", { cache: "no-store", signal: AbortSignal.timeout(PATIENCE) });
  } catch {
    throw new Failure("gone");
  }
  if (!response.ok) throw new Failure(response.status < 500 ? "none" : "gone");
  return response.json();
}

export class Connection {
  #socket;
  #timer;
  #over;
  #end;
  #closing = false;

  /**
   * Connect; `ready` resolves to the milliseconds that it took, or rejects with a Failure. `over` resolves when the
   * conversation has ended as it should, and rejects with a Failure when it broke.
   */
  constructor(path, query, onMessage) {
    const url = new URL(path.replace(/^\//, ""), document.baseURI);
    url.protocol = url.protocol.replace("http", "ws");
    url.search = new URLSearchParams(query);
    const begun = performance.now();
    let opened = false;
    this.over = new Promise((resolve, reject) => {
      this.#over = { resolve, reject };
    });
    this.ready = new Promise((resolve, reject) => {
      this.#end = (kind) => {
        clearTimeout(this.#timer);
        this.#closing = true;
        this.#socket.close();
        if (kind) {
          const failure = new Failure(kind);
          reject(failure);
          this.#over.reject(failure);
        } else {
          reject(new Failure("ended"));
          this.#over.resolve();
        }
      };
      this.#socket = new WebSocket(url);
      this.#socket.binaryType = "arraybuffer";
      this.#socket.onopen = () => {
        opened = true;
      };
      this.#socket.onmessage = ({ data }) => {
        if (this.#closing) return;
        const message = decode(data);
        if (this.#timer) this.expect();
        if (message.type === "Ready") {
          clearTimeout(this.#timer);
          this.#timer = undefined;
          resolve(performance.now() - begun);
        } else if (message.type === "Error") {
          this.#end(message.message === "no free channels" ? "full" : "broken");
        } else {
          onMessage(message);
        }
      };
      this.#socket.onclose = async ({ wasClean }) => {
        if (this.#closing) return;
        this.#end(opened ? (wasClean ? "" : "gone") : await refusal(path));
      };
    });
    // Nobody may wait for one of them.
    this.over.catch(() => {});
    this.ready.catch(() => {});
    this.expect();
  }

  /** From now on the server has to say something every now and then. */
  expect() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#end("silent"), PATIENCE);
  }

  /** Send a message. */
  send(message) {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(encode(message));
  }

  /** End the conversation. */
  close() {
    if (!this.#closing) this.#end("");
  }
}

/** Return why a websocket was not opened. A browser does not tell; but the same address answers to a plain question. */
async function refusal(path) {
  try {
    const { status } = await fetch(path.replace(/^\//, ""), { cache: "no-store" });
    if (status === 404) return "elsewhere";
    return status >= 500 ? "gone" : "key";
  } catch {
    return "gone";
  }
}
