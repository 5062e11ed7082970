// The page of one model: what is drawn or laid on the pad is answered while it changes.

import { AnswerBars, percent } from "./answer-bars.js";
import { Answerer } from "./answering.js";
import { DrawingPad } from "./drawing-pad.js";
import { parts } from "./parts.js";

const SETTLED_MS = 700; // quiet for so long, and the answer is said aloud

const at = (id) => document.getElementById(id);
const about = JSON.parse(at("about").textContent);
const drawn = about.graphs.includes("drawing");
const pad = new DrawingPad(at("pad"), { ...about, label: "Drawing pad", describedBy: "by-keyboard" });
const bars = new AnswerBars(at("answers"), about);
const answerer = new Answerer({ ...parts(about.graphs), blackboard: drawn });
const seen = at("seen").getContext("2d", { willReadFrequently: true });

// Pictures longer than this are made smaller by the browser before the model's own steps.
const longest = Math.min(1024, Math.max(512, 3 * Math.max(about.width, about.height)));

let swap = null; // as the person says; null: as the picture's border suggests
let due = false; // a question will be asked with the next frame
let revision = 0; // counts changes of the pad, to leave out answers to what is gone
let saying; // timer of the live region

// Asking

async function ask() {
  due = false;
  const asked = revision;
  at("undo").disabled = !pad.canUndo;
  at("clear").disabled = pad.isEmpty;
  at("swapping").hidden = !(drawn && pad.picture);
  if (pad.isEmpty) return forget();
  const answer = await answerer.ask(question());
  if (!answer || pad.isEmpty) return;
  const best = bars.show(answer.probabilities);
  at("answers").dataset.revision = asked;
  at("swap").checked = answer.swapped;
  paint(answer.pixels);
  clearTimeout(saying);
  saying = setTimeout(() => say(best), SETTLED_MS);
}

function question() {
  if (drawn && !pad.picture) return { points: pad.points() };
  return { image: pad.pixels(pad.picture ? longest : longest / 2), swap: drawn ? swap : false };
}

function forget() {
  swap = null;
  bars.clear();
  at("answers").dataset.revision = revision;
  at("as-seen").hidden = true;
  clearTimeout(saying);
  at("said").textContent = "The pad is empty.";
}

function say(best) {
  const [first, second] = best;
  const next = second ? `, then ${second.name}, ${percent(second.probability)}` : "";
  at("said").textContent = `${first.name}, ${percent(first.probability)}${next}`;
}

// What the model sees of it; channels beyond a grey picture's or RGB have no look.
function paint(pixels) {
  const { width, height, channels } = about;
  const image = seen.createImageData(width, height);
  const plane = width * height;
  for (let i = 0; i < plane; i++) {
    const colour = channels === 1 || drawn ? [0, 0, 0] : [0, plane, 2 * plane];
    colour.forEach((offset, c) => (image.data[4 * i + c] = pixels[offset + i]));
    image.data[4 * i + 3] = 255;
  }
  seen.putImageData(image, 0, 0);
  at("as-seen").hidden = false;
}

pad.addEventListener("change", ({ detail }) => {
  revision += 1;
  at("hint").hidden = !pad.isEmpty;
  at("pad").dataset.revision = revision;
  if (detail.finished) ask().catch(failed);
  else if (!due) {
    due = true;
    requestAnimationFrame(() => due && ask().catch(failed));
  }
});
pad.addEventListener("pen", ({ detail }) => {
  at("said").textContent = detail.down ? "Pen down" : "Pen up";
});

// Buttons and keys

at("undo").addEventListener("click", () => pad.undo());
at("clear").addEventListener("click", () => pad.clear());
at("swap").addEventListener("change", () => {
  swap = at("swap").checked;
  ask().catch(failed);
});
document.addEventListener("keydown", (event) => {
  if (event.key.toLowerCase() === "z" && !event.shiftKey && !event.altKey) pad.undo();
  else if (event.key === "Delete" || event.key === "Backspace") pad.clear();
  else return;
  event.preventDefault();
});

// Pictures: chosen, dropped or pasted

at("open").addEventListener("click", () => at("file").click());
at("file").addEventListener("change", () => {
  lay(at("file").files[0]);
  at("file").value = ""; // so that the same file can be chosen again
});
document.addEventListener("dragover", (event) => {
  event.preventDefault();
  at("pad").classList.add("receiving");
});
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) at("pad").classList.remove("receiving");
});
document.addEventListener("drop", (event) => {
  event.preventDefault();
  at("pad").classList.remove("receiving");
  lay(event.dataTransfer.files[0]);
});
document.addEventListener("paste", (event) => lay(event.clipboardData.files[0]));

async function lay(file) {
  if (!file) return;
  try {
    const picture = await createImageBitmap(file);
    swap = null;
    at("trouble").textContent = "";
    pad.lay(picture);
  } catch {
    at("trouble").textContent = `${file.name} is not a picture that this browser can read.`;
  }
}

// Beginning

function failed(error) {
  at("waiting").hidden = true;
  at("trouble").textContent = `The model cannot be run here (${error.message}).`;
}

[at("seen").width, at("seen").height] = [about.width, about.height];
answerer.ready.then(() => {
  at("waiting").hidden = true;
  document.documentElement.dataset.ready = Math.round(performance.now());
}, failed);
