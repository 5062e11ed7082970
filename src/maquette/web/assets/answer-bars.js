// The likeliest classes as bars, in order. A row keeps its class while that stays among them, and
// glides to its new rank unless the person asked for less motion.

const GLIDE = { duration: 180, easing: "ease-out" };

export class AnswerBars {
  #host;
  #rows;
  #classes;
  #calm = matchMedia("(prefers-reduced-motion: reduce)");

  // `host`: an <ol> to fill. `classes`: their names. `top`: how many are shown.
  constructor(host, { classes, top = 5 }) {
    this.#host = host;
    this.#classes = classes;
    this.#rows = Array.from({ length: Math.min(top, classes.length) }, () => new Row());
    host.classList.add("answer-bars");
    host.replaceChildren(...this.#rows.map((row) => row.element));
    this.clear();
  }

  // Show probabilities, one a class; what is shown is returned, the likeliest first.
  show(probabilities) {
    const best = likeliest(probabilities, this.#rows.length);
    const free = this.#rows.filter((row) => !best.includes(row.index));
    const ranked = best.map((index) => this.#rows.find((row) => row.index === index) ?? free.shift());
    ranked.forEach((row, rank) => row.show(best[rank], this.#classes[best[rank]], probabilities[best[rank]]));
    this.#order(ranked);
    this.#emptied(false);
    return best.map((index) => ({ name: this.#classes[index], probability: probabilities[index] }));
  }

  clear() {
    this.#emptied(true);
    for (const row of this.#rows) row.clear();
  }

  #emptied(empty) {
    this.#host.classList.toggle("empty", empty);
    this.#host.setAttribute("aria-hidden", empty);
  }

  #order(ranked) {
    const before = this.#rows;
    if (ranked.every((row, rank) => row === before[rank])) return;
    this.#rows = ranked;
    this.#host.append(...ranked.map((row) => row.element));
    if (this.#calm.matches) return;
    const height = this.#host.clientHeight / ranked.length;
    ranked.forEach((row, rank) => {
      const from = (before.indexOf(row) - rank) * height;
      if (from) row.element.animate([{ transform: `translateY(${from}px)` }, { transform: "none" }], GLIDE);
    });
  }
}

class Row {
  index = null;
  element = document.createElement("li");
  #name = document.createElement("span");
  #share = document.createElement("span");
  #bar = document.createElement("div");

  constructor() {
    const track = document.createElement("div");
    [this.#name.className, this.#share.className] = ["name", "share"];
    [track.className, this.#bar.className] = ["track", "bar"];
    track.append(this.#bar);
    this.element.append(this.#name, " ", this.#share, track);
  }

  show(index, name, probability) {
    this.index = index;
    this.#name.textContent = name;
    this.#share.textContent = percent(probability);
    this.#bar.style.transform = `scaleX(${probability})`;
  }

  clear() {
    this.index = null;
    this.#name.textContent = this.#share.textContent = "";
    this.#bar.style.transform = "scaleX(0)";
  }
}

// "0.3 %" for the small and for the nearly certain, whole between; never 100 % of anything.
export function percent(probability) {
  const hundredths = Math.min(99.9, 100 * probability);
  const fine = hundredths < 9.95 || hundredths >= 99;
  return `${fine ? hundredths.toFixed(1) : Math.round(hundredths)} %`;
}

function likeliest(probabilities, count) {
  return Array.from(probabilities.keys())
    .sort((a, b) => probabilities[b] - probabilities[a])
    .slice(0, count);
}
