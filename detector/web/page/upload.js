// Pictures that are sent: dropped anywhere, pasted, chosen or taken, one after the other.
import { $, NO_ANSWER, explain, make, makeButton, setText } from "./dom.js";
import { FaceList, colorOf } from "./faces.js";

const MOST_SHOWN = 24;         // Older results make room.
const PREVIEW_PX = 1280;
const MOST_TRIES = 20;         // While other people's pictures are worked at.

const waiting = [];
let about = null, isWorking = false, sent = 0, answered = 0, failed = 0, dropped = 0;

export function startUploads(facts) {
  about = facts;
  for (const id of ["try-file", "try-camera"])
    $(id).addEventListener("change", () => {
      take($(id).files);
      // Or the same file could not be chosen again.
      $(id).value = "";
    });
  $("try-clear").addEventListener("click", clear);
  addEventListener("paste", (event) => {
    if (event.clipboardData?.files.length) take(event.clipboardData.files);
  });
  startDropping();
}

function startDropping() {
  const hasFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  let depth = 0;
  const show = (by) => {
    depth = Math.max(0, depth + by);
    $("drop-note").hidden = depth === 0;
  };
  addEventListener("dragenter", (event) => { if (hasFiles(event)) { event.preventDefault(); show(1); } });
  addEventListener("dragleave", (event) => { if (hasFiles(event)) show(-1); });
  addEventListener("dragover", (event) => { if (hasFiles(event)) event.preventDefault(); });
  addEventListener("drop", (event) => {
    depth = 0;
    $("drop-note").hidden = true;
    if (!hasFiles(event)) return;
    event.preventDefault();
    take(event.dataTransfer.files);
  });
}

function take(files) {
  const pictures = [...files].map((file) => ({ file, card: makeCard(file) }));
  // In their order, before those of last time.
  $("tries").prepend(...pictures.map((each) => each.card.element));
  waiting.push(...pictures);
  sent += pictures.length;
  makeRoom();
  showProgress();
  if (pictures.length) $("tries").scrollIntoView({ block: "nearest" });
  work();
}

async function work() {
  if (isWorking) return;
  isWorking = true;
  while (waiting.length) {
    const { file, card } = waiting.shift();
    try {
      showResult(card, await classify(file, card));
      answered += 1;
    } catch (fault) {
      showFailure(card, fault.message);
      failed += 1;
    }
    showProgress();
  }
  isWorking = false;
}

async function classify(file, card) {
  if (file.size > about.upload_bytes)
    throw new Error(`It is larger than ${Math.floor(about.upload_bytes / 1e6)} MB. Scale it down first.`);
  let data;
  try {
    data = await file.arrayBuffer();
  } catch {
    throw new Error("It cannot be read: is it a folder, or gone?");
  }
  setText(card.words, "Classifying…");
  for (let tries = 1; ; tries += 1) {
    let answer;
    try {
      answer = await fetch(`/classify?preview=${PREVIEW_PX}`, {
        method: "POST", body: data, headers: { "Content-Type": "application/octet-stream" },
      });
    } catch {
      throw new Error(NO_ANSWER);
    }
    if (answer.ok) return answer.json();
    const words = await explain(answer);
    if (answer.status !== 503 || tries === MOST_TRIES) throw new Error(words);
    setText(card.words, "Other pictures are worked at first…");
    await new Promise((go) => setTimeout(go, 1000 * Number(answer.headers.get("Retry-After") ?? 1)));
  }
}

function makeCard(file) {
  const element = make("li", "try-card");
  const words = make("p", "try-words", "Waiting…");
  element.append(make("h3", "", file.name || "pasted picture"), words);
  return { element, words };
}

function showFailure(card, reason) {
  card.element.classList.add("has-failed");
  setText(card.words, reason);
}

function showResult(card, result) {
  const count = result.faces.length;
  const found = count === 1 ? "1 face." : count ? `${count} faces.` : "No face was found.";
  setText(card.words, [found, result.notice].filter(Boolean).join(" "));
  const views = result.faces.map((face, index) => ({ ...face, track: index + 1 }));
  const list = make("ol", "try-faces");
  new FaceList(list, about, null).show({ faces: views }, null, null);
  card.element.append(drawBoxes(card, result, views), list);
}

// The picture comes back from the program: upright, small, and of a kind that every browser shows.
function drawBoxes(card, result, views) {
  const stage = make("div", "try-stage");
  const picture = make("img");
  const bytes = Uint8Array.from(atob(result.preview), (letter) => letter.charCodeAt(0));
  card.url = URL.createObjectURL(new Blob([bytes], { type: "image/jpeg" }));
  card.element.dataset.url = card.url;
  picture.src = card.url;
  picture.alt = "The picture that was sent, with a numbered box around each face.";
  stage.append(picture);
  for (const face of views) stage.append(makeBox(face, result));
  return stage;
}

function makeBox(face, result) {
  const box = make("div", face.unsure ? "try-box is-unsure" : "try-box");
  const [x, y, width, height] = face.box;
  box.style.left = `${(100 * x) / result.width}%`;
  box.style.top = `${(100 * y) / result.height}%`;
  box.style.width = `${(100 * width) / result.width}%`;
  box.style.height = `${(100 * height) / result.height}%`;
  box.style.setProperty("--label", face.unsure ? about.unsure_color : colorOf(face, about));
  box.append(make("span", "", `#${face.track}`));
  return box;
}

function makeRoom() {
  // Only what has been answered: the others are still at work.
  const over = [...$("tries").children].slice(MOST_SHOWN).filter((element) => element.dataset.url || element.classList.contains("has-failed"));
  for (const element of over) { forget(element); dropped += 1; }
}
function forget(element) {
  if (element.dataset.url) URL.revokeObjectURL(element.dataset.url);
  element.remove();
}
function clear() {
  for (const element of [...$("tries").children])
    if (element.dataset.url || element.classList.contains("has-failed")) forget(element);
  if (!waiting.length && !isWorking) sent = answered = failed = dropped = 0;
  showProgress();
}
function showProgress() {
  const parts = [];
  if (sent > answered + failed) parts.push(`${answered + failed} of ${sent} pictures done`);
  else if (sent) parts.push(sent === 1 ? "1 picture" : `${sent} pictures`);
  if (failed) parts.push(`${failed} could not be classified: the reason stands beside each`);
  if (dropped) parts.push(`the oldest ${dropped} results are no longer listed`);
  setText($("try-result"), parts.length ? `${parts.join("; ")}.` : "");
  $("try-clear").hidden = !$("tries").children.length;
}
