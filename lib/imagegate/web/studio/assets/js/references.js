// Reference pictures: dropped, pasted or chosen, and the mask that is painted on the first.

import { h, icon, iconButton, replaceContent } from "./dom.js";
import { changeDraft, draft, MOST_REFERENCES } from "./draft.js";
import { openMask } from "./mask.js";
import { t } from "./i18n.js";

const TYPES = ["image/png", "image/jpeg", "image/webp"];
const LARGEST = 4_000_000;
const LONGEST_SIDE = 1536;

export function createReferences(most, report) {
  const list = h("div", { class: "references" });
  const input = h("input", {
    type: "file", accept: TYPES.join(","), multiple: most > 1, class: "visually-hidden", id: "reference-file",
    "aria-label": t("addReference"), on: { change: () => addFiles(input.files).then(() => { input.value = ""; }) },
  });
  const room = Math.min(most, MOST_REFERENCES);

  async function addFiles(files) {
    for (const file of [...files].slice(0, room - draft.references.length)) {
      try {
        changeDraft({ references: [...draft.references, await readReference(file)], mask: null });
      } catch (error) {
        report(error.message);
      }
    }
    show();
  }

  function show() {
    const thumbnails = draft.references.map((reference, at) =>
      h("div", { class: "reference" },
        h("img", { src: reference.url, alt: reference.name }),
        iconButton("close", t("removeReference", { name: reference.name }), () => {
          changeDraft({ references: draft.references.filter((other) => other !== reference), mask: null });
          show();
        }, { class: "icon-button remove" }),
        at === 0 && iconButton("brush", draft.mask ? t("changeMask") : t("paintMask"), () => openMask(reference, show), {
          class: `icon-button brush${draft.mask ? " on" : ""}`,
        })));
    const add = draft.references.length < room && h("label", { class: "reference add", for: "reference-file", title: t("addReference") },
      icon("plus"), h("span", {}, t(draft.references.length ? "another" : "referencePictures")), input);
    replaceContent(list, thumbnails, add);
  }

  show();
  return { element: list, addFiles, show };
}

// A picture as a data URL, scaled down where it is larger than one request can hold.
export async function readReference(file) {
  if (!TYPES.includes(file.type)) throw new Error(t("wrongType", { name: file.name ?? "" }));
  const bitmap = await createImageBitmap(file);
  const scale = Math.min(1, LONGEST_SIDE / Math.max(bitmap.width, bitmap.height));
  const [width, height] = [Math.round(bitmap.width * scale), Math.round(bitmap.height * scale)];
  const name = file.name || t("pasted");
  if (scale === 1 && file.size <= LARGEST / MOST_REFERENCES) return { name, width, height, url: await readDataUrl(file) };
  const canvas = h("canvas", { width, height });
  canvas.getContext("2d").drawImage(bitmap, 0, 0, width, height);
  return { name, width, height, url: canvas.toDataURL(file.type === "image/jpeg" ? "image/jpeg" : "image/webp", 0.92) };
}

function readDataUrl(blob) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(blob);
  });
}
