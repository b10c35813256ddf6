// Runs Perfetto's trace processor (WebAssembly, as it lies in the folder argv[2]) under Node, without a browser.
// stdin and stdout carry frames: four bytes with the length of what follows, little endian, and a TraceProcessorRpcStream.
"use strict";
const fs = require("fs");
const path = require("path");
const vm = require("vm");

const folder = process.argv[2];
const node = process;
const say = (...words) => node.stderr.write(words.join(" ") + "\n");
Object.assign(console, { log: say, warn: say, error: say }); // stdout belongs to the frames

// What the bundle expects of a worker in a browser.
const script = path.join(folder, "engine_bundle.js");
const read = (url) => fs.readFileSync(path.join(folder, path.basename(String(url))));
globalThis.self = globalThis;
globalThis.WorkerGlobalScope = function () {};
globalThis.location = { href: "file://" + script, pathname: script };
globalThis.importScripts = () => {};
globalThis.fetch = async (url) => {
  const bytes = read(url);
  const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
  return { ok: true, status: 200, arrayBuffer: async () => buffer, headers: { get: () => null } };
};
globalThis.XMLHttpRequest = class {
  open(_method, url) { this.url = url; }
  send() {
    const bytes = read(this.url);
    this.status = 200;
    this.response = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
  }
};
// Without `process` the bundle does not take Node for its host.
Object.defineProperty(globalThis, "process", { value: undefined, configurable: true, writable: true });
vm.runInThisContext(fs.readFileSync(script, "utf8"), { filename: script });
Object.defineProperty(globalThis, "process", { value: node, configurable: true, writable: true });

function write(bytes) {
  for (let done = 0; done < bytes.length; ) {
    try {
      done += fs.writeSync(1, bytes, done);
    } catch (error) {
      if (error.code !== "EAGAIN") throw error;
    }
  }
}
const port = { postMessage: write, onmessage: null };
globalThis.onmessage({ data: port });

let waiting = Buffer.alloc(0);
node.stdin.on("data", (bytes) => {
  waiting = Buffer.concat([waiting, bytes]);
  while (waiting.length >= 4) {
    const end = 4 + waiting.readUInt32LE(0);
    if (waiting.length < end) return;
    port.onmessage({ data: new Uint8Array(waiting.subarray(4, end)) });
    waiting = waiting.subarray(end);
  }
});
node.stdin.on("end", () => node.exit(0));
