// A pad to draw on with mouse, touch, pen or keyboard, and to lay a picture on.
//
// It keeps what was drawn as strokes of points, so that any size can be made of it, and emits
// "change" (detail.finished: a stroke ended, or something happened at once) and "pen" (detail.down:
// the keyboard's pen was put down or lifted). It knows nothing of models. Many may live on a page.

const SIDE = 256; // the pad's shorter side in its own units; a point is [x, y, milliseconds]
const PEN = 5.6; // width of the pen in those units
const STEP = 8; // one press of an arrow key; a quarter of it with Shift held
const NEAR = 1; // a pen that moved less has not moved
const STRAIGHT = 0.4; // points so near to the line between others are left out of finished strokes
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class DrawingPad extends EventTarget {
  #canvas = document.createElement("canvas");
  #cursor = document.createElement("div");
  #history = [{ strokes: [], picture: null }]; // what undo goes back through; the last is shown
  #stroke = null; // being drawn
  #pointer = null; // that draws it
  #pen = { x: 0, y: 0, down: false }; // of the keyboard
  #began = null; // time of the first point
  #listening = new AbortController();
  #resizing = new ResizeObserver(() => this.#redraw());

  // `host`: an element without content, whose width decides the pad's. `width` and `height` give
  // its proportions; `fit` how pictures fill it: cover, contain or stretch. `label` is what a screen
  // reader calls it, `describedBy` the id of an explanation.
  constructor(host, { width = 1, height = 1, fit = "cover", label = "Drawing pad", describedBy } = {}) {
    super();
    this.width = (SIDE * width) / Math.min(width, height);
    this.height = (SIDE * height) / Math.min(width, height);
    this.fit = fit;
    this.#pen.x = this.width / 2;
    this.#pen.y = this.height / 2;
    const canvas = this.#canvas;
    canvas.tabIndex = 0;
    canvas.setAttribute("role", "application");
    canvas.setAttribute("aria-roledescription", "drawing pad");
    canvas.setAttribute("aria-label", label);
    if (describedBy) canvas.setAttribute("aria-describedby", describedBy);
    this.#cursor.className = "cursor";
    this.#cursor.hidden = true;
    host.classList.add("drawing-pad");
    host.style.setProperty("--shape", `${this.width} / ${this.height}`);
    host.replaceChildren(canvas, this.#cursor);
    this.#listen();
    this.#resizing.observe(canvas);
  }

  // Strokes in the order they were drawn, the one under the pen included.
  get strokes() {
    const { strokes } = this.#history.at(-1);
    return this.#stroke ? [...strokes, this.#stroke] : strokes;
  }

  // The picture laid on the pad, or null.
  get picture() {
    return this.#history.at(-1).picture;
  }

  get isEmpty() {
    return this.strokes.length === 0 && !this.picture;
  }

  get canUndo() {
    return this.#history.length > 1;
  }

  // x, y and number of the stroke for every point, one after the other: float32.
  points() {
    return Float32Array.from(
      this.strokes.flatMap((stroke, number) => stroke.flatMap(([x, y]) => [x, y, number])),
    );
  }

  // Everything on the pad as a person sees it, as ImageData: the picture in its own size, at most
  // `longest` px, or white paper that long, with the strokes upon it in black.
  pixels(longest) {
    const [width, height] = this.picture ? [this.picture.width, this.picture.height] : [this.width, this.height];
    const scale = this.picture ? Math.min(1, longest / Math.max(width, height)) : longest / Math.max(width, height);
    const sheet = new OffscreenCanvas(Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale)));
    const context = sheet.getContext("2d", { willReadFrequently: true });
    context.fillStyle = "#fff";
    context.fillRect(0, 0, sheet.width, sheet.height);
    if (this.picture) {
      context.imageSmoothingQuality = "high";
      context.drawImage(this.picture, 0, 0, sheet.width, sheet.height);
      const { left, top, wide, high } = this.#place(this.picture);
      context.scale(sheet.width / wide, sheet.height / high);
      context.translate(-left, -top);
    } else {
      context.scale(sheet.width / this.width, sheet.height / this.height);
    }
    for (const stroke of this.strokes) trace(context, stroke, "#000");
    return context.getImageData(0, 0, sheet.width, sheet.height);
  }

  undo() {
    this.#endStroke();
    if (!this.canUndo) return;
    this.#history.pop();
    this.#changed();
  }

  clear() {
    this.#endStroke();
    if (!this.isEmpty) this.#next({ strokes: [], picture: null });
  }

  // Lay a picture (ImageBitmap) on the pad in place of everything.
  lay(picture) {
    this.#endStroke();
    this.#next({ strokes: [], picture });
  }

  focus() {
    this.#canvas.focus();
  }

  // Stop listening; the pad can be thrown away.
  close() {
    this.#listening.abort();
    this.#resizing.disconnect();
  }

  #listen() {
    const on = (type, what) => this.#canvas.addEventListener(type, what, { signal: this.#listening.signal });
    on("pointerdown", (event) => this.#down(event));
    on("pointermove", (event) => this.#move(event));
    on("pointerup", (event) => this.#up(event));
    on("pointercancel", (event) => this.#up(event));
    on("contextmenu", (event) => event.preventDefault());
    on("keydown", (event) => this.#key(event));
    on("blur", () => this.#lift());
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#redraw(), {
      signal: this.#listening.signal,
    });
  }

  // Pointers

  #down(event) {
    if (this.#pointer !== null || event.button !== 0) return;
    this.#lift();
    this.#cursor.hidden = true;
    this.#pointer = event.pointerId;
    this.#canvas.setPointerCapture(event.pointerId);
    this.#stroke = [];
    this.#add(event);
  }

  #move(event) {
    if (event.pointerId !== this.#pointer) return;
    const all = event.getCoalescedEvents();
    for (const moved of all.length ? all : [event]) this.#add(moved);
  }

  #up(event) {
    if (event.pointerId !== this.#pointer) return;
    this.#endStroke();
  }

  #add(event) {
    const box = this.#canvas.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * this.width;
    const y = ((event.clientY - box.top) / box.height) * this.height;
    this.#extend(x, y, event.timeStamp);
  }

  // Keyboard

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const arrow = ARROWS[event.key];
    if (arrow) this.#go(arrow, event);
    else if (event.key === " " || event.key === "Enter") this.#toggle(event);
    else if (event.key === "Escape") this.#lift();
    else return;
    event.preventDefault();
  }

  #go([right, down], { shiftKey, timeStamp }) {
    const pen = this.#pen;
    const step = shiftKey ? STEP / 4 : STEP;
    pen.x = Math.min(this.width, Math.max(0, pen.x + right * step));
    pen.y = Math.min(this.height, Math.max(0, pen.y + down * step));
    if (pen.down) this.#extend(pen.x, pen.y, timeStamp);
    this.#showCursor();
  }

  #toggle({ timeStamp, repeat }) {
    if (repeat) return;
    if (this.#pen.down) return void this.#lift();
    this.#endStroke();
    this.#pen.down = true;
    this.#stroke = [];
    this.#extend(this.#pen.x, this.#pen.y, timeStamp);
    this.#showCursor();
    this.dispatchEvent(new CustomEvent("pen", { detail: { down: true } }));
  }

  #lift() {
    if (!this.#pen.down) return;
    this.#endStroke();
    this.#showCursor();
  }

  #showCursor() {
    this.#cursor.hidden = false;
    this.#cursor.classList.toggle("down", this.#pen.down);
    this.#cursor.style.left = `${(100 * this.#pen.x) / this.width}%`;
    this.#cursor.style.top = `${(100 * this.#pen.y) / this.height}%`;
  }

  // What is drawn

  #extend(x, y, time) {
    const stroke = this.#stroke;
    const last = stroke.at(-1);
    if (last && Math.hypot(x - last[0], y - last[1]) < NEAR) return;
    this.#began ??= time;
    stroke.push([x, y, Math.round(time - this.#began)]);
    trace(this.#context(), stroke, this.#ink(), Math.max(0, stroke.length - 2));
    this.#emit(false);
  }

  #endStroke() {
    if (!this.#stroke) return;
    const stroke = simplified(this.#stroke);
    const penWasDown = this.#pen.down;
    this.#stroke = this.#pointer = null;
    this.#pen.down = false;
    const { strokes, picture } = this.#history.at(-1);
    this.#history.push({ strokes: [...strokes, stroke], picture });
    this.#redraw();
    this.#emit(true);
    if (penWasDown) this.dispatchEvent(new CustomEvent("pen", { detail: { down: false } }));
  }

  #next(state) {
    this.#history.push(state);
    this.#changed();
  }

  #changed() {
    if (this.isEmpty) this.#began = null;
    this.#redraw();
    this.#emit(true);
  }

  #emit(finished) {
    this.dispatchEvent(new CustomEvent("change", { detail: { finished } }));
  }

  #redraw() {
    const canvas = this.#canvas;
    const sharp = Math.min(3, devicePixelRatio || 1);
    const width = Math.max(1, Math.round(canvas.clientWidth * sharp));
    const height = Math.max(1, Math.round(canvas.clientHeight * sharp));
    if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
    const context = this.#context();
    context.clearRect(0, 0, this.width, this.height);
    if (this.picture) {
      const { left, top, wide, high } = this.#place(this.picture);
      context.imageSmoothingQuality = "high";
      context.drawImage(this.picture, left, top, wide, high);
    }
    for (const stroke of this.strokes) trace(context, stroke, this.#ink());
  }

  #context() {
    const context = this.#canvas.getContext("2d");
    context.setTransform(this.#canvas.width / this.width, 0, 0, this.#canvas.height / this.height, 0, 0);
    return context;
  }

  // On a picture the pen is black, as in `pixels`; else it has the colour of the page's text.
  #ink() {
    return this.picture ? "#000" : getComputedStyle(this.#canvas).color;
  }

  // Where a picture lies on the pad, in its units.
  #place(picture) {
    const across = this.width / picture.width;
    const down = this.height / picture.height;
    const scale = this.fit === "contain" ? Math.min(across, down) : Math.max(across, down);
    const wide = this.fit === "stretch" ? this.width : picture.width * scale;
    const high = this.fit === "stretch" ? this.height : picture.height * scale;
    return { left: (this.width - wide) / 2, top: (this.height - high) / 2, wide, high };
  }
}

// The stroke without points that hardly bend it, as published drawings come, though five times finer
// (Ramer 1972, Douglas and Peucker 1973). A model is given fewer points, and answers sooner.
function simplified(stroke) {
  const kept = new Set([0, stroke.length - 1]);
  const open = [[0, stroke.length - 1]];
  while (open.length) {
    const [first, last] = open.pop();
    let [farthest, distance] = [first, STRAIGHT];
    for (let i = first + 1; i < last; i++) {
      const away = distanceToLine(stroke[i], stroke[first], stroke[last]);
      if (away > distance) [farthest, distance] = [i, away];
    }
    if (farthest === first) continue;
    kept.add(farthest);
    open.push([first, farthest], [farthest, last]);
  }
  return stroke.filter((_, i) => kept.has(i));
}

function distanceToLine([x, y], [fromX, fromY], [toX, toY]) {
  const [right, down] = [toX - fromX, toY - fromY];
  const length = Math.hypot(right, down);
  if (length === 0) return Math.hypot(x - fromX, y - fromY);
  const along = Math.min(1, Math.max(0, ((x - fromX) * right + (y - fromY) * down) / length ** 2));
  return Math.hypot(x - fromX - along * right, y - fromY - along * down);
}

// Draw a stroke's lines from point number `first` on.
function trace(context, stroke, colour, first = 0) {
  context.lineWidth = PEN;
  context.lineCap = context.lineJoin = "round";
  context.strokeStyle = colour;
  context.beginPath();
  context.moveTo(stroke[first][0], stroke[first][1]);
  for (const [x, y] of stroke.slice(first)) context.lineTo(x, y);
  context.stroke();
}
