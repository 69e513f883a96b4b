// Pictures from files: read upright, reduced where they are very large, shown with their faces.
import { judge } from "./tracks.js";
import { drawFaces, listFaces, make } from "./view.js";

const MOST_PIXELS = 12_000_000;
// In a still picture, time is no matter.
const SMALLEST_FACE_PX = 30;
const MOST_SHOWN_PX = 1200;

/** Read a file into pixels, turned as its EXIF says.
 *  @returns The bitmap, which the caller closes, and its pixels. */
export async function readPicture(file) {
  const options = { imageOrientation: "from-image", colorSpaceConversion: "none" };
  let bitmap = await createImageBitmap(file, options);
  const pixels = bitmap.width * bitmap.height;
  if (pixels > MOST_PIXELS) {
    // More than a phone's canvas takes; a face is small beside the whole all the same.
    const scale = Math.sqrt(MOST_PIXELS / pixels);
    const size = { resizeWidth: Math.round(bitmap.width * scale),
      resizeHeight: Math.round(bitmap.height * scale), resizeQuality: "high" };
    const full = bitmap;
    bitmap = await createImageBitmap(full, size);
    full.close();
  }
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  const { data } = context.getImageData(0, 0, bitmap.width, bitmap.height);
  return { bitmap, picture: { data, width: bitmap.width, height: bitmap.height, channels: 4 } };
}

/** Classify a file and put it, with its faces, at the top of the section. */
export async function showPicture(file, engine, words, section) {
  const article = make("article", { className: "picture" });
  const remove = make("button", { text: "Remove", onclick: () => article.remove() });
  article.append(make("header", {}, make("h2", { text: file.name || "Pasted picture" }), remove));
  section.prepend(article);
  try {
    const { bitmap, picture } = await readPicture(file);
    const { faces } = await engine.answer(picture, SMALLEST_FACE_PX);
    const judged = faces.map((face) => (
      { box: face.box, ...judge(face.probabilities, face.strangeness, engine.model) }));
    const list = make("ul", { className: "faces" });
    listFaces(list, judged, words, !engine.finder);
    article.append(drawPicture(bitmap, judged, words), list);
    bitmap.close();
  } catch (fault) {
    article.append(make("p", { className: "fault", text: `This browser cannot read it as a ` +
      `picture (${(fault.message || fault.name).replace(/\.$/, "")}). Save it as JPEG or PNG, and choose that file.` }));
  }
}

function drawPicture(bitmap, faces, words) {
  const scale = Math.min(1, MOST_SHOWN_PX / Math.max(bitmap.width, bitmap.height));
  const canvas = make("canvas", { width: Math.round(bitmap.width * scale),
    height: Math.round(bitmap.height * scale) });
  const context = canvas.getContext("2d");
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  const place = (box) => ({ x: box.x * scale, y: box.y * scale,
    width: box.width * scale, height: box.height * scale });
  drawFaces(context, faces, words, place, Math.max(1, canvas.width / 700));
  return canvas;
}
