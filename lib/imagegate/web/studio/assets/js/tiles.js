// The pictures of an operation: those it has, and the places of those that are awaited.

import { addressOf } from "./api.js";
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
  return h("div", { class: "tile waiting", style: { "aspect-ratio": `${expectedRatio(operation)}` } }, partialImages(operation));
}

// The newest partial picture of the attempt that runs, which fades in over the one before.
function partialImages(operation) {
  const attempt = operation.attempts.at(-1);
  if (operation.n > 1 || !attempt || attempt.ended_at) return [];
  const made = operation.partials.filter((partial) => partial.attempt === attempt.number).slice(-2);
  return made.map((partial, at) => {
    const place = at === made.length - 1 ? "fading" : "under";
    const image = h("img", { src: addressOf(partial.url), alt: "", class: place, on: { load: () => image.classList.remove("fading"), error: () => image.remove() } });
    return image;
  });
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
