"use strict";

// The worker: runs the library, which reads files by ranges and answers in one piece.
let ready = null;

async function load(code) {
  const go = new Go();
  const { instance } = await WebAssembly.instantiate(code, go.importObject);
  go.run(instance);
}

const tell = (stage, step, steps, read, total) => postMessage({ is: "progress", stage, step, steps, read, total });

onmessage = async ({ data }) => {
  try {
    if (data.code) {
      ready = load(data.code);
      return;
    }
    await ready;
    const [a, b] = data.files;
    postMessage({ is: "done", ...(await weightprint.compare(a, b, data.options, tell)) });
  } catch (problem) {
    postMessage({ is: "failed", error: problem.message || String(problem) });
  }
};
