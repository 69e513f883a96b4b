// The list of faces: one card each, kept in place while its numbers change under the pointer.
const GONE_MS = 2000;          // How long a face that left is still listed.
const HELD_MS = 15000;         // And where the keyboard or the pointer is on its card.
const SVG = "http://www.w3.org/2000/svg";
// As on the picture: closed for a mask, corners for none, dots for unsure.
const CLOSED = "M3 3H19V19H3Z";
const CORNERS = "M3 8V3H8M14 3H19V8M19 14V19H14M8 19H3V14";

export function shortName(face, labels) {
  const title = labels.find((label) => label.name === face.label).title;
  return `number ${face.track} ${face.unsure ? "unsure" : title}`;
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
      const track = make("i");
      const fill = make("u");
      const words = make("span");
      track.setAttribute("aria-hidden", "true");
      row.style.setProperty("--bar", `var(--${label.name})`);
      track.append(fill);
      row.append(make("b", "", label.title), track, words);
      bars.append(row);
      return { name: label.name, row, fill, words };
    });
    return bars;
  }

  makeCorrections(correct) {
    const group = make("fieldset", "correct");
    const row = make("div");
    group.append(make("legend", "", `#${this.track} is really:`), row);
    this.buttons = this.about.labels.map((label) => {
      const button = make("button", "", label.title);
      button.type = "button";
      button.dataset.label = label.name;
      button.setAttribute("aria-label", `Face ${this.track} is really ${label.title}: save it`);
      button.style.setProperty("--button", `var(--${label.name})`);
      button.addEventListener("click", () => correct(label.name, this.track));
      row.append(button);
      return button;
    });
    return group;
  }

  show(face, now, isSelected, whyNot) {
    const label = this.about.labels.find((each) => each.name === face.label);
    this.seenAt = now;
    this.element.classList.remove("is-gone");
    this.element.classList.toggle("is-unsure", face.unsure);
    this.element.style.setProperty(
      "--label", face.unsure ? "var(--unsure)" : `var(--${face.label})`);
    for (const shape of this.shapes) {
      shape.setAttribute("d", !face.unsure && !label.has_mask ? CORNERS : CLOSED);
      if (face.unsure) shape.setAttribute("stroke-dasharray", "3 3");
      else shape.removeAttribute("stroke-dasharray");
    }
    setText(this.name, `#${face.track} ${face.unsure ? "unsure" : label.title}`);
    setText(this.tag, face.unsure ? `perhaps ${label.title}` : isSelected ? "selected" : "");
    this.tag.hidden = !this.tag.textContent;
    setText(this.sum, percent(face.confidence));
    for (const bar of this.bars) {
      const value = face.probabilities[bar.name];
      bar.fill.style.width = `${(100 * value).toFixed(1)}%`;
      setText(bar.words, percent(value));
      bar.row.classList.toggle("is-best", bar.name === face.label);
    }
    for (const button of this.buttons) button.disabled = Boolean(whyNot);
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
