// What was kept: alarms since the start, snapshots and recordings on the disk, with pictures.
import { $, NO_ANSWER, clockTime, explain, make, makeButton, percent, setText, showText } from "./dom.js";

const REFRESH_MS = 8000;
const SURE_MS = 6000;          // For so long a second click deletes.
const KINDS = { snapshots: "snapshot", recordings: "recording" };

function moment(text) {
  const date = new Date(text);
  const day = date.toLocaleDateString("en-GB", { day: "numeric", month: "short" });
  return `${day}, ${clockTime(date)}`;
}
function size(bytes) {
  return bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1e3))} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

export class History {
  constructor(about) {
    this.about = about;
    this.cards = new Map();
    this.seen = null;
    if (!about.has_history) return;
    $("history-section").hidden = false;
    this.refresh();
    setInterval(() => { if (!document.hidden) this.refresh(); }, REFRESH_MS);
  }

  // A view says when there may be something new: no need to wait for the next round.
  show(view) {
    if (!this.about.has_history) return;
    const seen = JSON.stringify([view.status.message, view.controls.recording]);
    if (this.seen !== null && seen !== this.seen) this.refresh();
    this.seen = seen;
  }

  async refresh() {
    let found;
    try {
      const answer = await fetch("/history");
      if (!answer.ok) return setText($("history-words"), await explain(answer));
      found = await answer.json();
    } catch {
      return setText($("history-words"), NO_ANSWER);
    }
    setText($("history-words"), found.problem ?? "");
    this.list($("alarms"), found.alarms, (alarm) => `alarm ${alarm.number}`, (alarm) => this.makeAlarm(alarm));
    setText($("alarm-count"), String(found.alarms_raised));
    showText($("no-alarms"), this.describeAlarms(found));
    this.list($("kept"), found.kept, (file) => `${file.kind}/${file.name} ${file.is_growing}`, (file) => this.makeFile(file));
    setText($("kept-count"), String(found.kept.length + found.left_out));
    showText($("no-kept"), this.describeKept(found));
    return undefined;
  }

  describeAlarms(found) {
    if (!found.has_alarms) return "No alarm was asked for. Start with --on PATTERN and --exec, --webhook or --mqtt.";
    if (!found.alarms.length) return "No alarm since the start.";
    const before = found.alarms_raised - found.alarms.length;
    return before > 0 ? `The last ${found.alarms.length}; ${before} before them are not listed.` : "";
  }
  describeKept(found) {
    if (!found.kept.length) return "Nothing is kept yet. Snapshot and Record save into the program's folders.";
    return found.left_out > 0 ? `The newest ${found.kept.length}; ${found.left_out} more lie in the folders.` : "";
  }

  // Cards stay in place while nothing changes on them: a click must not miss its button.
  list(place, entries, name, makeCard) {
    const names = new Set(entries.map(name));
    for (const card of [...place.children]) if (!names.has(card.dataset.name)) card.remove();
    const there = new Map([...place.children].map((card) => [card.dataset.name, card]));
    let before = null;
    for (const entry of [...entries].reverse()) {
      let card = there.get(name(entry));
      if (!card) {
        card = makeCard(entry);
        card.dataset.name = name(entry);
        place.insertBefore(card, before);
      }
      before = card;
    }
  }

  makeAlarm(alarm) {
    const label = this.about.labels.find((each) => each.name === alarm.label);
    const title = label ? label.title : alarm.label;
    const card = make("li", "card");
    if (label) card.style.setProperty("--label", `var(--class-${label.number})`);
    const picture = `/history/alarms/${alarm.number}`;
    card.append(
      this.makePicture(picture, picture, `The picture of the alarm: ${title}`),
      make("p", "card-title", `#${alarm.track} ${title}, ${percent(alarm.confidence)}`),
      make("p", "quiet", `${moment(alarm.at)} · ${alarm.source}${alarm.file ? ` · ${alarm.file}` : ""}`),
    );
    return card;
  }

  makeFile(file) {
    const place = `/history/${file.kind}/${encodeURIComponent(file.name)}`;
    const card = make("li", "card");
    card.append(
      this.makePicture(`${place}?small=1`, place, `${KINDS[file.kind]} ${file.name}`, file.is_growing),
      make("p", "card-title", `${file.kind === "recordings" ? "▶ Recording" : "Snapshot"}, ${moment(file.at)}`),
      make("p", "quiet", file.is_growing ? "is being recorded" : `${size(file.bytes)} · ${file.name}`),
    );
    if (!file.is_growing) card.append(this.makeActions(card, place, file));
    return card;
  }

  makePicture(source, target, words, isGrowing = false) {
    const link = make("a", "card-picture");
    const picture = make("img");
    picture.alt = words;
    picture.loading = "lazy";
    if (!isGrowing) {
      picture.src = source;
      link.href = target;
      link.target = "_blank";
    }
    picture.addEventListener("error", () => link.replaceChildren(make("span", "quiet", "no picture")));
    link.append(picture);
    return link;
  }

  makeActions(card, place, file) {
    const actions = make("div", "card-actions");
    const download = make("a", "button", "Download");
    download.href = place;
    download.download = file.name;
    let isAsked = false;
    const remove = makeButton("Delete", async () => {
      if (!isAsked) {
        isAsked = true;
        setText(remove, "Really delete?");
        setTimeout(() => { isAsked = false; setText(remove, "Delete"); }, SURE_MS);
        return;
      }
      await this.remove(place, file);
    });
    remove.setAttribute("aria-label", `Delete the ${KINDS[file.kind]} ${file.name}`);
    actions.append(download, remove);
    return actions;
  }

  async remove(place, file) {
    let words = `${file.name} is deleted.`;
    try {
      const answer = await fetch(place, { method: "DELETE" });
      if (!answer.ok) words = await explain(answer);
    } catch {
      words = NO_ANSWER;
    }
    await this.refresh();
    setText($("history-words"), words);
  }
}
