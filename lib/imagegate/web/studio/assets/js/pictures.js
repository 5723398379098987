// Images of stored pictures.

import { addressOf } from "./api.js";
import { h } from "./dom.js";

// The source of a small picture: its preview where there is one.
export function previewSource(picture) {
  return addressOf(picture.preview_url ?? picture.url);
}

// An image whose place is known before its bytes. The whole picture fades in over its preview.
export function pictureImage(picture, alt, whole = true) {
  const image = h("img", {
    src: whole ? addressOf(picture.url) : previewSource(picture), width: picture.width, height: picture.height,
    decoding: "async", class: "fading", alt,
    on: { load: () => image.classList.remove("fading"), error: () => image.parentElement?.classList.add("gone") },
  });
  const preview = whole && picture.preview_url && h("img", { src: previewSource(picture), alt: "", class: "under" });
  return [preview, image].filter(Boolean);
}
