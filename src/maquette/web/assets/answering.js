// Answers from the exported model, worked out beside the page so that drawing never waits for it.
//
// `parts` says where everything is: {worker, runtime, glue, wasm, graphs: {model, drawing?, picture}},
// each an address or, but for the worker, bytes (see answering-worker.js). The latest question wins:
// one is being answered, one waits, and one overtaken while waiting is answered with null.

export class Answerer {
  #worker;
  #asked = null; // being answered
  #waiting = null;

  // `ready` settles when the model can answer, or cannot be run; questions need not wait for it.
  constructor(parts) {
    this.#worker = new Worker(parts.worker); // a classic one: from disk no other can be had
    this.ready = new Promise((resolve, reject) => {
      this.#worker.onmessage = ({ data }) => {
        if (data.ready) resolve();
        else if (data.broken) reject(new Error(data.broken));
        else this.#answered(data);
      };
      this.#worker.onerror = (event) => reject(new Error(event.message ?? "its worker does not start"));
    });
    this.#worker.postMessage(parts);
  }

  // `question`: {points} (float32, as DrawingPad.points gives them) or {image} (ImageData, and `swap`:
  // true or false to swap light and dark, null to swap what is drawn on bright paper). The answer:
  // {probabilities, pixels (as the model sees them, uint8), swapped}.
  ask(question) {
    return new Promise((resolve, reject) => {
      const asked = { question, resolve, reject };
      if (!this.#asked) return this.#send(asked);
      this.#waiting?.resolve(null);
      this.#waiting = asked;
    });
  }

  close() {
    this.#worker.terminate();
  }

  #send(asked) {
    this.#asked = asked;
    this.#worker.postMessage(asked.question);
  }

  #answered(answer) {
    const { resolve, reject } = this.#asked;
    this.#asked = null;
    if (this.#waiting) this.#send(this.#waiting);
    this.#waiting = null;
    if (answer.failed) reject(new Error(answer.failed));
    else resolve(answer);
  }
}
