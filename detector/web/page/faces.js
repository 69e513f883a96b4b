// The list of faces: one card each, kept in place while its numbers change under the pointer.
const GONE_MS = 2000;          // How long a face that left is still listed.
const HELD_MS = 15000;         // And where the keyboard or the pointer is on its card.
const SVG = "http://www.w3.org/2000/svg";
const MOST_PLAIN = 9;          // Beyond as many classes there is a filter, and not every bar.
const MOST_BARS = 5;
// As on the picture: closed, open below for a misworn mask, corners for none; dots for unsure.
const LINES = {
  closed: "M3 3H19V19H3Z",
  open_below: "M7 19H3V3H19V19H15",
  corners: "M3 8V3H8M14 3H19V8M19 14V19H14M8 19H3V14",
};

export function shortName(face, about) {
  return `number ${face.track} ${face.unsure ? about.unsure_word : classOf(face, about).title}`;
}
// The colour of a face: of its class by number, since a name may hold anything.
export function colorOf(face, about) {
  return face.unsure ? "var(--unsure)" : `var(--class-${classOf(face, about).number})`;
}
function classOf(face, about) {
  return about.labels.find((label) => label.name === face.label);
}

// Why a face is unsure; the likeliest class of an unfamiliar one means nothing.
function doubt(face, label) {
  if (face.unsure_reason === "unfamiliar") return "unlike the faces it learned";
  return `perhaps ${label.title}`;
}

function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export class FaceList {
  // `correct` is told (label, track) of a corrected face; null for a list without buttons.
  constructor(list, about, correct) {
    this.list = list;
    this.about = about;
    this.correct = correct;
    this.cards = new Map();
  }

  get size() { return this.cards.size; }

  show(view, selected, whyNot) {
    const now = performance.now();
    for (const face of view.faces) {
      let card = this.cards.get(face.track);
      if (!card) {
        card = new FaceCard(face.track, this.about, this.correct);
        this.cards.set(face.track, card);
        this.insert(card);
      }
      card.show(face, now, face.track === selected, whyNot);
    }
    for (const card of this.cards.values()) {
      const silent = now - card.seenAt;
      if (silent === 0) continue;
      card.markGone();
      if (silent > (card.isHeld ? HELD_MS : GONE_MS)) {
        card.element.remove();
        this.cards.delete(card.track);
      }
    }
  }

  // By number, so that cards do not change places when people move.
  insert(card) {
    const next = [...this.cards.values()]
      .filter((other) => other.track > card.track)
      .sort((a, b) => a.track - b.track)[0];
    this.list.insertBefore(card.element, next ? next.element : null);
  }
}

class FaceCard {
  constructor(track, about, correct) {
    this.track = track;
    this.about = about;
    this.seenAt = 0;
    this.buttons = [];
    this.element = make("li", "face");
    this.element.dataset.track = String(track);
    this.element.append(this.makeHead(), this.makeBars());
    if (correct) this.element.append(this.makeCorrections(correct));
  }

  get isHeld() { return this.element.matches(":hover, :has(:focus-visible)"); }

  makeHead() {
    const head = make("div", "face-head");
    const sign = document.createElementNS(SVG, "svg");
    sign.setAttribute("viewBox", "0 0 22 22");
    sign.setAttribute("aria-hidden", "true");
    this.shapes = ["shape", "shape-color"].map((name) => {
      const path = document.createElementNS(SVG, "path");
      path.setAttribute("class", name);
      sign.append(path);
      return path;
    });
    this.name = make("span", "face-name");
    this.tag = make("span", "tag");
    this.sum = make("span", "sum");
    head.append(sign, this.name, this.tag, this.sum);
    return head;
  }

  makeBars() {
    const bars = make("div", "bars");
    this.bars = this.about.labels.map((label) => {
      const row = make("div", "bar");
      const name = make("b", "", label.title);
      const track = make("i");
      const fill = make("u");
      const words = make("span");
      track.setAttribute("aria-hidden", "true");
      name.title = label.title;
      row.style.setProperty("--bar", `var(--class-${label.number})`);
      track.append(fill);
      row.append(name, track, words);
      bars.append(row);
      return { name: label.name, row, fill, words };
    });
    this.others = make("p", "quiet");
    this.others.hidden = this.bars.length <= MOST_PLAIN;
    bars.append(this.others);
    return bars;
  }

  makeCorrections(correct) {
    const group = make("fieldset", "correct");
    const row = make("div");
    group.append(make("legend", "", `#${this.track} is really:`));
    if (this.about.labels.length > MOST_PLAIN) group.append(this.makeFilter(row));
    group.append(row);
    this.buttons = this.about.labels.map((label) => {
      const button = make("button", "", label.title);
      button.type = "button";
      button.dataset.label = label.name;
      button.setAttribute("aria-label", `Face ${this.track} is really ${label.title}: save it`);
      button.style.setProperty("--button", `var(--class-${label.number})`);
      button.addEventListener("click", () => correct(label.name, this.track));
      row.append(button);
      return button;
    });
    return group;
  }

  // A box that leaves only the buttons of some classes; Enter presses the only one that is left.
  makeFilter(row) {
    const filter = make("input", "filter");
    filter.type = "search";
    filter.placeholder = `Filter ${this.about.labels.length} classes`;
    filter.setAttribute("aria-label", `Filter the classes for face ${this.track}`);
    const none = make("p", "quiet", "No class is called so.");
    none.hidden = true;
    row.classList.add("many");
    row.append(none);
    filter.addEventListener("input", () => {
      const wanted = filter.value.trim().toLowerCase();
      this.about.labels.forEach((label, number) => {
        const names = `${label.title}\n${label.name}`.toLowerCase();
        this.buttons[number].hidden = !names.includes(wanted);
      });
      none.hidden = this.buttons.some((button) => !button.hidden);
    });
    filter.addEventListener("keydown", (event) => {
      const left = this.buttons.filter((button) => !button.hidden);
      if (event.key === "Enter" && left.length === 1) left[0].click();
    });
    return filter;
  }

  show(face, now, isSelected, whyNot) {
    const label = classOf(face, this.about);
    this.seenAt = now;
    this.element.classList.remove("is-gone");
    this.element.classList.toggle("is-unsure", face.unsure);
    this.element.style.setProperty("--label", colorOf(face, this.about));
    for (const shape of this.shapes) {
      shape.setAttribute("d", LINES[face.unsure ? "closed" : label.line]);
      if (face.unsure) shape.setAttribute("stroke-dasharray", "3 3");
      else shape.removeAttribute("stroke-dasharray");
    }
    setText(this.name, `#${face.track} ${face.unsure ? this.about.unsure_word : label.title}`);
    setText(this.tag, face.unsure ? doubt(face, label) : isSelected ? "selected" : "");
    this.tag.hidden = !this.tag.textContent;
    // The confidence in an unfamiliar face means nothing.
    setText(this.sum, face.unsure_reason === "unfamiliar" ? "" : percent(face.confidence));
    for (const bar of this.bars) {
      const value = face.probabilities[bar.name];
      bar.fill.style.width = `${(100 * value).toFixed(1)}%`;
      setText(bar.words, percent(value));
      bar.row.classList.toggle("is-best", bar.name === face.label);
    }
    this.showLargest(face);
    for (const button of this.buttons) button.disabled = Boolean(whyNot);
  }

  // Of many classes only the most probable have a bar.
  showLargest(face) {
    if (this.bars.length <= MOST_PLAIN) return;
    const order = [...this.bars].sort(
      (a, b) => face.probabilities[b.name] - face.probabilities[a.name]);
    order.forEach((bar, rank) => { bar.row.hidden = rank >= MOST_BARS; });
    const rest = order.slice(MOST_BARS).reduce((sum, bar) => sum + face.probabilities[bar.name], 0);
    setText(this.others, `${order.length - MOST_BARS} other classes: ${percent(rest)}`);
  }

  markGone() {
    if (this.element.classList.contains("is-gone")) return;
    this.element.classList.add("is-gone");
    this.tag.hidden = false;
    setText(this.tag, "gone");
    // Not `disabled` while it has the focus, which would be lost.
    for (const button of this.buttons) button.disabled = button !== document.activeElement;
  }
}

function percent(value) { return `${Math.round(100 * value)} %`; }
