// Collect: who is before the camera, a button for each class that is held down, thumbnails.
import { CameraPicture, PictureLine, make, offerCameras, say } from "./camera.js";

const $ = (id) => document.getElementById(id);
const MOST_THUMBS = 60;
let line = null;

const picture = new CameraPicture($("stage"), (kind, text) => {
  if (kind === "ended") stop();
  say($("message").closest("[hidden]") ? $("who-message") : $("message"), text);
});

$("who-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  say($("who-message"), "");
  const basis = $("basis").value.trim();
  const wanted = {
    subject: $("subject").value, is_self: $("is-self").checked, is_new: $("is-new").checked, gate: $("gate").value,
    consent: basis && !$("is-self").checked
      ? { basis, expires_on: $("expires").value || null, is_minor: $("is-minor").checked, guardian: $("guardian").value.trim() || null }
      : null,
  };
  try {
    await picture.open("");
    begin(await ask(wanted));
  } catch (why) {
    picture.close();
    say($("who-message"), String(why));
  }
});

// Asks for a session; throws a text for people.
async function ask(wanted) {
  let answer;
  try {
    answer = await fetch("/collect/sessions", {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(wanted),
    });
  } catch {
    throw "The program did not answer: is it still running?";
  }
  const found = await answer.json().catch(() => ({ detail: `The program answered ${answer.status}.` }));
  if (!answer.ok) throw found.detail;
  return found;
}

async function begin(session) {
  $("who").hidden = true;
  $("desk").hidden = false;
  $("desk-heading").textContent = `Hold a button to photograph ${session.subject}`;
  $("thumbs").replaceChildren();
  buildClasses(session);
  say($("message"), "");
  $("answer").textContent = "";
  line = new PictureLine(`/collect/camera?session=${encodeURIComponent(session.session)}`, picture, hear,
    (text) => say($("message"), text));
  line.open();
  showMirror();
  await offerCameras($("choice"), $("choice-row"), picture);
}

function buildClasses(session) {
  $("classes").replaceChildren(...session.classes.map((each, index) => {
    const button = make("button", "shot");
    button.type = "button";
    button.dataset.label = each.label;
    button.style.setProperty("--button", each.color);
    const count = make("output", "count", String(session.counts[each.label] || 0));
    button.append(make("span", "", index < 9 ? `${index + 1}  ${each.title}` : each.title), count);
    button.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      button.setPointerCapture(event.pointerId);
      hold(button);
    });
    for (const name of ["pointerup", "pointercancel", "lostpointercapture", "blur"])
      button.addEventListener(name, release);
    button.addEventListener("contextmenu", (event) => event.preventDefault());
    return button;
  }));
}

let held = null;
function hold(button) {
  if (held || !line) return;
  held = button;
  button.setAttribute("aria-pressed", "true");
  line.sendText({ hold: button.dataset.label });
}
function release() {
  if (!held) return;
  held.setAttribute("aria-pressed", "false");
  held = null;
  line?.sendText({ release: true });
}

// The keys 1 to 9, and space or Enter on a button, are held too.
function keyed(event) {
  const buttons = [...document.querySelectorAll("#classes button")];
  if (/^[1-9]$/.test(event.key)) return buttons[Number(event.key) - 1];
  return [" ", "Enter"].includes(event.key) && buttons.includes(event.target) ? event.target : undefined;
}
addEventListener("keydown", (event) => {
  if ($("desk").hidden || event.ctrlKey || event.metaKey || event.altKey) return;
  const button = keyed(event);
  if (button) {
    event.preventDefault();
    if (!event.repeat) hold(button);
  } else if (event.key === "u") line?.sendText({ undo: true });
});
addEventListener("keyup", (event) => { if (keyed(event)) release(); });
addEventListener("blur", release);

$("undo").addEventListener("click", () => line?.sendText({ undo: true }));
$("redo").addEventListener("click", () => line?.sendText({ redo: true }));
$("stop").addEventListener("click", () => { stop(); say($("who-message"), ""); });
$("mirror").addEventListener("click", () => { picture.mirror(!picture.isMirrored); showMirror(); });
$("choice").addEventListener("change", async () => {
  try { await picture.open($("choice").value); showMirror(); } catch (why) { stop(); say($("who-message"), String(why)); }
});
addEventListener("pagehide", () => stop());
function showMirror() { $("mirror").setAttribute("aria-pressed", String(picture.isMirrored)); }

function stop() {
  release();
  line?.close();
  line = null;
  picture.close();
  $("desk").hidden = true;
  $("who").hidden = false;
}

function hear(answer) {
  if (answer.isOver) {
    // The reason is told next, on the form that is then in sight.
    const tell = line.tell;
    line.tell = (text) => { tell(""); say($("who-message"), text); };
    stop();
    return;
  }
  if (answer.fault) return void say($("message"), answer.fault);
  $("advice").textContent = answer.advice;
  $("advice").dataset.tone = answer.tone;
  const words = [answer.said, answer.report].filter(Boolean).at(-1);
  if (words) $("answer").textContent = words;
  say($("message"), answer.notice || "");
  for (const path of answer.gone || []) findThumb(path)?.remove();
  for (const each of answer.added || []) addThumb(each);
  for (const [label, count] of Object.entries(answer.counts || {})) {
    const button = [...document.querySelectorAll("#classes button")].find((one) => one.dataset.label === label);
    if (button) button.querySelector("output").textContent = String(count);
  }
  picture.draw(answer.width, answer.height, (pen, unit) => {
    const [x, y, w, h] = answer.box;
    pen.setLineDash(answer.has_face ? [] : [8 * unit, 6 * unit]);
    for (const [color, thick] of [["#141414", 6], [answer.tone === "good" ? "#2cc79c" : "#e69f00", 3.5]]) {
      pen.strokeStyle = color;
      pen.lineWidth = thick * unit;
      pen.strokeRect(picture.left(x, w, answer.width), y, w, h);
    }
  });
}

function findThumb(path) {
  return [...$("thumbs").children].find((each) => each.dataset.path === path);
}
function addThumb(each) {
  const bytes = Uint8Array.from(atob(each.jpeg), (one) => one.charCodeAt(0));
  const item = make("li");
  item.dataset.path = each.path;
  const image = make("img");
  image.alt = `Photo of ${each.label}`;
  const address = URL.createObjectURL(new Blob([bytes], { type: "image/jpeg" }));
  image.addEventListener("load", () => URL.revokeObjectURL(address));
  image.src = address;
  const remove = make("button", "", "×");
  remove.type = "button";
  remove.setAttribute("aria-label", `Move this photo of ${each.label} to the trash`);
  remove.addEventListener("click", () => line?.sendText({ remove: each.path }));
  item.append(image, remove, make("span", "", each.label));
  $("thumbs").prepend(item);
  while ($("thumbs").children.length > MOST_THUMBS) $("thumbs").lastChild.remove();
}

// Until here the form would be sent as an address, with who is in it.
document.querySelector("#who-form button").disabled = false;
