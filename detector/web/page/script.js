// The page of the live view: shows what the events say, sends commands. No library, no build.
import { Cameras, showChoice } from "./cameras.js";
import { drawChart } from "./chart.js";
import { startDevice } from "./device.js";
import { Controls } from "./controls.js";
import { $, clockTime, setText, showText } from "./dom.js";
import { FaceList, shortName } from "./faces.js";
import { History } from "./history.js";
import { Keys } from "./keys.js";
import { startUploads } from "./upload.js";

const SILENT_MS = 5000;        // The server speaks every 2 s at least.
const CUT_MS = 1500;           // And is back by then where only the line broke.
const RETRY_MS = 3000;
const ANNOUNCE_MS = 8000;      // Between two announcements of who is there.

const state = {
  about: null, aboutText: "", events: null, heardAt: 0, heardDate: null, isLost: false, seconds: [],
  announced: "", announcedAt: -1e9, last: {}, retry: 0,
};
let faces = null, controls = null, cameras = null, history = null;

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
// On a phone figures and chart wait behind their headings; elsewhere they are always open.
function startFolding() {
  const isSmall = matchMedia("(max-width: 899px)");
  const fold = () => {
    for (const part of document.querySelectorAll(".fold")) part.open = !isSmall.matches;
  };
  isSmall.addEventListener("change", fold);
  for (const part of document.querySelectorAll(".fold")) part.addEventListener("toggle", showChart);
  fold();
}

// --- Views -----------------------------------------------------------------------------------
function showView(view) {
  const { status } = view;
  offerControls(true);
  const hasTiles = cameras.show(view);
  showStage(hasTiles);
  const stale = status.stale_s !== null;
  showFigures(view, stale);
  controls.show(view);
  showChoice(view.controls, (view.sources ?? []).length > 1);
  history.show(view);
  showText($("notice"), status.notice);
  if (status.message !== state.last.message) showText($("message"), status.message);
  showLink(stale ? "stale" : "live", stale ? "camera silent" : status.is_paused ? "paused" : "live");
  const silent = stale ? `STALE: no picture from the camera for ${Math.round(status.stale_s)} s.` : "";
  showAlarm(silent, stale);
  $("stage").classList.toggle("is-old", stale);
  showText($("stage-note"), stale ? `No picture for ${Math.round(status.stale_s)} s` : "");
  faces.show(view, view.controls.selected, view.controls.correcting);
  setText($("face-count"), String(view.faces.length));
  $("no-faces").hidden = faces.size > 0;
  showText($("correcting"), view.controls.correcting);
  announceChanges(view, stale);
  state.last = {
    message: status.message, recording: view.controls.recording, stale, isPaused: status.is_paused,
    isOver: view.is_over,
  };
  if (view.is_over) lose();
}
function showStage(hasTiles) {
  $("held").hidden = true;
  $("picture").hidden = hasTiles;
  if (hasTiles) $("picture").removeAttribute("src");
  else if (!$("picture").getAttribute("src")) openStream();
}
function showFigures({ status, counts, controls: stands }, stale) {
  setText($("fps"), status.fps === null || stale ? "–" : status.fps.toFixed(0));
  setText($("age"), status.age_ms === null || stale ? "–" : `${status.age_ms.toFixed(0)} ms`);
  setText($("frames"), counts.frames.toLocaleString("en"));
  setText($("dropped"), counts.dropped.toLocaleString("en"));
  setText($("reconnects"), counts.reconnects.toLocaleString("en"));
  setText($("recording"), stands.recording === null ? "no" : stands.recording);
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
  const { status, controls: stands } = view;
  const last = state.last;
  if (status.message && status.message !== last.message) return announce(status.message);
  if (last.stale && !stale) return announce("The picture is back.");
  if (last.recording !== undefined && stands.recording !== last.recording)
    return announce(stands.recording ? `Recording ${stands.recording}.` : "Recording ended.");
  const now = performance.now();
  if (now - state.announcedAt < ANNOUNCE_MS) return undefined;
  const people = view.faces.map((face) => shortName(face, state.about)).sort().join("; ");
  if (people === state.announced) return undefined;
  state.announced = people;
  state.announcedAt = now;
  return announce(people ? `Faces: ${people}.` : "Nobody in the picture.");
}

// --- The line to the server --------------------------------------------------------------------
function openStream() { $("picture").src = `/stream.mjpg?${Date.now()}`; }
function connect() {
  disconnect();
  const events = new EventSource("/events");
  state.events = events;
  state.heardAt = performance.now();
  if (cameras.hasTiles) cameras.connect();
  else openStream();
  const hear = (handle) => (event) => {
    state.heardAt = performance.now();
    state.heardDate = new Date();
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
  const parts = "#live .controls, #cameras, #tiles, #settings, #faces, #history-section button";
  for (const part of document.querySelectorAll(parts)) part.inert = !isOffered;
}
function disconnect() {
  state.events?.close();
  state.events = null;
  holdPicture();
  // Without this the browser goes on to read the old streams.
  $("picture").removeAttribute("src");
  cameras.disconnect();
}
// The last picture stays in sight, marked as old: a stream that is cut leaves nothing.
function holdPicture() {
  const held = $("held");
  const tiles = cameras.paint();
  const picture = tiles ?? $("picture");
  const width = tiles ? tiles.width : picture.naturalWidth;
  if (!tiles && (picture.hidden || !width)) return;
  [held.width, held.height] = [width, tiles ? tiles.height : picture.naturalHeight];
  held.getContext("2d").drawImage(picture, 0, 0);
  held.hidden = false;
  $("picture").hidden = true;
  $("tiles").hidden = true;
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
    const since = state.heardDate ? `No word from the program since ${clockTime(state.heardDate)}` : "No word from the program";
    showAlarm(`STALE: no connection to the program. The picture is old. Trying again…`, false);
    showText($("stage-note"), since);
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
    if (answer.ok) {
      // Another model has other classes: the page begins anew with them.
      if ((await answer.text()) !== state.aboutText) return location.reload();
      return connect();
    }
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
      setTimeout(() => { if (state.events && !cameras.hasTiles) openStream(); }, RETRY_MS);
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
  if (!state.about || !state.about.has_camera) return;
  const place = { svg: $("chart"), words: $("chart-words"), legend: $("chart-legend") };
  drawChart(place, state.seconds, state.about);
}

// --- Start ---------------------------------------------------------------------------------------
async function start() {
  startTheme();
  startFolding();
  try {
    const answer = await fetch("/about");
    if (!answer.ok) throw new Error(String(answer.status));
    state.aboutText = await answer.text();
    state.about = JSON.parse(state.aboutText);
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
  startUploads(state.about);
  startDevice($("device"), state.about);
  if (state.about.has_camera) startLive();
  else {
    document.body.classList.add("no-camera");
    showLink("ready", "no camera");
  }
}
function startLive() {
  document.body.classList.add("has-camera");
  controls = new Controls(state.about);
  faces = new FaceList($("faces"), state.about, (label, track) =>
    controls.send({ command: "correct_label", label, track }));
  cameras = new Cameras((source) =>
    controls.send(source === "all" ? { command: "show_all" } : { command: "use_camera", index: source }));
  history = new History(state.about);
  new Keys(state.about, controls, cameras);
  const parts = ["live", "settings", "faces-section", "figures-section", "chart-section"];
  for (const id of parts) $(id).hidden = false;
  watchLine();
  connect();
  showChart();
  addEventListener("resize", showChart);
}
start();
