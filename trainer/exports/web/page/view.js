// Draws boxes and lists of faces. Names of classes are text, never markup.

const STRONGEST = 3;

/** Make an element with its text and children. */
export function make(tag, { text, className, ...rest } = {}, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  Object.assign(element, rest);
  element.append(...children);
  return element;
}

export class Words {
  constructor(model) {
    this.model = model;
    const titles = model.classes.map((each) => each.title.toLowerCase());
    // A class may be called as the word that says that nothing is known.
    this.unsure = ["unsure", "not sure", "below the threshold"].find((word) => !titles.includes(word));
  }

  color(face) {
    return face.isSure ? this.model.classes[face.best].color : "#8a8f98";
  }

  /** Name a face in a few words: "mask, young 93%". */
  name(face) {
    if (!face.isFamiliar) return `${this.unsure}: unfamiliar`;
    const title = face.isSure ? this.model.classes[face.best].title : this.unsure;
    return `${title} ${percent(face.confidence)}`;
  }
}

export const percent = (value) => `${Math.round(100 * value)}%`;

/** Fill a list with one entry a face and its most probable classes. */
export function listFaces(list, faces, words, isGuide) {
  const { classes } = words.model;
  list.replaceChildren(...faces.map((face) => {
    const order = classes.map((_, at) => at)
      .sort((a, b) => face.probabilities[b] - face.probabilities[a]).slice(0, STRONGEST);
    const rows = order.map((at) => {
      const filled = make("i");
      filled.style.width = `${100 * face.probabilities[at]}%`;
      filled.style.background = classes[at].color;
      return make("div", { className: "row" }, make("span", { text: classes[at].title }),
        make("span", { className: "bar" }, filled), make("span", { text: percent(face.probabilities[at]) }));
    });
    const spot = make("span", { className: "spot" });
    spot.style.background = words.color(face);
    return make("li", { className: "face" }, make("b", {}, spot, words.name(face)), ...rows);
  }));
  if (!faces.length) list.append(make("li", { className: "face", text: "No face found." }));
  else if (isGuide) list.append(make("li", { className: "face" }, make("small",
    { text: "No face is looked for here: hold it in the frame in the middle." })));
}

/** Draw the boxes and names of faces.
 *  @param place Turns a box of the picture into one of the canvas, whose names are in `unit` px. */
export function drawFaces(context, faces, words, place, unit) {
  const size = 15 * unit;
  context.font = `600 ${size}px system-ui, sans-serif`;
  context.textBaseline = "middle";
  for (const face of faces) {
    const { x, y, width, height } = place(face.box);
    const color = words.color(face), text = words.name(face);
    context.lineWidth = 3 * unit;
    context.setLineDash(face.isSure ? [] : [6 * unit, 5 * unit]);
    context.strokeStyle = color;
    context.strokeRect(x, y, width, height);
    const wide = context.measureText(text).width + 12 * unit, high = size * 1.6;
    const left = Math.max(0, Math.min(x - 1.5 * unit, context.canvas.width - wide));
    const top = y - high >= 0 ? y - high : Math.min(y + height, context.canvas.height - high);
    context.fillStyle = color;
    context.fillRect(left, top, wide, high);
    context.fillStyle = isLight(color) ? "#101216" : "#fff";
    context.fillText(text, left + 6 * unit, top + high / 2);
  }
  context.setLineDash([]);
}

function isLight(color) {
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));
  return 0.299 * red + 0.587 * green + 0.114 * blue > 140;
}
