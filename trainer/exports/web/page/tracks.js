// Steadies labels from frame to frame, by the same rules as `detector live`.
import { overlap } from "./faces.js";

const FADE_S = 0.4, KEEP_S = 1, LABEL_LEAD = 0.2, SURE_LEAD = 0.1, STRANGE_LEAD = 0.05;
const MOST_STRANGE = 1.5, LEAST_IOU = 0.2, NEAR_SIDES = 0.75;

const largest = (values) => values.reduce((best, value, at) => (value > values[best] ? at : best), 0);

/** Judge one face by itself, as a still picture is.
 *  @returns What is shown of it: the class's number, its probability, and what makes it unsure. */
export function judge(probabilities, strangeness, model) {
  const best = largest(probabilities);
  const isFamiliar = model.strangeAbove === null || strangeness === null
    || strangeness <= model.strangeAbove;
  const isSure = isFamiliar && probabilities[best] >= model.unsureBelow;
  return { best, probabilities, confidence: probabilities[best], isFamiliar, isSure };
}

export class Tracks {
  constructor(model) {
    this.model = model;
    this.tracks = [];
  }

  /** Take in the faces of a frame at a time in seconds, and return what is shown of each. */
  follow(faces, now) {
    this.tracks = this.tracks.filter((track) => now - track.seen <= KEEP_S);
    const matched = this.match(faces);
    return faces.map((face, at) => {
      const track = matched[at] || this.begin(face, now);
      if (matched[at]) this.advance(track, face, now);
      Object.assign(track, { box: face.box, seen: now });
      return { box: face.box, ...this.show(track) };
    });
  }

  match(faces) {
    const pairs = this.tracks.flatMap((track) => faces.map((face, at) =>
      ({ track, at, score: likeness(track.box, face.box) }))).filter((pair) => pair.score > 0);
    const matched = [];
    for (const { track, at } of pairs.sort((a, b) => b.score - a.score)) {
      if (!matched[at] && !matched.includes(track)) matched[at] = track;
    }
    return matched;
  }

  begin(face, now) {
    const track = { seen: now, weight: 1, average: [...face.probabilities],
      best: largest(face.probabilities), strangeness: this.cap(face.strangeness),
      isConfident: true, isFamiliar: true };
    this.tracks.push(track);
    return track;
  }

  advance(track, face, now) {
    const weight = track.weight * Math.exp(-Math.max(0, now - track.seen) / FADE_S);
    const blend = (old, fresh) => (old * weight + fresh) / (weight + 1);
    track.average = track.average.map((old, at) => blend(old, face.probabilities[at]));
    if (face.strangeness !== null) {
      track.strangeness = blend(track.strangeness, this.cap(face.strangeness));
    }
    track.weight = weight + 1;
    const best = largest(track.average);
    if (track.average[best] - track.average[track.best] >= LABEL_LEAD) track.best = best;
  }

  cap(strangeness) {
    const limit = this.model.strangeAbove;
    return strangeness === null || limit === null ? null
      : Math.min(strangeness, MOST_STRANGE * limit);
  }

  show(track) {
    const { unsureBelow, strangeAbove } = this.model;
    const confidence = track.average[track.best];
    // Around a threshold the label would come and go.
    const lead = track.isConfident ? 0 : SURE_LEAD;
    track.isConfident = confidence >= Math.min(1, unsureBelow + lead);
    track.isFamiliar = track.strangeness === null
      || track.strangeness <= strangeAbove * (track.isFamiliar ? 1 : 1 - STRANGE_LEAD);
    return { best: track.best, probabilities: track.average, confidence,
      isFamiliar: track.isFamiliar, isSure: track.isConfident && track.isFamiliar };
  }
}

/** Return over 1 by overlap, 0 to 1 by nearness, 0 if two boxes cannot be one face. */
function likeness(old, fresh) {
  const shared = overlap(old, fresh);
  if (shared >= LEAST_IOU) return 1 + shared;
  const oldSide = Math.max(old.width, old.height), side = Math.max(fresh.width, fresh.height);
  if (oldSide / side < 0.5 || oldSide / side > 2) return 0;
  const jump = Math.hypot(old.x + old.width / 2 - fresh.x - fresh.width / 2,
    old.y + old.height / 2 - fresh.y - fresh.height / 2) / Math.max(oldSide, side);
  return Math.max(0, 1 - jump / NEAR_SIDES);
}
