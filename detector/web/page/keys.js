// The keys of the window, here too: the program says which they are, and what each does.
import { $, make, setText, showText } from "./dom.js";

const NAMES = { "\r": "Enter", "\n": "Enter", " ": "Space" };
// Where letters are typed or chosen they mean themselves.
const TYPING = "input:not([type=range]), textarea, select, [contenteditable], video, dialog";
const WORDS = {
  quit: "ends the program; only in its own window or terminal",
  toggle_pause: "pause, or go on",
  toggle_mirror: "mirror the picture",
  take_snapshot: "save a snapshot",
  toggle_recording: "start or end a recording",
  next_picture: "next picture of a folder",
  next_camera: "next camera",
  toggle_all: "all cameras, or one of them again",
  select_next_face: "select another face",
  choose_label: "choose a right label",
  correct_as_chosen: "save the face with the chosen label",
  show_keys: "show these keys",
};

// Of a view of several cameras only.
const ALL_KEY = { key: "g", action: "toggle_all", label: null, by: null };

function describe(key, about) {
  if (key.action === "move_threshold") return key.by > 0 ? "raise the threshold" : "lower the threshold";
  if (key.action === "correct_label") {
    const label = about.labels.find((each) => each.name === key.label);
    return `the face is really ${label ? label.title : key.label}: save it`;
  }
  return WORDS[key.action] ?? key.action.replaceAll("_", " ");
}

export class Keys {
  constructor(about, controls, cameras) {
    this.about = about;
    this.controls = controls;
    this.cameras = cameras;
    this.chosen = null;
    this.byKey = new Map(about.keys.map((key) => [key.key, key]));
    $("show-keys").hidden = false;
    $("show-keys").addEventListener("click", () => this.showKeys());
    for (const button of document.querySelectorAll("[data-command]"))
      this.nameKey(button, button.dataset.command);
    document.addEventListener("keydown", (event) => this.hear(event));
  }

  // A screen reader says the key together with the button.
  nameKey(button, action) {
    const key = this.about.keys.find((each) => each.action === action);
    if (key) button.setAttribute("aria-keyshortcuts", key.key);
  }

  fillDialog() {
    const keys = [...this.about.keys];
    if (this.cameras.areSeveral && !this.byKey.has(ALL_KEY.key)) keys.push(ALL_KEY);
    const rows = keys.map((key) => {
      const row = make("div");
      const name = make("dt");
      name.append(make("kbd", "", NAMES[key.key] ?? key.key));
      row.append(name, make("dd", "", describe(key, this.about)));
      return row;
    });
    $("keys").replaceChildren(...rows);
  }

  hear(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return;
    const target = event.target instanceof Element ? event.target : document.body;
    if (target.closest(TYPING)) return;
    const pressed = event.key === "Enter" ? "\r" : event.key;
    // These press the button that has the focus.
    if ((pressed === "\r" || pressed === " ") && target.closest("button, a, label, summary, [tabindex]")) return;
    const key = this.byKey.get(pressed) ?? (this.cameras.areSeveral && pressed === ALL_KEY.key ? ALL_KEY : null);
    if (!key) return;
    event.preventDefault();
    this.obey(key);
  }

  obey(key) {
    switch (key.action) {
      case "quit": return this.say("Only the program's own window or terminal ends it: Ctrl-C there.");
      case "toggle_all": return this.cameras.toggleAll();
      case "show_keys": return this.showKeys();
      case "move_threshold": return this.controls.moveThreshold(key.by);
      case "correct_label": return this.correct(key.label);
      case "choose_label": return this.choose(key.by);
      case "correct_as_chosen":
        if (this.chosen === null) return this.say("No label is chosen: choose one with [ and ].");
        return this.correct(this.about.labels[this.chosen].name);
      default: return this.controls.send({ command: key.action });
    }
  }

  correct(label) {
    // Of the selected face, or of the largest where none is.
    return this.controls.send({ command: "correct_label", label, track: null });
  }

  choose(by) {
    const count = this.about.labels.length;
    this.chosen = this.chosen === null ? (by > 0 ? 0 : count - 1) : (this.chosen + by + count) % count;
    const title = this.about.labels[this.chosen].title;
    this.say(`right label: ${title} (${this.chosen + 1} of ${count}), Enter saves it`);
  }

  showKeys() {
    this.fillDialog();
    $("keys-dialog").showModal();
  }

  say(words) {
    showText($("message"), words);
    setText($("announcer"), words);
  }
}
