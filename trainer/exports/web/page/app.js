// The page: loads the networks, runs the camera, takes pictures in.
import { Camera } from "./camera.js";
import { Engine, Fault } from "./engine.js";
import { showPicture } from "./pictures.js";
import { Tracks } from "./tracks.js";
import { Words, drawFaces, listFaces, make } from "./view.js";

const SMALLEST_FACE_PX = 40;
const at = (id) => document.getElementById(id);
const video = at("video"), boxes = at("boxes");
let words, tracks;
let run = 0;

function say(text) { at("status").textContent = text; }

function complain(fault) {
  const box = at("fault");
  box.textContent = fault instanceof Fault ? fault.message
    : `The page failed (${fault.message || fault}). Reload it; if it fails again, use another browser.`;
  box.hidden = false;
}

const camera = new Camera(video, (sentence) => { showCamera(); complain(new Fault(sentence)); });

/** Loads once; the checks of an export wait for it. */
export const ready = window.maskageLack ? new Promise(() => {}) : Engine.open(say);

ready.then((engine) => {
  words = new Words(engine.model);
  at("name").textContent = engine.model.name;
  document.title = `Face classifier: ${engine.model.name}`;
  describe(engine);
  say(engine.finder ? "Ready." : "Ready. There is no face finder in this folder: hold one face " +
    "in the frame in the middle.");
  at("camera").disabled = at("files").disabled = false;
  at("camera").onclick = () => (camera.isOn ? stop() : start(engine, () => camera.start()));
  at("turn").onclick = () => start(engine, () => camera.turn());
  at("cameras").onchange = (event) => {
    camera.device = event.target.value;
    start(engine, () => camera.start());
  };
  takePictures(engine);
  keepOffline();
}).catch((fault) => { say(""); complain(fault); });

function describe(engine) {
  const { model } = engine;
  at("classes").replaceChildren(...model.classes.map((each) => {
    const spot = make("span", { className: "spot" });
    spot.style.background = each.color;
    return make("li", {}, spot, each.title);
  }));
  fact("Sure from", `${Math.round(100 * model.unsureBelow)}%; below it a face is called ${words.unsure}`);
  if (model.strangeAbove !== null) fact("Unfamiliar", "a face unlike those that were learned is called so");
  fact("Network", `${model.network}, ${model.inputSize} px`);
  fact("Faces", engine.finder ? "found by YuNet" : "not looked for: held in the frame");
  fact("Runtime", `ONNX Runtime Web ${model.runtime}`);
  fact("Offline", "not yet");
}

function fact(name, value) {
  const known = [...at("facts").querySelectorAll("dt")].find((each) => each.textContent === name);
  if (known) known.nextSibling.textContent = value;
  else at("facts").append(make("dt", { text: name }), make("dd", { text: value }));
}

async function start(engine, open) {
  at("fault").hidden = true;
  const mine = ++run;
  say("Starting the camera ...");
  try {
    if (!await open() || mine !== run) return;
  } catch (fault) {
    if (mine !== run) return;
    camera.stop();
    showCamera();
    say("");
    complain(fault);
    return;
  }
  tracks = new Tracks(engine.model);
  showCamera();
  listCameras();
  watch(engine, mine).catch((fault) => { if (mine === run) { stop(); complain(fault); } });
}

function stop() {
  run++;
  camera.stop();
  showCamera();
  say("");
}

function showCamera() {
  at("stage").hidden = !camera.isOn;
  at("camera").textContent = camera.isOn ? "Stop camera" : "Start camera";
  if (camera.isOn) return;
  at("turn").hidden = at("which").hidden = true;
  at("faces").replaceChildren();
}

async function listCameras() {
  const found = await camera.list();
  at("turn").hidden = at("which").hidden = found.length < 2;
  at("cameras").replaceChildren(...found.map(([id, name]) => make("option", { value: id, text: name })));
  at("cameras").value = video.srcObject?.getVideoTracks()[0]?.getSettings().deviceId || "";
}

/** Answer frame after frame, each the newest one, until the camera is stopped or started anew. */
async function watch(engine, mine) {
  const canvas = new OffscreenCanvas(1, 1);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  let rate = 0, before = 0, spoken = 0;
  while (mine === run && camera.isOn) {
    await nextFrame();
    if (mine !== run || !video.videoWidth) continue;
    canvas.width = video.videoWidth;
    canvas.height = video.videoHeight;
    context.drawImage(video, 0, 0);
    const { data, width, height } = context.getImageData(0, 0, canvas.width, canvas.height);
    const answer = await engine.answer({ data, width, height, channels: 4 }, SMALLEST_FACE_PX);
    if (mine !== run) return;
    const now = performance.now();
    const faces = tracks.follow(answer.faces, now / 1000);
    drawOver(faces, width, height);
    if (before) rate = rate ? 0.9 * rate + 100 / (now - before) : 1000 / (now - before);
    before = now;
    if (now - spoken < 250) continue;
    spoken = now;
    listFaces(at("faces"), faces, words, !engine.finder);
    say(`${rate.toFixed(0)} frames a second; finding ${answer.findMs.toFixed(0)} ms, ` +
      `classifying ${answer.classifyMs.toFixed(0)} ms`);
  }
}

/** Wait for the next picture of the camera, and let the page do its own work before. */
function nextFrame() {
  return new Promise((done) => {
    if (video.requestVideoFrameCallback) {
      // A camera that gives nothing must not hold the loop when it is stopped.
      const late = setTimeout(done, 1000);
      video.requestVideoFrameCallback(() => { clearTimeout(late); setTimeout(done); });
    } else setTimeout(done, 30);
  });
}

function drawOver(faces, width, height) {
  const ratio = window.devicePixelRatio || 1;
  const wide = Math.round(boxes.clientWidth * ratio), high = Math.round(boxes.clientHeight * ratio);
  if (boxes.width !== wide || boxes.height !== high) { boxes.width = wide; boxes.height = high; }
  const context = boxes.getContext("2d");
  context.clearRect(0, 0, wide, high);
  const scale = Math.min(wide / width, high / height);
  const left = (wide - width * scale) / 2, top = (high - height * scale) / 2;
  const place = (box) => ({
    x: left + scale * (camera.isMirrored ? width - box.x - box.width : box.x),
    y: top + scale * box.y, width: scale * box.width, height: scale * box.height });
  drawFaces(context, faces, words, place, ratio);
}

/** Take pictures from the button, dropped anywhere, and pasted; one after the other. */
function takePictures(engine) {
  let before = Promise.resolve();
  const take = (files) => [...files].forEach((file) => {
    before = before.then(() => showPicture(file, engine, words, at("pictures")));
  });
  at("files").onchange = (event) => { take(event.target.files); event.target.value = ""; };
  at("choose").onkeydown = (event) => {
    if (event.key === "Enter" || event.key === " ") { event.preventDefault(); at("files").click(); }
  };
  const mark = (isOver) => document.body.classList.toggle("dropping", isOver);
  document.addEventListener("dragover", (event) => { event.preventDefault(); mark(true); });
  document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) mark(false); });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    mark(false);
    take(event.dataTransfer.files);
  });
  document.addEventListener("paste", (event) => take(event.clipboardData.files));
}

/** Keep the folder in the browser, so that the page opens without a network. */
async function keepOffline() {
  if (!navigator.serviceWorker) {
    fact("Offline", "no: a browser keeps only pages from https or localhost");
    return;
  }
  try {
    await navigator.serviceWorker.register("sw.js", { updateViaCache: "none" });
    const registration = await navigator.serviceWorker.ready;
    fact("Offline", "yes: this page opens without a network");
    registration.addEventListener("updatefound", () => {
      fact("Offline", "yes; a newer version is loaded and is used when the page is opened next");
    });
  } catch (fault) {
    fact("Offline", `no: the browser did not keep the page (${fault.message})`);
  }
}
