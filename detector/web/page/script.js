// The page of the live view: shows what the events say, sends commands. No library, no build.
import { drawChart } from "./chart.js";
import { startDevice } from "./device.js";
import { FaceList, colorOf, shortName } from "./faces.js";

const SILENT_MS = 5000;        // The server speaks every 2 s at least.
const CUT_MS = 1500;           // And is back by then where only the line broke.
const RETRY_MS = 3000;
const THRESHOLD_MS = 120;      // Between two commands of the slider.
const ANNOUNCE_MS = 8000;      // Between two announcements of who is there.

const $ = (id) => document.getElementById(id);
const state = {
  about: null, events: null, heardAt: 0, isLost: false, seconds: [], thresholdTouchedAt: -1e9,
  thresholdTimer: 0, announced: "", announcedAt: -1e9, last: {}, retry: 0,
};

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
function showText(element, text) {
  element.hidden = !text;
  setText(element, text || "");
}
function announce(text) { setText($("announcer"), text); }

// --- Theme -----------------------------------------------------------------------------------
const THEMES = ["system", "light", "dark"];
function setTheme(theme) {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  setText($("theme-name"), theme);
  try { localStorage.setItem("theme", theme); } catch { /* Not remembered, then. */ }
}
function startTheme() {
  const now = document.documentElement.dataset.theme || "system";
  setText($("theme-name"), now);
  $("theme").addEventListener("click", () => {
    const shown = document.documentElement.dataset.theme || "system";
    setTheme(THEMES[(THEMES.indexOf(shown) + 1) % THEMES.length]);
  });
}

// --- Commands --------------------------------------------------------------------------------
async function send(command) {
  try {
    const answer = await fetch("/commands", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(command),
    });
    if (!answer.ok) showText($("message"), await explain(answer));
  } catch {
    showText($("message"), "The program did not answer: is it still running?");
  }
}
async function explain(answer) {
  try {
    return (await answer.json()).detail;
  } catch {
    return `The program answered ${answer.status}.`;
  }
}

function startControls() {
  for (const button of document.querySelectorAll("[data-command]"))
    button.addEventListener("click", () => send({ command: button.dataset.command }));
  $("camera").addEventListener("change", () =>
    send({ command: "use_camera", index: Number($("camera").value) }));
  $("threshold").addEventListener("input", () => {
    state.thresholdTouchedAt = performance.now();
    showThreshold(Number($("threshold").value));
    if (state.thresholdTimer) return;
    state.thresholdTimer = setTimeout(() => {
      state.thresholdTimer = 0;
      send({ command: "set_threshold", value: Number($("threshold").value) / 100 });
    }, THRESHOLD_MS);
  });
}
function showThreshold(percent) {
  setText($("threshold-value"), `${percent} %`);
  $("threshold").setAttribute("aria-valuetext", `${percent} percent`);
}

// --- Views -----------------------------------------------------------------------------------
function showView(view) {
  const { status, controls, counts } = view;
  offerControls(true);
  $("picture").hidden = false;
  $("held").hidden = true;
  const stale = status.stale_s !== null;
  setText($("fps"), status.fps === null || stale ? "–" : status.fps.toFixed(0));
  setText($("age"), status.age_ms === null || stale ? "–" : `${status.age_ms.toFixed(0)} ms`);
  setText($("frames"), counts.frames.toLocaleString("en"));
  setText($("dropped"), counts.dropped.toLocaleString("en"));
  setText($("reconnects"), counts.reconnects.toLocaleString("en"));
  setText($("recording"), controls.recording === null ? "no" : controls.recording);
  press("pause", status.is_paused, "Resume", "Pause the picture");
  press("mirror", status.is_mirrored, "Show the picture as the camera sees it", "Show the picture as in a mirror");
  press("record", controls.recording !== null, "Stop the recording", "Record what is shown");
  showText($("notice"), status.notice);
  if (status.message !== state.last.message) showText($("message"), status.message);
  showControls(controls);
  showLink(stale ? "stale" : "live", stale ? "camera silent" : status.is_paused ? "paused" : "live");
  const silent = stale ? `STALE: no picture from the camera for ${Math.round(status.stale_s)} s.` : "";
  showAlarm(silent, stale);
  $("stage").classList.toggle("is-old", stale);
  showText($("stage-note"), stale ? `No picture for ${Math.round(status.stale_s)} s` : "");
  faces.show(view, controls.selected, controls.correcting);
  setText($("face-count"), String(view.faces.length));
  $("no-faces").hidden = faces.size > 0;
  showText($("correcting"), controls.correcting);
  announceChanges(view, stale);
  state.last = {
    message: status.message, recording: controls.recording, stale, isPaused: status.is_paused,
    isOver: view.is_over,
  };
  if (view.is_over) lose();
}
function press(id, isPressed, onName, offName) {
  const button = $(id);
  button.setAttribute("aria-pressed", String(isPressed));
  // The name stays as it is: "pressed" says the rest to a screen reader.
  button.title = isPressed ? onName : offName;
}
function showControls(controls) {
  const percent = Math.round(100 * controls.threshold);
  // What is being dragged is not pulled back by a view from before.
  if (performance.now() - state.thresholdTouchedAt > 1500 && $("threshold").value !== String(percent)) {
    $("threshold").value = percent;
    showThreshold(percent);
  }
  $("camera-choice").hidden = controls.sources.length < 2;
  const names = JSON.stringify(controls.sources);
  if (names !== state.sources) {
    state.sources = names;
    $("camera").replaceChildren(...controls.sources.map((name, index) => new Option(name, index)));
  }
  if (document.activeElement !== $("camera")) $("camera").value = String(controls.source);
}
function showLink(name, words) {
  $("link").dataset.state = name;
  setText($("link"), words);
}
function showAlarm(words, isStale) {
  // The seconds run on: only the first are for a screen reader, or it would never stop.
  if (isStale && !$("alarm").hidden) $("alarm").setAttribute("role", "none");
  if (!words) $("alarm").setAttribute("role", "alert");
  showText($("alarm"), words);
}
function announceChanges(view, stale) {
  const { status, controls } = view;
  const last = state.last;
  if (status.message && status.message !== last.message) return announce(status.message);
  if (last.stale && !stale) return announce("The picture is back.");
  if (last.recording !== undefined && controls.recording !== last.recording)
    return announce(controls.recording ? `Recording ${controls.recording}.` : "Recording ended.");
  const now = performance.now();
  if (now - state.announcedAt < ANNOUNCE_MS) return undefined;
  const people = view.faces.map((face) => shortName(face, state.about)).sort().join("; ");
  if (people === state.announced) return undefined;
  state.announced = people;
  state.announcedAt = now;
  return announce(people ? `Faces: ${people}.` : "Nobody in the picture.");
}

// --- The line to the server --------------------------------------------------------------------
function connect() {
  disconnect();
  const events = new EventSource("/events");
  state.events = events;
  state.heardAt = performance.now();
  $("picture").src = `/stream.mjpg?${Date.now()}`;
  const hear = (handle) => (event) => {
    state.heardAt = performance.now();
    state.isLost = false;
    handle(JSON.parse(event.data));
  };
  events.addEventListener("view", hear(showView));
  events.addEventListener("counts", hear(addSeconds));
  events.addEventListener("beat", hear(() => {
    // The live loop shows a view twice a second: without one it hangs.
    if (!state.last.message && state.last.stale === undefined) showLink("waiting", "no picture yet");
    else { showLink("stale", "no new picture"); showAlarm("STALE: the program sends no new picture.", true); }
  }));
  events.onerror = () => {
    if (events.readyState === EventSource.CLOSED) return lose();
    // The browser tries again by itself; a program that was killed will not answer.
    return setTimeout(() => {
      if (state.events === events && performance.now() - state.heardAt > CUT_MS) lose();
    }, CUT_MS);
  };
}
// What has nobody to send it to is not offered.
function offerControls(isOffered) {
  for (const part of document.querySelectorAll("#live .controls, #faces")) part.inert = !isOffered;
}
function disconnect() {
  state.events?.close();
  state.events = null;
  holdPicture();
  // Without this the browser goes on to read the old stream.
  $("picture").removeAttribute("src");
}
// The last picture stays in sight, marked as old: a stream that is cut leaves nothing.
function holdPicture() {
  const picture = $("picture"), held = $("held");
  if (picture.hidden || !picture.naturalWidth) return;
  [held.width, held.height] = [picture.naturalWidth, picture.naturalHeight];
  held.getContext("2d").drawImage(picture, 0, 0);
  held.hidden = false;
  picture.hidden = true;
}
function lose() {
  disconnect();
  state.isLost = true;
  offerControls(false);
  for (const id of ["fps", "age"]) setText($(id), "–");
  if (state.last.isOver) {
    showLink("over", "ended");
    showAlarm("The recording has ended, and the program with it. This is its last picture.", false);
    showText($("stage-note"), "Ended");
  } else {
    showLink("lost", "connection lost");
    showAlarm("STALE: no connection to the program. The picture is old. Trying again…", false);
    showText($("stage-note"), "No connection");
  }
  $("stage").classList.add("is-old");
  clearTimeout(state.retry);
  state.retry = setTimeout(tryAgain, RETRY_MS);
}
async function tryAgain() {
  if (document.hidden) return;
  try {
    const answer = await fetch("/about");
    if (answer.status === 401) {
      showAlarm(`STALE: ${await explain(answer)}`, false);
      state.retry = setTimeout(tryAgain, RETRY_MS);
      return;
    }
    if (answer.ok) return connect();
  } catch { /* Still gone. */ }
  state.retry = setTimeout(tryAgain, RETRY_MS);
}
function watchLine() {
  setInterval(() => {
    if (state.events && performance.now() - state.heardAt > SILENT_MS) lose();
  }, 500);
  // A page that nobody sees takes nothing from the program, nor a connection from other tabs.
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) { clearTimeout(state.retry); disconnect(); }
    else connect();
  });
  $("picture").addEventListener("error", () => {
    if (state.events && !document.hidden)
      setTimeout(() => { if (state.events) $("picture").src = `/stream.mjpg?${Date.now()}`; }, RETRY_MS);
  });
}

// --- Chart -------------------------------------------------------------------------------------
function addSeconds(rows) {
  const newest = rows.length ? rows[rows.length - 1][0] : 0;
  const known = new Set(rows.map((row) => row[0]));
  state.seconds = state.seconds.filter((row) => !known.has(row[0])).concat(rows);
  const oldest = Math.max(newest, state.seconds.at(-1)?.[0] ?? 0) - state.about.counted_s;
  state.seconds = state.seconds.filter((row) => row[0] >= oldest).sort((a, b) => a[0] - b[0]);
  showChart();
}
function showChart() {
  const place = { svg: $("chart"), words: $("chart-words"), legend: $("chart-legend") };
  drawChart(place, state.seconds, state.about);
}

// --- A picture that is sent ----------------------------------------------------------------------
let sentUrl = "";
function startTry() {
  $("try-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const file = $("try-file").files[0];
    $("try-faces").replaceChildren();
    $("try-stage").hidden = true;
    if (!file) return;
    if (file.size > state.about.upload_bytes) {
      const most = Math.floor(state.about.upload_bytes / 1e6);
      setText($("try-result"), `The picture is larger than ${most} MB. Scale it down first.`);
      return;
    }
    setText($("try-result"), "Classifying…");
    try {
      const answer = await fetch("/classify", {
        method: "POST", body: file, headers: { "Content-Type": "application/octet-stream" },
      });
      if (!answer.ok) return setText($("try-result"), await explain(answer));
      showPicture(file, await answer.json());
    } catch {
      setText($("try-result"), "The program did not answer: is it still running?");
    }
  });
  // Most browsers do not show HEIC or TIFF.
  $("try-picture").addEventListener("error", () => { $("try-stage").hidden = true; });
}
function showPicture(file, result) {
  const count = result.faces.length;
  const found = count === 1 ? "1 face." : count ? `${count} faces.` : "No face was found.";
  setText($("try-result"), [found, result.notice].filter(Boolean).join(" "));
  const views = result.faces.map((face, index) => ({ ...face, track: index + 1 }));
  const list = new FaceList($("try-faces"), state.about, null);
  list.show({ faces: views }, null, null);
  if (sentUrl) URL.revokeObjectURL(sentUrl);
  sentUrl = URL.createObjectURL(file);
  $("try-picture").src = sentUrl;
  for (const old of $("try-stage").querySelectorAll(".try-box")) old.remove();
  for (const face of views) {
    const box = document.createElement("div");
    box.className = face.unsure ? "try-box is-unsure" : "try-box";
    const [x, y, width, height] = face.box;
    box.style.left = `${(100 * x) / result.width}%`;
    box.style.top = `${(100 * y) / result.height}%`;
    box.style.width = `${(100 * width) / result.width}%`;
    box.style.height = `${(100 * height) / result.height}%`;
    box.style.setProperty("--label", face.unsure ? state.about.unsure_color : colorOf(face, state.about));
    const tag = document.createElement("span");
    tag.textContent = `#${face.track}`;
    box.append(tag);
    $("try-stage").append(box);
  }
  $("try-stage").hidden = false;
}

// --- Start ---------------------------------------------------------------------------------------
let faces = null;
async function start() {
  startTheme();
  try {
    const answer = await fetch("/about");
    if (!answer.ok) throw new Error(String(answer.status));
    state.about = await answer.json();
  } catch {
    showLink("lost", "connection lost");
    showAlarm("No connection to the program. Reload the page once it runs.", false);
    return;
  }
  state.about.labels.forEach((label, number) => {
    label.number = number;
    document.documentElement.style.setProperty(`--class-${number}`, label.color);
  });
  showText($("age-notice"), state.about.age_notice);
  setText($("chart-span"), String(Math.round(state.about.counted_s / 60)));
  startTry();
  startDevice($("device"), state.about);
  if (!state.about.has_camera) {
    document.body.classList.add("no-camera");
    showLink("ready", "no camera");
    return;
  }
  faces = new FaceList($("faces"), state.about, (label, track) =>
    send({ command: "correct_label", label, track }));
  for (const id of ["live", "faces-section", "chart-section"]) $(id).hidden = false;
  startControls();
  watchLine();
  connect();
  showChart();
  addEventListener("resize", showChart);
}
start();
