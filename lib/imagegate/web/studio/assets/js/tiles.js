// The pictures of an operation: those it has, and the places of those that are awaited.

import { addressOf } from "./api.js";
import { h, icon } from "./dom.js";
import { expectedRatio } from "./progress.js";
import { t } from "./i18n.js";

// The source of a small picture: its preview where there is one.
export function previewSource(picture) {
  return addressOf(picture.url, picture.preview ? "preview" : "");
}

// An image whose place is known before its bytes; it fades in.
export function pictureImage(picture, operation, source = addressOf(picture.url)) {
  const image = h("img", {
    src: source, width: picture.width, height: picture.height, decoding: "async", class: "fading",
    alt: operation.prompt ?? t("privatePrompt"),
    on: { load: () => image.classList.remove("fading"), error: () => image.closest(".tile")?.classList.add("gone") },
  });
  return image;
}

export function pictureTile(picture, operation, source) {
  return h("a", { class: "tile", href: addressOf(picture.url), target: "_blank", style: { "aspect-ratio": `${picture.width} / ${picture.height}` } }, pictureImage(picture, operation, source));
}

export function waitingTile(operation) {
  return h("div", { class: "tile waiting", style: { "aspect-ratio": `${expectedRatio(operation)}` } });
}

export function missingTile(operation) {
  return h("div", { class: "tile missing", style: { "aspect-ratio": `${expectedRatio(operation)}` } }, icon("close"));
}

// One tile for each picture that was asked for.
export function operationTiles(operation) {
  const bySlot = new Map(operation.images.map((picture) => [picture.slot, picture]));
  const places = Array.from({ length: operation.n }, (_, slot) => bySlot.get(slot));
  return places.map((picture) => {
    if (picture) return pictureTile(picture, operation);
    return operation.done ? missingTile(operation) : waitingTile(operation);
  });
}
