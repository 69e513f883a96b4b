// Faces second by second, as an SVG: three lines that differ in colour and in dashes.
const SVG = "http://www.w3.org/2000/svg";
const LEFT = 30, RIGHT = 8, TOP = 8, BOTTOM = 22;
const SERIES = [["unsure", 3], ["unmasked", 2], ["masked", 1]];

function make(tag, attributes, text) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

// `rows`: [second, masked, unmasked, unsure], oldest first.
export function drawChart(svg, words, rows, spanS) {
  const width = Math.max(200, svg.clientWidth), height = svg.clientHeight || 190;
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const newest = rows.length ? rows[rows.length - 1][0] : Math.floor(Date.now() / 1000);
  const most = niceTop(Math.max(1, ...rows.map((row) => Math.max(row[1], row[2], row[3]))));
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
  for (const [name, column] of SERIES)
    parts.push(make("path", { class: `line ${name}`, d: outline(rows, column, x, y) }));
  svg.replaceChildren(...parts);
  describe(words, rows);
}

// A line with a gap where no second was counted.
function outline(rows, column, x, y) {
  let path = "", before = -Infinity;
  for (const row of rows) {
    const at = `${x(row[0]).toFixed(1)} ${y(row[column]).toFixed(1)}`;
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

function describe(words, rows) {
  if (!rows.length) return;
  const mean = (column) => rows.reduce((sum, row) => sum + row[column], 0) / rows.length;
  const last = rows[rows.length - 1];
  const text =
    `On average ${mean(1).toFixed(1)} masked, ${mean(2).toFixed(1)} not masked, ` +
    `${mean(3).toFixed(1)} unsure; now ${last[1].toFixed(1)}, ${last[2].toFixed(1)}, ${last[3].toFixed(1)}.`;
  if (words.textContent !== text) words.textContent = text;
}
