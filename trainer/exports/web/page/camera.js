// The device's camera: started, turned, lost; each fault as a sentence for people.
import { Fault } from "./engine.js";

const WIDTH = 640, HEIGHT = 480;

const REFUSALS = {
  NotAllowedError: "The camera is not permitted. Allow it for this page (the sign beside the " +
    "address, or the browser's settings), and press Start camera again. Pictures work without it.",
  NotFoundError: "This device has no camera that the browser knows. Connect one and press Start " +
    "camera again, or choose pictures.",
  NotReadableError: "The camera cannot be read: another program or page may be using it. Close " +
    "that one, and press Start camera again.",
  OverconstrainedError: "The chosen camera is gone. Choose another one.",
};

export class Camera {
  /** @param lost Called with a sentence when the camera ends by itself. */
  constructor(video, lost) {
    this.video = video;
    this.lost = lost;
    this.stream = null;
    this.facing = "user";
    this.device = "";
    this.opened = 0;
  }

  get isOn() { return this.stream !== null; }

  /** True where the picture is shown as in a mirror: people look at themselves. */
  get isMirrored() {
    const facing = this.stream?.getVideoTracks()[0]?.getSettings().facingMode;
    return (facing || this.facing) === "user";
  }

  /** Start the camera. One that is stopped or started anew before it answers is given back.
   *  @returns True where it is on now. */
  async start() {
    this.stop();
    const mine = this.opened;
    if (!navigator.mediaDevices?.getUserMedia) {
      throw new Fault(window.isSecureContext ? REFUSALS.NotFoundError
        : "A browser gives the camera only to a page from https or from localhost, and this one " +
          `comes from ${location.origin}. Put the folder on a server with https, or open it on ` +
          "the machine that serves it, as http://localhost. Pictures work here too.");
    }
    const wanted = { width: { ideal: WIDTH }, height: { ideal: HEIGHT } };
    if (this.device) wanted.deviceId = { exact: this.device };
    else wanted.facingMode = { ideal: this.facing };
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: wanted, audio: false });
    } catch (fault) {
      if (mine !== this.opened) return false;
      throw new Fault(REFUSALS[fault.name] || `The camera does not start (${fault.name}: ${
        fault.message}). Reload the page, or choose pictures.`);
    }
    if (mine !== this.opened) {
      stream.getTracks().forEach((track) => track.stop());
      return false;
    }
    this.stream = stream;
    stream.getVideoTracks()[0].addEventListener("ended", () => {
      if (this.stream !== stream) return;
      this.stop();
      this.lost("The camera was taken away or unplugged. Press Start camera to try again.");
    });
    this.video.srcObject = stream;
    try {
      await this.video.play();
    } catch (fault) {
      if (mine !== this.opened) return false;
      throw fault;
    }
    this.video.classList.toggle("mirrored", this.isMirrored);
    return mine === this.opened;
  }

  stop() {
    this.opened++;
    this.stream?.getTracks().forEach((track) => track.stop());
    this.stream = null;
    this.video.srcObject = null;
  }

  /** Change between the camera of the screen's side and that of the back. */
  async turn() {
    this.facing = this.facing === "user" ? "environment" : "user";
    this.device = "";
    return this.start();
  }

  /** Return the cameras as [id, name]; names are known once one was permitted. */
  async list() {
    const devices = await navigator.mediaDevices.enumerateDevices();
    return devices.filter((each) => each.kind === "videoinput")
      .map((each, at) => [each.deviceId, each.label || `Camera ${at + 1}`]);
  }
}
