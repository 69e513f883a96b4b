// Several cameras: a button for each, and where all are shown a tile for each.
import { $, make, setText, showText } from "./dom.js";

// A browser opens six connections to one server: events take one, and commands need one.
const MOST_TILES = 4;
const ALL = "all";
const WORDS = {
  live: "live", waiting: "waiting for its first picture", lost: "lost, trying again", ended: "ended",
};

function describe(source) {
  const figures = [];
  if (source.state === "live") {
    if (source.fps !== null && source.fps !== undefined) figures.push(`${source.fps.toFixed(1)}/s`);
    if (source.age_ms !== null && source.age_ms !== undefined) figures.push(`${Math.round(source.age_ms)} ms`);
    figures.push(source.faces === 1 ? "1 face" : `${source.faces} faces`);
  } else figures.push(WORDS[source.state] ?? source.state);
  return figures.join(" · ");
}

export class Cameras {
  // `choose` is told the number of a source, or "all".
  constructor(choose) {
    this.choose = choose;
    this.buttons = new Map();
    this.tiles = new Map();
    this.known = "";
    this.isConnected = false;
    this.isCrowded = false;
    this.shown = null;
    this.last = 0;
  }

  get areSeveral() { return this.buttons.size > 2; }

  // All of them, or again the one that was shown last.
  toggleAll() { this.choose(this.shown === ALL ? this.last : ALL); }

  // True while tiles stand in the place of the one picture.
  get hasTiles() { return !$("tiles").hidden; }

  show(view) {
    const sources = view.sources ?? [];
    const shown = view.shown ?? (sources.length > 1 ? view.controls.source : null);
    this.shown = shown;
    if (shown !== ALL && shown !== null) this.last = shown;
    $("cameras").hidden = sources.length < 2;
    this.rebuild(sources);
    for (const source of sources) {
      const words = describe(source);
      for (const parts of [this.buttons.get(source.id), this.tiles.get(source.id)]) {
        parts.element.dataset.state = source.state;
        setText(parts.words, words);
      }
    }
    for (const [id, parts] of this.buttons)
      parts.element.setAttribute("aria-pressed", String(id === shown));
    const isGrid = shown === ALL && sources.length > 1 && sources.length <= MOST_TILES && !this.isCrowded;
    this.showTiles(isGrid);
    return isGrid;
  }

  rebuild(sources) {
    const known = JSON.stringify(sources.map((source) => [source.id, source.name]));
    if (known === this.known) return;
    this.known = known;
    this.disconnect();
    this.buttons.clear();
    this.tiles.clear();
    if (sources.length > 1) this.buttons.set(ALL, this.makeButton(ALL, "All cameras"));
    for (const source of sources) {
      this.buttons.set(source.id, this.makeButton(source.id, source.name));
      this.tiles.set(source.id, this.makeTile(source));
    }
    $("cameras").replaceChildren(...[...this.buttons.values()].map((parts) => parts.element));
    $("tiles").replaceChildren(...[...this.tiles.values()].map((parts) => parts.element));
    $("tiles").style.setProperty("--columns", String(Math.ceil(Math.sqrt(sources.length))));
  }

  makeButton(id, name) {
    const element = make("button", "camera");
    const words = make("span", "quiet");
    element.type = "button";
    element.dataset.source = String(id);
    element.append(make("b", "", name), words);
    element.addEventListener("click", () => this.choose(id));
    return { element, words };
  }

  makeTile(source) {
    const parts = this.makeButton(source.id, source.name);
    const picture = make("img");
    picture.alt = "";
    picture.addEventListener("error", () => {
      // One client too many for the program: the picture of all is one stream.
      if (this.isConnected && picture.getAttribute("src")) this.isCrowded = true;
    });
    parts.element.className = "tile";
    parts.element.prepend(picture);
    return { ...parts, picture };
  }

  showTiles(isShown) {
    $("tiles").hidden = !isShown;
    if (isShown === this.isConnected) return;
    if (isShown) this.connect();
    else this.disconnect();
  }

  connect() {
    this.isConnected = true;
    for (const [id, tile] of this.tiles) tile.picture.src = `/stream.mjpg?source=${id}&${Date.now()}`;
  }

  // Without this the browser goes on to read the streams.
  disconnect() {
    this.isConnected = false;
    for (const tile of this.tiles.values()) tile.picture.removeAttribute("src");
  }

  // The tiles as one picture, for when the program is gone; null while one is not there.
  paint() {
    if (!this.hasTiles) return null;
    const pictures = [...this.tiles.values()].map((tile) => tile.picture).filter((each) => each.naturalWidth);
    if (!pictures.length) return null;
    const columns = Math.ceil(Math.sqrt(pictures.length));
    const width = 480, height = 360;
    const canvas = make("canvas");
    canvas.width = columns * width;
    canvas.height = Math.ceil(pictures.length / columns) * height;
    const pen = canvas.getContext("2d");
    pictures.forEach((picture, place) => {
      const scale = Math.min(width / picture.naturalWidth, height / picture.naturalHeight);
      const [w, h] = [picture.naturalWidth * scale, picture.naturalHeight * scale];
      const x = (place % columns) * width + (width - w) / 2;
      const y = Math.floor(place / columns) * height + (height - h) / 2;
      pen.drawImage(picture, x, y, w, h);
    });
    return canvas;
  }
}

// The list of cameras of which one is watched at a time.
export function showChoice(controls, hasSources) {
  $("camera-choice").hidden = hasSources || controls.sources.length < 2;
  const names = JSON.stringify(controls.sources);
  if ($("camera").dataset.names !== names) {
    $("camera").dataset.names = names;
    $("camera").replaceChildren(...controls.sources.map((name, index) => new Option(name, index)));
  }
  if (document.activeElement !== $("camera")) $("camera").value = String(controls.source);
}
