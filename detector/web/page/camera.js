// This device's camera: its picture, and the line on which it goes to the program and back.
export const LONG_SIDE = 640;   // What is sent, px; the program takes up to 1280.
const QUALITY = 0.85;
const ANSWER_MS = 15000;        // Without an answer for so long the line is opened anew.
const SESSION_ENDED = 4401;
const LOCKED_OUT = "The program does not know this browser any more: it was started anew, or the visit has ended. Open the address that it printed, or log in again.";
const WAITS_S = [1, 2, 4, 8, 15];
const NEXT_PICTURE_MS = 500;    // A camera that gives no picture for so long is asked once more.

export function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}
export function say(element, text) {
  element.hidden = !text;
  if (element.textContent !== text) element.textContent = text || "";
}

// Why a camera does not open, and what to do, by the name of the browser's error.
const WHY_NOT = {
  NotAllowedError: "The browser may not use the camera. Allow it beside the address of this page (or in the settings of the system), then press the button again.",
  NotFoundError: "This device has no camera that the browser can see. Connect one, then press the button again.",
  NotReadableError: "The camera cannot be read: another program may be using it. Close that program, then press the button again.",
  OverconstrainedError: "That camera is not there any more. Choose another one.",
  SecurityError: "The browser forbids the camera on this page. Check its settings for this address.",
  AbortError: "The camera could not be started. Press the button again.",
};

// What a browser lacks for a camera, or an empty text.
export function whatIsMissing() {
  if (!window.isSecureContext)
    return "Browsers give a page the camera only over https, or on the program's own machine. Start the program with --lan (or with --tls-cert and --tls-key), and open the https address that it prints.";
  if (!navigator.mediaDevices?.getUserMedia)
    return "This browser has no camera for pages. Try a current Firefox, Chrome or Safari.";
  return "";
}

// The live picture of a camera, with a canvas over it for boxes; tells `told` what happens to it.
export class CameraPicture {
  constructor(stage, told) {
    this.told = told;
    this.stream = null;
    this.isMirrored = true;
    this.video = make("video");
    this.video.muted = this.video.playsInline = this.video.autoplay = true;
    this.video.setAttribute("aria-label", "The live picture of this device's camera.");
    this.boxes = make("canvas", "boxes");
    this.boxes.setAttribute("aria-hidden", "true");
    this.sent = document.createElement("canvas");
    stage.append(this.video, this.boxes);
  }

  get isOpen() { return this.stream !== null; }

  // Opens a camera: that of an id, or the front one. Throws a text for people.
  async open(id) {
    const missing = whatIsMissing();
    if (missing) throw missing;
    const which = id ? { deviceId: { exact: id } } : { facingMode: "user" };
    this.close();
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({
        audio: false, video: { ...which, width: { ideal: 1280 }, height: { ideal: 720 } },
      });
    } catch (fault) {
      throw WHY_NOT[fault.name] || `The camera does not open (${fault.name}: ${fault.message}).`;
    }
    this.stream = stream;
    const track = stream.getVideoTracks()[0];
    track.addEventListener("ended", () => {
      if (this.stream !== stream) return;
      this.close();
      this.told("ended", "The camera was taken away: it was unplugged, or the permission was withdrawn. Press the button to use it again.");
    });
    track.addEventListener("mute", () => this.told("silent", "The camera sends no picture: a call or another program may have taken it. It goes on by itself once it is back."));
    track.addEventListener("unmute", () => this.told("back", ""));
    const facing = track.getSettings().facingMode;
    this.mirror(facing ? facing === "user" : !/back|rear|environment/i.test(track.label));
    this.video.srcObject = stream;
    await this.video.play().catch(() => {});
  }

  close() {
    const stream = this.stream;
    this.stream = null;
    for (const track of stream?.getTracks() ?? []) track.stop();
    this.video.srcObject = null;
    this.clear();
  }

  // People expect themselves as in a mirror; what is sent never is.
  mirror(isMirrored) {
    this.isMirrored = isMirrored;
    this.video.classList.toggle("is-mirrored", isMirrored);
    this.clear();
  }

  // Id and name of each camera, and which one is open; the browser names them once one is allowed.
  async list() {
    const all = await navigator.mediaDevices.enumerateDevices();
    const cameras = all.filter((each) => each.kind === "videoinput" && each.deviceId);
    const open = this.stream?.getVideoTracks()[0]?.getSettings().deviceId;
    return cameras.map((each, index) => ({
      id: each.deviceId, name: each.label || `camera ${index + 1}`, isOpen: each.deviceId === open,
    }));
  }

  // The newest picture as a JPEG, once there is a new one; null where there is none.
  async take() {
    await this.nextPicture();
    const { videoWidth, videoHeight } = this.video;
    if (!this.isOpen || !videoWidth) return null;
    const scale = Math.min(1, LONG_SIDE / Math.max(videoWidth, videoHeight));
    const [width, height] = [videoWidth, videoHeight].map((side) => Math.max(1, Math.round(side * scale)));
    if (this.sent.width !== width) this.sent.width = width;
    if (this.sent.height !== height) this.sent.height = height;
    this.sent.getContext("2d").drawImage(this.video, 0, 0, width, height);
    return new Promise((done) => { this.sent.toBlob(done, "image/jpeg", QUALITY); });
  }

  nextPicture() {
    return new Promise((done) => {
      const timer = setTimeout(done, NEXT_PICTURE_MS);
      const go = () => { clearTimeout(timer); done(); };
      if (this.video.requestVideoFrameCallback) this.video.requestVideoFrameCallback(go);
      else setTimeout(go, 33);
    });
  }

  clear() { this.boxes.getContext("2d").clearRect(0, 0, this.boxes.width, this.boxes.height); }

  // Draws over the picture; `paint` gets a context in pixels of a picture of this size, and how
  // large a CSS pixel is in them. The picture itself never waits for this.
  draw(width, height, paint) {
    const { videoWidth, videoHeight } = this.video;
    if (!this.isOpen || !videoWidth) return;
    this.boxes.width = videoWidth;
    this.boxes.height = videoHeight;
    const pen = this.boxes.getContext("2d");
    pen.scale(videoWidth / width, videoHeight / height);
    paint(pen, width / Math.max(1, this.boxes.clientWidth));
  }

  // Left edge of a box on the screen: of a mirrored picture it is the other side.
  left(x, boxWidth, width) { return this.isMirrored ? width - x - boxWidth : x; }
}

// The line: one picture goes out, its answer comes back, then the newest one goes.
export class PictureLine {
  // `picture` is a `CameraPicture`; `hear` gets each answer, `tell` a text for people or "".
  constructor(address, picture, hear, tell) {
    Object.assign(this, { address, picture, hear, tell });
    this.socket = null;
    this.isWanted = false;
    this.tries = this.timer = this.watch = 0;
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden && this.isWanted && !this.socket) this.connect();
    });
    addEventListener("online", () => { if (this.isWanted && !this.socket) this.connect(); });
  }

  open() {
    this.isWanted = true;
    this.tries = 0;
    this.connect();
  }

  close() {
    this.isWanted = false;
    clearTimeout(this.timer);
    clearTimeout(this.watch);
    this.socket?.close();
    this.socket = null;
  }

  sendText(message) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  connect() {
    clearTimeout(this.timer);
    this.socket?.close();
    const address = new URL(this.address, location.href);
    address.protocol = address.protocol.replace("http", "ws");
    const socket = new WebSocket(address);
    let wasOpen = false, refusal = "";
    this.socket = socket;
    socket.addEventListener("open", () => {
      wasOpen = true;
      this.send(socket);
    });
    socket.addEventListener("message", (event) => {
      if (this.socket !== socket) return;
      const answer = JSON.parse(event.data);
      if (answer.refused) { refusal = answer.refused; return; }
      this.tries = 0;
      if (!answer.isNews) this.tell("");
      this.hear(answer);
      if (!answer.isNews) this.send(socket);
    });
    socket.addEventListener("close", (event) => {
      if (this.socket !== socket) return;
      this.socket = null;
      clearTimeout(this.watch);
      this.lose(wasOpen, refusal, event.code === SESSION_ENDED);
    });
  }

  async send(socket) {
    let jpeg = null;
    while (!jpeg) {
      jpeg = await this.picture.take();
      if (this.socket !== socket || socket.readyState !== WebSocket.OPEN) return;
    }
    socket.send(jpeg);
    clearTimeout(this.watch);
    this.watch = setTimeout(() => socket.close(), ANSWER_MS);
  }

  async lose(wasOpen, refusal, hasEnded) {
    if (!this.isWanted) return;
    this.picture.clear();
    const wait = WAITS_S[Math.min(this.tries, WAITS_S.length - 1)];
    this.tries += 1;
    if (!refusal && (hasEnded || (!wasOpen && await this.isLockedOut()))) refusal = LOCKED_OUT;
    if (refusal) {
      this.isWanted = false;
      this.hear({ isOver: true });
      this.tell(refusal);
      return;
    }
    if (!this.isWanted || this.socket) return;
    this.tell(`No connection to the program: is it still running? The camera stays on; trying again in ${wait} s…`);
    this.timer = setTimeout(() => {
      // A page out of sight has no pictures to send; it goes on once it is seen.
      if (this.isWanted && !this.socket && !document.hidden) this.connect();
    }, 1000 * wait);
  }

  // A browser does not say why a WebSocket is refused; an ordinary request does.
  async isLockedOut() {
    try {
      return [401, 403].includes((await fetch("/about")).status);
    } catch {
      return false;
    }
  }
}

// The list to choose a camera from; hidden where there is only one.
export async function offerCameras(select, row, picture) {
  const cameras = await picture.list();
  select.replaceChildren(...cameras.map((each) => new Option(each.name, each.id, each.isOpen, each.isOpen)));
  row.hidden = cameras.length < 2;
}
