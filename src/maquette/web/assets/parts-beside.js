// Where the parts of a site lie: beside this file.

export function parts(graphs) {
  const beside = (name) => new URL(name, import.meta.url).href;
  return {
    worker: beside("answering-worker.js"),
    runtime: beside("ort.wasm.min.js"),
    glue: beside("ort-wasm-simd-threaded.js"),
    wasm: beside("ort-wasm-simd-threaded.wasm"),
    graphs: Object.fromEntries(graphs.map((name) => [name, beside(`${name}.onnx`)])),
  };
}
