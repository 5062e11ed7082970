// Runs the exported graphs with onnxruntime-web. The first message names the parts; each further
// one is a question, answered in turn. All preprocessing is in the graphs; nothing is computed here.

const PAPER = 127.5; // a border brighter than this is paper

let ort, graphs, model, drawing, picture, blackboard;
let asked = false; // a question came

async function start(parts) {
  const loading = Object.entries(parts.graphs).map(async ([name, part]) => [name, await bytes(part)]);
  const glue = typeof parts.glue === "string" ? parts.glue : addressOf(await bytes(parts.glue));
  const runtime = typeof parts.runtime === "string" ? parts.runtime : addressOf(await bytes(parts.runtime));
  [ort] = await Promise.all([import(runtime), import(glue)]); // it will ask for the second itself
  ort.env.wasm.numThreads = 1; // more would need headers that not every host can send
  if (typeof parts.wasm === "string") ort.env.wasm.wasmPaths = { mjs: glue, wasm: parts.wasm };
  else [ort.env.wasm.wasmPaths, ort.env.wasm.wasmBinary] = [{ mjs: glue }, await bytes(parts.wasm)];
  graphs = Object.fromEntries(await Promise.all(loading));
  blackboard = parts.blackboard;
  model = await session("model");
  if (graphs.drawing) drawing = await session("drawing");
  postMessage({ ready: true });
  if (drawing && !asked) await answer({ points: new Float32Array(3) }); // the first run is slow
}

// The exporter has simplified the graphs: to do it again would only cost time before the first answer.
const AS_IT_IS = { graphOptimizationLevel: "disabled" };
const session = (name) => ort.InferenceSession.create(new Uint8Array(graphs[name]), AS_IT_IS);

async function answer({ points, image, swap }) {
  const seen = points ? await drawn(points) : await shown(image, swap);
  const { probabilities } = await model.run({ pixels: seen.pixels });
  return { probabilities: probabilities.data, pixels: seen.pixels.data, swapped: seen.swapped };
}

async function drawn(points) {
  const { pixels } = await drawing.run({ points: new ort.Tensor("float32", points, [points.length / 3, 3]) });
  return { pixels, swapped: false };
}

async function shown({ data, width, height }, swap) {
  const rgba = new ort.Tensor("uint8", new Uint8Array(data.buffer), [height, width, 4]);
  picture ??= await session("picture");
  const run = (flag) => picture.run({ rgba, swap: new ort.Tensor("uint8", [flag ? 1 : 0], [1]) });
  const { pixels, border } = await run(swap ?? false);
  const swapped = swap ?? (blackboard && border.data[0] > PAPER);
  return { pixels: swapped && !swap ? (await run(true)).pixels : pixels, swapped };
}

// From an address, or from bytes compressed with gzip.
async function bytes(part) {
  if (typeof part !== "string") return new Response(new Blob([part]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
  const response = await fetch(part);
  if (!response.ok) throw new Error(`${part}: ${response.status}`);
  return response.arrayBuffer();
}

function addressOf(script) {
  return URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
}

const started = new Promise((resolve) => {
  onmessage = ({ data: parts }) => {
    onmessage = async ({ data: question }) => {
      asked = true;
      await started;
      answer(question).then(postMessage, (error) => postMessage({ failed: String(error) }));
    };
    resolve(start(parts));
  };
});
started.catch((error) => postMessage({ broken: String(error) }));
