// Where the parts of a page in one file lie: in blocks of its own, base64 of gzip.

export function parts(graphs) {
  const embedded = (name) => {
    const text = atob(document.getElementById(`part-${name}`).textContent);
    const content = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) content[i] = text.charCodeAt(i);
    return content;
  };
  const worker = document.getElementById("part-worker").textContent;
  return {
    worker: URL.createObjectURL(new Blob([worker], { type: "text/javascript" })),
    runtime: embedded("runtime"),
    glue: embedded("glue"),
    wasm: embedded("wasm"),
    graphs: Object.fromEntries(graphs.map((name) => [name, embedded(name)])),
  };
}
