// Buttons, the threshold with its cost, and the full screen.
import { $, percent, sendCommand, setText, showText } from "./dom.js";

const THRESHOLD_MS = 120;      // Between two commands of the slider.
const TOUCHED_MS = 1500;       // For so long a view from before does not pull the slider back.

export class Controls {
  constructor(about) {
    this.about = about;
    this.touchedAt = -1e9;
    this.timer = 0;
    for (const button of document.querySelectorAll("[data-command]"))
      button.addEventListener("click", () => this.send({ command: button.dataset.command }));
    $("threshold").addEventListener("input", () => this.setThreshold(Number($("threshold").value)));
    $("camera").addEventListener("change", () =>
      this.send({ command: "use_camera", index: Number($("camera").value) }));
    this.startFullScreen();
    this.showThreshold(Number($("threshold").value));
  }

  async send(command) {
    const refusal = await sendCommand(command);
    if (refusal) showText($("message"), refusal);
  }

  setThreshold(wanted) {
    this.touchedAt = performance.now();
    $("threshold").value = wanted;
    this.showThreshold(Number($("threshold").value));
    if (this.timer) return;
    this.timer = setTimeout(() => {
      this.timer = 0;
      this.send({ command: "set_threshold", value: Number($("threshold").value) / 100 });
    }, THRESHOLD_MS);
  }

  moveThreshold(by) { this.setThreshold(Number($("threshold").value) + Math.round(100 * by)); }

  showThreshold(wanted) {
    setText($("threshold-value"), `${wanted} %`);
    $("threshold").setAttribute("aria-valuetext", `${wanted} percent`);
    setText($("threshold-cost"), this.describeCost(wanted));
  }

  describeCost(wanted) {
    const costs = this.about.threshold_costs;
    if (!costs) return "Less sure faces are called unsure. How many is not known: no test photos of a training run lie beside the model.";
    const { answered, accuracy } = costs.steps[wanted];
    const photos = `${costs.photos.toLocaleString("en")} test photos of the training run`;
    const share = answered === costs.photos ? `All ${photos} get an answer` : `${percent(answered / costs.photos)} of the ${photos} get an answer`;
    return accuracy === null ? `${share}.` : `${share}; ${percent(accuracy)} of the answers are right.`;
  }

  // From a view: the values as they stand, and which buttons are pressed.
  show(view) {
    const { status, controls } = view;
    this.press("pause", status.is_paused, "Resume", "Pause the picture");
    this.press("mirror", status.is_mirrored, "Show the picture as the camera sees it", "Show the picture as in a mirror");
    this.press("record", controls.recording !== null, "Stop the recording", "Record what is shown");
    // Only pictures of a folder wait for their turn, and have names.
    $("next").hidden = view.file === undefined;
    const stands = Math.round(100 * controls.threshold);
    const isTouched = performance.now() - this.touchedAt < TOUCHED_MS;
    if (!isTouched && $("threshold").value !== String(stands)) {
      $("threshold").value = stands;
      this.showThreshold(stands);
    }
  }

  press(id, isPressed, onName, offName) {
    // The name stays as it is: "pressed" says the rest to a screen reader.
    $(id).setAttribute("aria-pressed", String(isPressed));
    $(id).title = isPressed ? onName : offName;
  }

  startFullScreen() {
    const stage = $("stage");
    // Some phones fill the screen with videos only.
    if (!document.fullscreenEnabled) return;
    const toggle = () => {
      if (document.fullscreenElement) document.exitFullscreen();
      else stage.requestFullscreen().catch((fault) =>
        showText($("message"), `The browser refused the full screen (${fault.message}).`));
    };
    $("full-screen").hidden = false;
    $("full-screen").addEventListener("click", toggle);
    stage.addEventListener("dblclick", toggle);
  }
}
