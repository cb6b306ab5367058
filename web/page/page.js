"use strict";

// The page: takes files, has a worker compare them, and shows what it found.
const at = (id) => document.getElementById(id);
const sides = [...document.querySelectorAll(".side")];
const chosen = sides.map(() => []);
let worker = null;
let saved = null;

// library is the program, compiled and compressed, as it stands in this page.
async function library() {
  const text = atob(at("library").textContent.trim());
  const bytes = Uint8Array.from(text, (c) => c.charCodeAt(0));
  const inflate = new DecompressionStream("gzip");
  const into = inflate.writable.getWriter();
  into.write(bytes);
  into.close();
  return new Response(inflate.readable).arrayBuffer();
}

// start makes the worker, which lives as long as the page or until it is stopped.
async function start() {
  const source = new Blob([WORKER], { type: "text/javascript" });
  worker = new Worker(URL.createObjectURL(source));
  worker.onmessage = ({ data }) => heard[data.is](data);
  worker.onerror = (e) => failed({ error: e.message });
  const code = await library();
  worker.postMessage({ code }, [code]);
}

const heard = { progress, done, failed };

function progress({ stage, step, steps, read, total }) {
  const names = { align: "finding what stands against what", test: "testing", measure: "measuring the differences", carry: "running the networks", decide: "drawing the verdict" };
  at("words").textContent = `${step} of ${steps}: ${names[stage] || stage}; ${(read / 1048576).toFixed(1)} of at most ${(total / 1048576).toFixed(1)} MiB read`;
  at("bar").value = total > 0 ? read / total : 0;
}

function done({ relation, html, text, json }) {
  busy(false);
  saved = { html, json };
  at("words").textContent = "";
  at("result").hidden = false;
  at("verdict").textContent = relation.toUpperCase();
  at("text").textContent = text;
  at("report").srcdoc = html;
  at("verdict").focus();
}

function failed({ error }) {
  busy(false);
  at("words").textContent = error;
  at("words").className = "bad";
}

function busy(is) {
  at("compare").disabled = is || chosen.some((files) => files.length === 0);
  at("stop").hidden = at("bar").hidden = !is;
}

// take keeps the files of a side, hidden ones aside.
function take(i, files) {
  chosen[i] = [...files].filter((f) => !f.name.startsWith("."));
  const size = chosen[i].reduce((n, f) => n + f.size, 0);
  const words = chosen[i].length === 1 ? chosen[i][0].name : `${chosen[i].length} files`;
  sides[i].querySelector(".chosen").textContent = chosen[i].length ? `${words}, ${(size / 1048576).toFixed(1)} MiB` : "no file yet";
  busy(false);
}

// dropped lists the files of a drop, those at the top of a folder included.
async function dropped(transfer) {
  const entries = [...transfer.items].map((x) => x.webkitGetAsEntry && x.webkitGetAsEntry());
  if (!entries.some((e) => e && e.isDirectory)) return [...transfer.files];
  const out = [];
  for (const e of entries) {
    const found = e.isDirectory ? await listed(e) : [e];
    for (const f of found.filter((f) => f.isFile)) out.push(await new Promise((ok, no) => f.file(ok, no)));
  }
  return out;
}

// listed reads a folder, which comes in portions.
async function listed(folder) {
  const reader = folder.createReader();
  const out = [];
  for (;;) {
    const some = await new Promise((ok, no) => reader.readEntries(ok, no));
    if (some.length === 0) return out;
    out.push(...some);
  }
}

sides.forEach((side, i) => {
  side.addEventListener("dragover", (e) => { e.preventDefault(); side.classList.add("over"); });
  side.addEventListener("dragleave", () => side.classList.remove("over"));
  side.addEventListener("drop", async (e) => {
    e.preventDefault();
    side.classList.remove("over");
    take(i, await dropped(e.dataTransfer));
  });
  for (const input of side.querySelectorAll("input")) {
    // Of a folder only what lies at its top belongs to the model.
    input.addEventListener("change", () => take(i, [...input.files].filter((f) => f.webkitRelativePath.split("/").length <= 2)));
  }
});
for (const event of ["dragover", "drop"]) addEventListener(event, (e) => e.preventDefault());

at("form").addEventListener("submit", async (e) => {
  e.preventDefault();
  busy(true);
  at("result").hidden = true;
  at("words").className = "";
  at("words").textContent = "opening the files";
  try {
    if (!worker) await start();
    worker.postMessage({ files: chosen, options: { budget: at("budget").value, depth: at("depth").value, nonce: at("nonce").value, columns: columns() } });
  } catch (problem) {
    failed({ error: String(problem) });
  }
});

at("stop").addEventListener("click", () => {
  worker.terminate();
  worker = null;
  busy(false);
  at("words").textContent = "stopped";
});

// columns is how many letters of the short form fit into a line, 80 at most.
function columns() {
  const line = document.body.appendChild(document.createElement("pre"));
  const inner = line.clientWidth - 2 * parseFloat(getComputedStyle(line).paddingLeft);
  const letter = line.appendChild(document.createElement("span"));
  letter.textContent = "0".repeat(40);
  const wide = letter.getBoundingClientRect().width / 40;
  line.remove();
  return Math.max(40, Math.min(80, Math.floor(inner / wide)));
}

function save(name, type, text) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}
at("save-html").addEventListener("click", () => save("report.html", "text/html", saved.html));
at("save-json").addEventListener("click", () => save("report.json", "application/json", saved.json));

// The report is as high as what it holds. It has no script of its own.
function fit() {
  const inner = at("report").contentDocument;
  if (inner && inner.body) at("report").style.setProperty("height", `${inner.documentElement.scrollHeight + 4}px`);
}
at("report").addEventListener("load", () => {
  at("report").contentDocument.addEventListener("toggle", fit, true);
  fit();
});
addEventListener("resize", fit);
