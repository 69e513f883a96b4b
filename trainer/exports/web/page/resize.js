// Resizes pixels as the training did (OpenCV): areas are averaged, enlarged pixels interpolated.
// A canvas would scale otherwise, and the network would see other pictures than it learned from.

/** A picture: `data` has `channels` bytes a pixel, of which the first three are RGB.
 *  @typedef {{data: Uint8Array|Uint8ClampedArray, width: number, height: number,
 *             channels: number}} Picture */

/** Round to the nearest integer, halves to the even one, as Python and OpenCV do. */
export function roundHalfEven(value) {
  const low = Math.floor(value);
  const rest = value - low;
  if (rest !== 0.5) return rest > 0.5 ? low + 1 : low;
  return low % 2 === 0 ? low : low + 1;
}

/** Resize to a square of RGB, shape (size, size, 3). */
export function resizeSquare(picture, size) {
  const shrinks = Math.min(picture.width, picture.height) > size;
  return shrinks ? averageAreas(picture, size, size) : interpolate(picture, size, size);
}

/** Shrink by averaging the area that each new pixel covers; returns RGB. */
export function averageAreas(picture, width, height) {
  const across = picture.width / width, down = picture.height / height;
  return Number.isInteger(across) && Number.isInteger(down)
    ? averageBlocks(picture, width, height, across, down)
    : averageShares(picture, width, height);
}

/** Average blocks of whole pixels. */
function averageBlocks({ data, width: stride, channels }, width, height, across, down) {
  const out = new Uint8Array(width * height * 3);
  const count = across * down;
  // Blocks of 2 x 2 round halves up, all others to even: OpenCV has a faster way for those.
  const is_quad = across === 2 && down === 2;
  const share = Math.fround(1 / count);
  let to = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let red = 0, green = 0, blue = 0;
      for (let dy = 0; dy < down; dy++) {
        let at = ((y * down + dy) * stride + x * across) * channels;
        for (let dx = 0; dx < across; dx++, at += channels) {
          red += data[at];
          green += data[at + 1];
          blue += data[at + 2];
        }
      }
      if (is_quad) {
        out[to] = (red + 2) >> 2;
        out[to + 1] = (green + 2) >> 2;
        out[to + 2] = (blue + 2) >> 2;
      } else {
        out[to] = roundHalfEven(Math.fround(red * share));
        out[to + 1] = roundHalfEven(Math.fround(green * share));
        out[to + 2] = roundHalfEven(Math.fround(blue * share));
      }
      to += 3;
    }
  }
  return out;
}

/** Average pixels of which some are covered in part. */
function averageShares({ data, width: stride, height: rows, channels }, width, height) {
  const columns = coverage(stride, width), lines = coverage(rows, height);
  const out = new Uint8Array(width * height * 3);
  const line = new Float32Array(width * 3), sum = new Float32Array(width * 3);
  for (let y = 0; y < height; y++) {
    sum.fill(0);
    for (let row = lines.first[y]; row <= lines.last[y]; row++) {
      averageLine(data, row * stride * channels, channels, columns, line);
      const weight = lines.weights[lines.start[y] + row - lines.first[y]];
      for (let at = 0; at < sum.length; at++) sum[at] += line[at] * weight;
    }
    const to = y * width * 3;
    for (let at = 0; at < sum.length; at++) out[to + at] = Math.min(255, roundHalfEven(sum[at]));
  }
  return out;
}

function averageLine(data, from, channels, { first, last, start, weights }, line) {
  for (let x = 0; x < first.length; x++) {
    let red = 0, green = 0, blue = 0, place = start[x];
    for (let column = first[x]; column <= last[x]; column++, place++) {
      const at = from + column * channels, weight = weights[place];
      red += data[at] * weight;
      green += data[at + 1] * weight;
      blue += data[at + 2] * weight;
    }
    line[3 * x] = red;
    line[3 * x + 1] = green;
    line[3 * x + 2] = blue;
  }
}

/** Which old pixels each of `count` new ones covers, on a line of `length`, and by what share. */
function coverage(length, count) {
  const scale = length / count;
  const first = new Int32Array(count), last = new Int32Array(count);
  const start = new Int32Array(count), weights = [];
  for (let at = 0; at < count; at++) {
    const from = at * scale, until = Math.min(from + scale, length);
    // A sliver of a pixel under a thousandth is left out, as OpenCV does.
    const low = Math.ceil(from) - from > 1e-3 ? Math.floor(from) : Math.ceil(from);
    const high = until - Math.floor(until) > 1e-3 ? Math.floor(until) : Math.floor(until) - 1;
    first[at] = low;
    last[at] = Math.min(high, length - 1);
    start[at] = weights.length;
    for (let pixel = low; pixel <= last[at]; pixel++) {
      const covered = Math.min(until, pixel + 1) - Math.max(from, pixel);
      weights.push(covered / (until - from));
    }
  }
  return { first, last, start, weights: Float32Array.from(weights) };
}

const BITS = 11;

/** Enlarge (or keep) by linear interpolation with weights of 11 bits, as OpenCV; returns RGB. */
export function interpolate({ data, width: stride, height: rows, channels }, width, height) {
  const columns = neighbours(stride, width), lines = neighbours(rows, height);
  const out = new Uint8Array(width * height * 3);
  const above = new Int32Array(width * 3), below = new Int32Array(width * 3);
  for (let y = 0; y < height; y++) {
    interpolateLine(data, lines.near[y] * stride * channels, channels, columns, above);
    interpolateLine(data, lines.far[y] * stride * channels, channels, columns, below);
    const near = lines.nearWeight[y], far = lines.farWeight[y];
    const to = y * width * 3;
    for (let at = 0; at < above.length; at++) {
      // The steps by which whole numbers of 16 bits are multiplied there.
      const parts = ((near * (above[at] >> 4)) >> 16) + ((far * (below[at] >> 4)) >> 16);
      out[to + at] = (parts + 2) >> 2;
    }
  }
  return out;
}

function interpolateLine(data, from, channels, { near, far, nearWeight, farWeight }, line) {
  for (let x = 0; x < near.length; x++) {
    const left = from + near[x] * channels, right = from + far[x] * channels;
    for (let part = 0; part < 3; part++) {
      line[3 * x + part] = data[left + part] * nearWeight[x] + data[right + part] * farWeight[x];
    }
  }
}

/** The two old pixels between which each new one lies, and the weight of each, in 2^-11. */
function neighbours(length, count) {
  const scale = length / count, one = 1 << BITS;
  const near = new Int32Array(count), far = new Int32Array(count);
  const nearWeight = new Int32Array(count), farWeight = new Int32Array(count);
  for (let at = 0; at < count; at++) {
    const place = Math.fround((at + 0.5) * scale - 0.5);
    let low = Math.floor(place), part = Math.fround(place - low);
    if (low < 0) { low = 0; part = 0; }
    if (low >= length - 1) { low = length - 1; part = 0; }
    near[at] = low;
    far[at] = Math.min(low + 1, length - 1);
    farWeight[at] = roundHalfEven(part * one);
    nearWeight[at] = roundHalfEven(Math.fround(1 - part) * one);
  }
  return { near, far, nearWeight, farWeight };
}
