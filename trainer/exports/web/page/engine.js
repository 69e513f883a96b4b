// The networks: loads and checks them, finds the faces of a picture and classifies them.
import * as ort from "./onnxruntime-web.mjs";
import { cropFace, findFaces, guideBox } from "./faces.js";
import { resizeSquare } from "./resize.js";

const GOLDEN_TOLERANCE = 0.01;

/** A fault with a sentence for people. */
export class Fault extends Error {}

export class Engine {
  constructor(model, network, finder) {
    this.model = model;
    this.network = network;
    this.finder = finder;
  }

  /** Load everything; `report` is told in a few words what is done. */
  static async open(report) {
    const model = JSON.parse(new TextDecoder().decode(await load({ name: "model.json" })));
    report("Loading the runtime ...");
    ort.env.wasm.numThreads = 1;
    ort.env.wasm.proxy = false;
    ort.env.logLevel = "error";
    ort.env.wasm.wasmBinary = await load(model.files.runtime);
    report("Loading the model ...");
    const network = await openNetwork(model.files.model);
    const finder = model.files.faces ? await openNetwork(model.files.faces) : null;
    report("Checking the model ...");
    const engine = new Engine(model, network, finder);
    await engine.checkGolden();
    return engine;
  }

  /** Find and classify the faces of a picture.
   *  @param smallestFace Side of the smallest face wanted, px of the picture. */
  async answer(picture, smallestFace) {
    const begun = performance.now();
    const boxes = await this.find(picture, smallestFace);
    const found = performance.now();
    const faces = await this.classify(picture, boxes);
    return { faces, findMs: found - begun, classifyMs: performance.now() - found };
  }

  /** Return the boxes of faces, largest first; without the finder the guide. */
  async find(picture, smallestFace) {
    if (!this.finder) return [guideBox(picture.width, picture.height)];
    const run = async (data, width, height) => this.finder.run(
      { [this.finder.inputNames[0]]: new ort.Tensor("float32", data, [1, 3, height, width]) });
    return findFaces(picture, run, smallestFace);
  }

  async classify(picture, boxes) {
    const { inputSize, cropMargin } = this.model;
    if (!boxes.length) return [];
    const pixels = new Uint8Array(boxes.length * inputSize * inputSize * 3);
    boxes.forEach((box, at) => pixels.set(
      resizeSquare(cropFace(picture, box, cropMargin), inputSize), at * inputSize * inputSize * 3));
    const rows = await this.run(pixels, boxes.length);
    return rows.map((row, at) => ({ box: boxes[at], ...row }));
  }

  /** Run the network on `count` pictures of RGB, each of the network's size. */
  async run(pixels, count) {
    const { inputSize, classes } = this.model;
    const images = new ort.Tensor("uint8", pixels, [count, inputSize, inputSize, 3]);
    const { probabilities, strangeness } = await this.network.run({ images });
    const row = (at) => Array.from(
      probabilities.data.subarray(at * classes.length, (at + 1) * classes.length));
    return Array.from({ length: count }, (_, at) => ({
      probabilities: row(at), strangeness: strangeness ? strangeness.data[at] : null }));
  }

  /** Compare the answers to three computed pictures with those of the machine that exported it. */
  async checkGolden() {
    const { inputSize, golden } = this.model;
    const rows = await this.run(goldenPictures(inputSize), golden.length);
    const off = Math.max(...rows.flatMap(({ probabilities }, at) =>
      probabilities.map((value, part) => Math.abs(value - golden[at][part]))));
    if (!(off <= GOLDEN_TOLERANCE)) {
      throw new Fault(`This browser computes other answers than the trained model (off by ${
        off.toFixed(3)}), so none are shown. Update the browser, or use another one.`);
    }
  }
}

/** Fetch a file of this folder and check that it is the one that was exported. */
async function load({ name, size, sha256 }) {
  let data;
  try {
    const answer = await fetch(name);
    if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
    data = await answer.arrayBuffer();
  } catch (fault) {
    throw new Fault(`${name} cannot be loaded (${fault.message}). Copy the whole folder to the ` +
      "server again, and reload.");
  }
  const isWhole = size === undefined || data.byteLength === size;
  // Only https and localhost may compute digests.
  const isSame = !sha256 || !crypto.subtle || (isWhole && await digest(data) === sha256);
  if (!isWhole || !isSame) {
    throw new Fault(`${name} is damaged: it is not the file that was exported (${
      data.byteLength} bytes). Copy the whole folder to the server again, and reload.`);
  }
  return data;
}

async function digest(data) {
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", data));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function openNetwork(file) {
  const data = await load(file);
  try {
    return await ort.InferenceSession.create(new Uint8Array(data), { executionProviders: ["wasm"] });
  } catch (fault) {
    throw new Fault(`${file.name} does not run in this browser (${
      String(fault.message || fault).split("\n")[0].slice(0, 200)}). Close other pages if memory ` +
      "is short, or use another browser.");
  }
}

/** Compute the three pictures whose answers are known: a gradient, a moire, a chequerboard. */
export function goldenPictures(size) {
  const last = size - 1, plane = size * size * 3;
  const pictures = new Uint8Array(3 * plane);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const at = (y * size + x) * 3;
      const cell = (Math.floor((x * 8) / size) + Math.floor((y * 8) / size)) % 2;
      pictures.set([Math.floor((x * 255) / last), Math.floor((y * 255) / last),
        Math.floor(((x + y) * 255) / (2 * last))], at);
      pictures.set([(x * x + y * 3) % 256, (x * 5 + y * y) % 256, (x * y) % 256], plane + at);
      pictures.set([cell * 200 + 20, 240 - cell * 180, cell * 90 + 60], 2 * plane + at);
    }
  }
  return pictures;
}
