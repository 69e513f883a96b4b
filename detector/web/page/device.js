// The section of this device's camera: its live picture with boxes, and the list of its faces.
import { CameraPicture, PictureLine, make, offerCameras, say } from "./camera.js";
import { FaceList } from "./faces.js";

const OLD_MS = 1000;            // A box without a newer one is wiped away.
const INK = "#141414";

export function startDevice(root, about) {
  if (about.collects) offerCollecting(root);
  if (about.has_device_camera) new DeviceSection(root, about);
}

function offerCollecting(root) {
  const words = make("p", "notice", "This program collects photos too: ");
  const link = make("a", "", "photograph into the dataset");
  link.href = "/collect";
  words.append(link);
  root.before(words);
}

class DeviceSection {
  constructor(root, about) {
    this.about = about;
    this.answers = [];
    this.wipe = 0;
    this.silent = "";
    this.build(root);
    this.picture = new CameraPicture(this.stage, (kind, text) => {
      if (kind === "ended") this.stop();
      // What the camera lacks stays in sight, whatever comes back for its last pictures.
      this.silent = kind === "silent" ? text : "";
      this.tell(text);
    });
    this.line = new PictureLine("/camera", this.picture, (answer) => this.hear(answer), (text) => this.tell(text));
    this.faces = new FaceList(this.list, about, null);
    navigator.mediaDevices?.addEventListener?.("devicechange", () => {
      if (this.picture.isOpen) offerCameras(this.choice, this.choiceRow, this.picture);
    });
    addEventListener("pagehide", () => this.stop());
    root.hidden = false;
  }

  build(root) {
    this.button = make("button", "primary", "Use this device's camera");
    this.button.id = "device-start";
    this.button.type = "button";
    this.button.addEventListener("click", () => this.start(""));
    this.message = make("p", "message");
    this.message.id = "device-message";
    this.message.setAttribute("role", "status");
    this.message.hidden = true;
    this.live = make("div");
    this.live.hidden = true;
    this.stage = make("div", "stage device-stage");
    this.list = make("ul");
    this.list.id = "device-faces";
    this.count = make("p", "quiet");
    this.count.id = "device-count";
    this.live.append(this.stage, this.buildControls(), this.count, this.list);
    const heading = make("h2", "", "This device's camera");
    heading.id = "device-heading";
    const words = make("p", "quiet", "Its picture goes only to this program, which keeps none of it.");
    root.replaceChildren(heading, words, this.button, this.live, this.message);
    root.setAttribute("aria-labelledby", heading.id);
  }

  buildControls() {
    const controls = make("div", "controls");
    this.choiceRow = make("label", "camera-row", "Camera ");
    this.choice = make("select");
    this.choice.id = "device-choice";
    this.choice.addEventListener("change", () => this.start(this.choice.value));
    this.choiceRow.append(this.choice);
    this.mirror = make("button", "", "Mirror");
    this.mirror.type = "button";
    this.mirror.id = "device-mirror";
    this.mirror.addEventListener("click", () => {
      this.picture.mirror(!this.picture.isMirrored);
      this.showMirror();
    });
    const stop = make("button", "", "Stop the camera");
    stop.type = "button";
    stop.id = "device-stop";
    stop.addEventListener("click", () => { this.stop(); this.tell(""); this.button.focus(); });
    controls.append(this.mirror, stop, this.choiceRow);
    return controls;
  }

  tell(text) { say(this.message, this.silent || text); }
  showMirror() { this.mirror.setAttribute("aria-pressed", String(this.picture.isMirrored)); }

  async start(id) {
    this.line.close();
    this.tell("Asking the browser for the camera…");
    this.button.disabled = true;
    try {
      await this.picture.open(id);
    } catch (why) {
      this.stop();
      this.tell(String(why));
      return;
    } finally {
      this.button.disabled = false;
    }
    this.tell("");
    this.button.hidden = true;
    this.live.hidden = false;
    this.showMirror();
    await offerCameras(this.choice, this.choiceRow, this.picture);
    this.line.open();
  }

  stop() {
    this.silent = "";
    this.line.close();
    this.picture.close();
    this.live.hidden = true;
    this.button.hidden = false;
  }

  hear(answer) {
    if (answer.isOver) return this.stop();
    if (answer.fault) return this.tell(answer.fault);
    this.tell(answer.notice || "");
    this.faces.show(answer, null, null);
    const count = answer.faces.length;
    const found = count === 1 ? "1 face" : `${count || "No"} faces`;
    this.count.textContent = `${found}. ${this.rate()} pictures labelled a second, ${Math.round(answer.work_ms)} ms each.`;
    this.picture.draw(answer.width, answer.height, (pen, unit) => {
      for (const face of answer.faces) this.drawFace(pen, unit, face, answer.width);
    });
    clearTimeout(this.wipe);
    this.wipe = setTimeout(() => this.picture.clear(), OLD_MS);
    return undefined;
  }

  rate() {
    const now = performance.now();
    this.answers = [...this.answers.filter((at) => now - at < 2000), now];
    return Math.round(this.answers.length / 2);
  }

  drawFace(pen, unit, face, width) {
    const label = this.about.labels.find((each) => each.name === face.label);
    const [x, y, w, h] = face.box;
    const left = this.picture.left(x, w, width);
    const color = face.unsure ? this.about.unsure_color : label.color;
    pen.setLineDash(face.unsure ? [2 * unit, 5 * unit] : []);
    for (const [stroke, thick] of [[INK, 6], [color, 3.5]]) {
      pen.strokeStyle = stroke;
      pen.lineWidth = thick * unit;
      trace(pen, face.unsure ? "closed" : label.line, left, y, w, h);
    }
    pen.setLineDash([]);
    const sure = face.unsure_reason === "unfamiliar" ? "" : ` ${Math.round(100 * face.confidence)} %`;
    const words = `#${face.track} ${face.unsure ? this.about.unsure_word : label.title}${sure}`;
    pen.font = `600 ${15 * unit}px system-ui, sans-serif`;
    const room = pen.measureText(words).width + 10 * unit;
    const at = Math.max(0, Math.min(left, width - room));
    const top = y >= 22 * unit ? y - 22 * unit : y;
    pen.fillStyle = INK;
    pen.fillRect(at, top, room, 21 * unit);
    pen.fillStyle = color;
    pen.fillRect(at, top, 4 * unit, 21 * unit);
    pen.fillStyle = "#fff";
    pen.fillText(words, at + 7 * unit, top + 16 * unit);
  }
}

// As on the program's own pictures: closed, open below, or corners only.
function trace(pen, line, x, y, w, h) {
  const side = 0.25;
  pen.beginPath();
  if (line === "corners") {
    for (const [cx, cy, dx, dy] of [[x, y, 1, 1], [x + w, y, -1, 1], [x + w, y + h, -1, -1], [x, y + h, 1, -1]]) {
      pen.moveTo(cx + dx * w * side, cy);
      pen.lineTo(cx, cy);
      pen.lineTo(cx, cy + dy * h * side);
    }
  } else if (line === "open_below") {
    pen.moveTo(x + w * side, y + h);
    for (const [px, py] of [[x, y + h], [x, y], [x + w, y], [x + w, y + h], [x + w * (1 - side), y + h]]) pen.lineTo(px, py);
  } else {
    pen.rect(x, y, w, h);
  }
  pen.stroke();
}
