// The pictures of an operation: those it has, and the places of those that are awaited.

import { h, icon } from "./dom.js";
import { pictureImage } from "./pictures.js";
import { expectedRatio } from "./progress.js";
import { routeTo } from "./router.js";
import { openViewer } from "./viewer.js";
import { t } from "./i18n.js";

function pictureTile(picture, operation) {
  const open = (event) => {
    event.preventDefault();
    openViewer(operation.images.map((each) => ({ id: operation.id, slot: each.slot })), { id: operation.id, slot: picture.slot });
  };
  return h("a", {
    class: "tile", href: routeTo("gallery", { query: { picture: picture.id } }), on: { click: open },
    style: { "aspect-ratio": `${picture.width} / ${picture.height}` },
  }, pictureImage(picture, operation.prompt ?? t("privatePrompt")));
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
