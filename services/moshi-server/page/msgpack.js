// The part of MessagePack that moshi-server speaks: maps, arrays, text, numbers, booleans and nothing.
// https://github.com/msgpack/msgpack/blob/master/spec.md

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Return a message as bytes; numbers in a Float32Array are written as 32-bit floats, other numbers must be whole. */
export function encode(message) {
  const parts = [];
  write(message, parts);
  const size = parts.reduce((sum, part) => sum + part.length, 0);
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function write(value, parts) {
  if (typeof value === "string") {
    const text = encoder.encode(value);
    parts.push(head(text.length, 0xa0, 31, 0xd9, 0xda, 0xdb), text);
  } else if (Number.isInteger(value) && value >= 0 && value < 128) {
    parts.push(Uint8Array.of(value));
  } else if (value instanceof Float32Array) {
    parts.push(head(value.length, 0x90, 15, 0, 0xdc, 0xdd), floats(value));
  } else if (value && Object.getPrototypeOf(value) === Object.prototype) {
    const entries = Object.entries(value);
    parts.push(head(entries.length, 0x80, 15, 0, 0xde, 0xdf));
    for (const [key, inner] of entries) {
      write(key, parts);
      write(inner, parts);
    }
  } else {
    throw new TypeError(`cannot be sent: ${value}`);
  }
}

/** Return the bytes that tell a kind and a length: in one byte up to `most`, else with 8, 16 or 32 bits of length. */
function head(length, fixed, most, one, two, four) {
  if (length <= most) return Uint8Array.of(fixed | length);
  if (one && length < 1 << 8) return Uint8Array.of(one, length);
  if (length < 1 << 16) return Uint8Array.of(two, length >> 8, length & 255);
  return Uint8Array.of(four, length >>> 24, (length >> 16) & 255, (length >> 8) & 255, length & 255);
}

function floats(values) {
  const view = new DataView(new ArrayBuffer(5 * values.length));
  values.forEach((value, index) => {
    view.setUint8(5 * index, 0xca);
    view.setFloat32(5 * index + 1, value);
  });
  return new Uint8Array(view.buffer);
}

/** Return the message that an ArrayBuffer holds. */
export function decode(buffer) {
  const reader = new Reader(buffer);
  const message = reader.value();
  if (reader.at !== buffer.byteLength) throw new RangeError("more bytes than a message");
  return message;
}

class Reader {
  constructor(buffer) {
    this.view = new DataView(buffer);
    this.at = 0;
  }

  take(size) {
    this.at += size;
    return this.at - size;
  }

  unsigned(size) {
    const at = this.take(size);
    if (size === 8) return Number(this.view.getBigUint64(at));
    return size === 1 ? this.view.getUint8(at) : size === 2 ? this.view.getUint16(at) : this.view.getUint32(at);
  }

  signed(size) {
    const at = this.take(size);
    if (size === 8) return Number(this.view.getBigInt64(at));
    return size === 1 ? this.view.getInt8(at) : size === 2 ? this.view.getInt16(at) : this.view.getInt32(at);
  }

  value() {
    const tag = this.unsigned(1);
    if (tag < 0x80) return tag;
    if (tag < 0x90) return this.map(tag & 15);
    if (tag < 0xa0) return this.array(tag & 15);
    if (tag < 0xc0) return this.text(tag & 31);
    if (tag >= 0xe0) return tag - 256;
    switch (tag) {
      case 0xc0: return null;
      case 0xc2: return false;
      case 0xc3: return true;
      case 0xca: return this.view.getFloat32(this.take(4));
      case 0xcb: return this.view.getFloat64(this.take(8));
      case 0xcc: case 0xcd: case 0xce: case 0xcf: return this.unsigned(1 << (tag - 0xcc));
      case 0xd0: case 0xd1: case 0xd2: case 0xd3: return this.signed(1 << (tag - 0xd0));
      case 0xd9: case 0xda: case 0xdb: return this.text(this.unsigned(1 << (tag - 0xd9)));
      case 0xdc: case 0xdd: return this.array(this.unsigned(2 << (tag - 0xdc)));
      case 0xde: case 0xdf: return this.map(this.unsigned(2 << (tag - 0xde)));
      default: throw new RangeError(`unknown byte 0x${tag.toString(16)}`);
    }
  }

  text(size) {
    return decoder.decode(new Uint8Array(this.view.buffer, this.take(size), size));
  }

  array(size) {
    return Array.from({ length: size }, () => this.value());
  }

  map(size) {
    const found = {};
    for (let index = 0; index < size; index++) {
      const key = this.value();
      found[key] = this.value();
    }
    return found;
  }
}
