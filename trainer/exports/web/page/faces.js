// Finds faces with YuNet, and cuts them out as the training photos were cut out.
import { averageAreas, roundHalfEven } from "./resize.js";

const SCORE = 0.6, OVERLAP = 0.3;
const STRIDES = [8, 16, 32];
// YuNet sees faces down to some 20 px of its own input.
const SMALLEST_SEEN_PX = 20, LEAST_SIDE_PX = 320, MOST_SIDE_PX = 960;
const CELL_PX = STRIDES[STRIDES.length - 1];

/** A box in pixels of the whole picture.
 *  @typedef {{x: number, y: number, width: number, height: number, score: number}} Box */

/** Return the box to hold a face in where no face is looked for: the middle half. */
export function guideBox(width, height) {
  const side = Math.max(1, Math.floor(Math.min(width, height) / 2));
  const x = Math.floor((width - side) / 2), y = Math.floor((height - side) / 2);
  return { x, y, width: side, height: side, score: 0 };
}

/** Find the faces of a picture, largest first.
 *  @param run Runs the network on a tensor (1, 3, height, width) of BGR.
 *  @param smallestFace Side of the smallest face wanted, px. */
export async function findFaces(picture, run, smallestFace) {
  const { width, height } = picture;
  const longest = Math.max(width, height);
  const scale = wholeCells((longest * SMALLEST_SEEN_PX) / smallestFace, longest) / longest;
  const columns = Math.max(1, roundHalfEven(width * scale));
  const rows = Math.max(1, roundHalfEven(height * scale));
  const small = scale < 1
    ? { data: averageAreas(picture, columns, rows), width: columns, height: rows, channels: 3 }
    : picture;
  const input = layOut(small);
  const outputs = await run(input.data, input.width, input.height);
  const found = dropOverlapping(decode(outputs, input.width, input.height));
  return found.map((row) => boxWithin(row, scale, width, height)).filter(Boolean)
    .sort((a, b) => b.width * b.height - a.width * a.height);
}

/** Return the multiple of the largest cell nearest to a side, in a picture of `longest` px: there
 *  more faces are found than at other sides. A small picture stays as it is. */
export function wholeCells(side, longest) {
  if (longest <= LEAST_SIDE_PX) return longest;
  const cells = roundHalfEven(Math.min(MOST_SIDE_PX, Math.max(LEAST_SIDE_PX, side)) / CELL_PX);
  return Math.min(cells, Math.floor(longest / CELL_PX)) * CELL_PX;
}

/** Lay pixels out as the network takes them: planes of B, G and R, filled up to 32 px. */
function layOut({ data, width, height, channels }) {
  const wide = Math.ceil(width / 32) * 32, high = Math.ceil(height / 32) * 32;
  const plane = wide * high, planes = new Float32Array(3 * plane);
  for (let y = 0; y < height; y++) {
    let from = y * width * channels, to = y * wide;
    for (let x = 0; x < width; x++, from += channels, to++) {
      planes[to] = data[from + 2];
      planes[to + plane] = data[from + 1];
      planes[to + 2 * plane] = data[from];
    }
  }
  return { data: planes, width: wide, height: high };
}

/** Read the boxes out of the network's answers, in pixels of its input. */
function decode(outputs, width, height) {
  const found = [];
  for (const stride of STRIDES) {
    const [classes, objects, boxes] = ["cls", "obj", "bbox"].map(
      (name) => outputs[`${name}_${stride}`].data);
    const columns = width / stride, rows = height / stride;
    for (let at = 0; at < columns * rows; at++) {
      const score = Math.sqrt(unit(classes[at]) * unit(objects[at]));
      if (!(score > SCORE)) continue;
      const middleX = (at % columns + boxes[4 * at]) * stride;
      const middleY = (Math.floor(at / columns) + boxes[4 * at + 1]) * stride;
      const wide = Math.exp(boxes[4 * at + 2]) * stride;
      const high = Math.exp(boxes[4 * at + 3]) * stride;
      found.push({ x: middleX - wide / 2, y: middleY - high / 2, width: wide, height: high, score });
    }
  }
  return found;
}

const unit = (value) => Math.min(1, Math.max(0, value));

/** Keep the best of boxes that overlap; OpenCV measures that in whole pixels. */
function dropOverlapping(found) {
  const kept = [];
  for (const each of [...found].sort((a, b) => b.score - a.score)) {
    if (kept.every((other) => overlap(whole(each), whole(other)) <= OVERLAP)) kept.push(each);
  }
  return kept;
}

const whole = (box) => ({ x: Math.trunc(box.x), y: Math.trunc(box.y),
  width: Math.trunc(box.width), height: Math.trunc(box.height) });

/** Return the share that two boxes have in common, 0 to 1. */
export function overlap(a, b) {
  const wide = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const high = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  if (wide <= 0 || high <= 0) return 0;
  return (wide * high) / (a.width * a.height + b.width * b.height - wide * high);
}

/** Return a box in pixels of the whole picture, clipped to it; null where nothing is left. */
function boxWithin(box, scale, width, height) {
  const x = Math.max(0, roundHalfEven(box.x / scale));
  const y = Math.max(0, roundHalfEven(box.y / scale));
  const right = Math.min(width, roundHalfEven((box.x + box.width) / scale));
  const bottom = Math.min(height, roundHalfEven((box.y + box.height) / scale));
  if (right <= x || bottom <= y) return null;
  return { x, y, width: right - x, height: bottom - y, score: box.score };
}

/** Cut one face out, with a border of `margin` times its longer side; a square inside the picture. */
export function cropFace({ data, width, height, channels }, box, margin) {
  const longer = Math.max(box.width, box.height);
  const side = Math.max(1, Math.min(roundHalfEven(longer * (1 + 2 * margin)), width, height));
  const place = (middle, end) =>
    Math.min(end - side, Math.max(0, roundHalfEven(middle - side / 2)));
  const left = place(box.x + box.width / 2, width), top = place(box.y + box.height / 2, height);
  const crop = new Uint8Array(side * side * channels);
  for (let row = 0; row < side; row++) {
    const from = ((top + row) * width + left) * channels;
    crop.set(data.subarray(from, from + side * channels), row * side * channels);
  }
  return { data: crop, width: side, height: side, channels };
}
