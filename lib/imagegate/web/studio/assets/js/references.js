// Reference pictures: dropped, pasted or chosen, and the mask that is painted on the first.

import { h, icon, iconButton, replaceContent } from "./dom.js";
import { changeDraft, draft, MOST_REFERENCES } from "./draft.js";
import { formatBytes } from "./format.js";
import { openMask } from "./mask.js";
import { LARGEST_TOGETHER } from "./uploads.js";
import { t } from "./i18n.js";

const TYPES = ["image/png", "image/jpeg", "image/webp"];

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
        checkRoom(file);
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
          URL.revokeObjectURL(reference.url);
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

// Throws an error, for the reader, where the pictures would be more together than the gateway takes.
function checkRoom(file) {
  const bytes = draft.references.reduce((sum, reference) => sum + reference.file.size, file.size);
  if (bytes > LARGEST_TOGETHER) throw new Error(t("tooLarge", { name: file.name || t("pasted"), size: formatBytes(file.size), most: formatBytes(LARGEST_TOGETHER) }));
}

// A picture of the form: its file as it is, and its size. Throws an error whose message is for the reader.
export async function readReference(file) {
  const name = file.name || t("pasted");
  if (!TYPES.includes(file.type)) throw new Error(t("wrongType", { name }));
  try {
    const bitmap = await createImageBitmap(file);
    const { width, height } = bitmap;
    bitmap.close();
    return { name, width, height, file, url: URL.createObjectURL(file) };
  } catch {
    throw new Error(t("unreadable", { name }));
  }
}
