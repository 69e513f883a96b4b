// Faces second by second, as an SVG: lines that differ in colour and in dashes.
const SVG = "http://www.w3.org/2000/svg";
const LEFT = 30, RIGHT = 8, TOP = 8, BOTTOM = 22;
const MOST_LINES = 4;          // More could not be told apart: the others are one line together.
const MASK_LINES = { worn: "masked", misworn: "misworn", none: "unmasked" };

function make(tag, attributes, text) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

// `rows`: [second, one mean for each of `about.series`, unsure], oldest first.
export function drawChart({ svg, words, legend }, rows, about) {
  const spanS = about.counted_s;
  const lines = chooseLines(rows, about);
  const width = Math.max(200, svg.clientWidth), height = svg.clientHeight || 190;
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const newest = rows.length ? rows[rows.length - 1][0] : Math.floor(Date.now() / 1000);
  const most = niceTop(Math.max(1, ...rows.flatMap((row) => lines.map((line) => line.of(row)))));
  const x = (second) => LEFT + (width - LEFT - RIGHT) * (1 - (newest - second) / spanS);
  const y = (count) => TOP + (height - TOP - BOTTOM) * (1 - count / most);
  const parts = [];
  for (const count of [...new Set([0, most / 2, most])].filter(Number.isInteger)) {
    parts.push(make("line", { class: "grid", x1: LEFT, x2: width - RIGHT, y1: y(count), y2: y(count) }));
    parts.push(make("text", { x: LEFT - 6, y: y(count) + 4, "text-anchor": "end" }, String(count)));
  }
  const stepMinutes = width < 420 ? 2 : 1;
  for (let minutes = 0; minutes * 60 <= spanS; minutes += stepMinutes) {
    const anchor = minutes === 0 ? "end" : minutes * 60 === spanS ? "start" : "middle";
    parts.push(make("text", { x: x(newest - 60 * minutes), y: height - 5, "text-anchor": anchor },
      minutes === 0 ? "now" : `−${minutes} min`));
  }
  // The first lies on top.
  for (const line of [...lines].reverse())
    parts.push(makeLine(line, outline(rows, line.of, x, y)));
  svg.replaceChildren(...parts);
  showLegend(legend, lines);
  describe(words, rows, lines);
}

// The lines to draw, each with its title, its style, and its value in a row.
function chooseLines(rows, about) {
  const all = about.series.map((series, number) => ({
    ...series, of: (row) => row[1 + number],
    total: rows.reduce((sum, row) => sum + row[1 + number], 0),
  }));
  const most = all.length > MOST_LINES + 1 ? MOST_LINES : all.length;
  const named = new Set([...all].sort((a, b) => b.total - a.total).slice(0, most));
  const lines = all.filter((each) => named.has(each));
  const rest = all.filter((each) => !named.has(each));
  lines.forEach((line, place) => {
    const isMask = line.label === null && Object.hasOwn(MASK_LINES, line.name);
    line.style = isMask ? MASK_LINES[line.name] : `series dash-${place}`;
    if (!isMask) line.color = `var(--class-${line.label ?? place})`;
  });
  if (rest.length)
    lines.push({
      title: `${rest.length} other classes`, style: "other",
      of: (row) => rest.reduce((sum, each) => sum + each.of(row), 0),
    });
  return [...lines, { title: about.unsure_word, style: "unsure", of: (row) => row.at(-1) }];
}

function makeLine(line, path) {
  const element = make("path", { class: `line ${line.style}`, d: path });
  if (line.color) element.style.setProperty("--series", line.color);
  return element;
}

function showLegend(legend, lines) {
  const shown = JSON.stringify(lines.map((line) => [line.title, line.style, line.color]));
  if (legend.dataset.shown === shown) return;
  legend.dataset.shown = shown;
  legend.replaceChildren(...lines.map((line) => {
    const sign = make("svg", { viewBox: "0 0 28 10", "aria-hidden": "true" });
    sign.append(makeLine(line, "M0 5H28"));
    const item = document.createElement("li");
    item.append(sign, line.title);
    return item;
  }));
}

// A line with a gap where no second was counted.
function outline(rows, of, x, y) {
  let path = "", before = -Infinity;
  for (const row of rows) {
    const at = `${x(row[0]).toFixed(1)} ${y(of(row)).toFixed(1)}`;
    // A second alone would be a point without length, which is not drawn.
    path += row[0] - before > 2 ? `M${at}h1` : `L${at}`;
    before = row[0];
  }
  return path;
}

function niceTop(count) {
  const whole = Math.ceil(count);
  return whole <= 1 ? 1 : whole + (whole % 2);
}

function describe(words, rows, lines) {
  if (!rows.length) return;
  const mean = (line) => rows.reduce((sum, row) => sum + line.of(row), 0) / rows.length;
  const means = lines.map((line) => `${mean(line).toFixed(1)} ${line.title}`).join(", ");
  const now = lines.map((line) => line.of(rows[rows.length - 1]).toFixed(1)).join(", ");
  const text = `On average ${means}; now ${now}.`;
  if (words.textContent !== text) words.textContent = text;
}
