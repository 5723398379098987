// The large view of a picture, with what can be done with it.

import { addressOf, readPicture } from "./api.js";
import { copyButton } from "./clipboard.js";
import { h, iconButton, replaceContent } from "./dom.js";
import { adoptRequest, changeDraft } from "./draft.js";
import { loadModels } from "./catalogue.js";
import { fetchOperation } from "./jobs.js";
import { formatBytes, formatMoney, formatMoment } from "./format.js";
import { pictureImage } from "./pictures.js";
import { readReference } from "./references.js";
import { go, routeTo } from "./router.js";
import { showProblem } from "./problem.js";
import { t } from "./i18n.js";

const BACK = ["ArrowLeft", "k"];
const ON = ["ArrowRight", "j"];

// Opens the picture of `entry` ({id, slot}) among `entries`. `moved` hears which one is shown, and null at the end.
export function openViewer(entries, entry, moved = () => {}) {
  let at = Math.max(0, entries.findIndex((each) => each.id === entry.id && each.slot === entry.slot));
  const figure = h("div", { class: "viewer-picture" });
  const side = h("div", { class: "viewer-side" });
  const back = iconButton("left", t("previous"), () => step(-1), { class: "icon-button previous" });
  const on = iconButton("right", t("next"), () => step(1), { class: "icon-button next" });
  const dialog = h("dialog", { class: "viewer", tabIndex: -1, autofocus: true, "aria-label": t("picture"), on: { close: onClose, keydown: onKey } },
    h("div", { class: "viewer-stage" }, figure, back, on),
    h("div", { class: "viewer-panel" }, iconButton("close", t("close"), () => dialog.close(), { class: "icon-button viewer-close" }), side));

  async function show() {
    const wanted = entries[at];
    // A button that is about to vanish would take the focus, and with it the keys, along.
    if (dialog.open && [back, on].includes(document.activeElement)) dialog.focus();
    back.hidden = at === 0;
    on.hidden = at === entries.length - 1;
    moved(wanted);
    try {
      const operation = await fetchOperation(wanted.id);
      const picture = operation.images.find((each) => each.slot === wanted.slot);
      if (entries[at] !== wanted || !picture) return;
      replaceContent(figure, h("div", { class: "frame", style: { "aspect-ratio": `${picture.width} / ${picture.height}`, "--ratio": picture.width / picture.height } }, pictureImage(picture, operation.prompt ?? t("privatePrompt"))));
      replaceContent(side, facts(operation, picture), actions(operation, picture));
    } catch (problem) {
      replaceContent(figure);
      replaceContent(side, showProblem(problem));
    }
  }

  function step(by) {
    at = Math.min(entries.length - 1, Math.max(0, at + by));
    show();
  }

  function onKey(event) {
    if (BACK.includes(event.key)) step(-1);
    if (ON.includes(event.key)) step(1);
  }

  function onClose() {
    dialog.remove();
    moved(null);
  }

  function actions(operation, picture) {
    const leave = () => { dialog.close(); go("create"); };
    const again = (changes) => { adoptRequest(operation, changes); leave(); };
    const useAsInput = async () => {
      try {
        const blob = await readPicture(picture);
        const reference = await readReference(new File([blob], `${picture.id}.${blob.type.split("/")[1]}`, { type: blob.type }));
        const models = await loadModels();
        const able = models.find((model) => model.id === operation.model && model.capabilities.input_images) ?? models.find((model) => model.available && model.capabilities.input_images);
        changeDraft({ references: [reference], mask: null, model: able?.id ?? operation.model });
        leave();
      } catch (problem) {
        side.append(showProblem(problem));
      }
    };
    return h("div", { class: "stack tight" },
      h("div", { class: "row" },
        h("a", { class: "button primary", href: addressOf(picture.url, "download"), download: "" }, t("download")),
        h("button", { type: "button", on: { click: useAsInput } }, t("useAsInput"))),
      h("div", { class: "row" },
        h("button", { type: "button", on: { click: () => again({ seed: picture.seed ?? undefined }) } }, t("sameAgain")),
        h("button", { type: "button", on: { click: () => again({ seed: undefined }) } }, t("vary")),
        h("a", { class: "button quiet", href: routeTo("operation", { id: operation.id }), on: { click: () => dialog.close() } }, t("details"))));
  }

  document.body.append(dialog);
  dialog.showModal();
  show();
  return dialog;
}

// Who signed the picture and whether that is valid, or that only its metadata says how it was made.
function describeOrigin(provenance) {
  if (!provenance) return null;
  const { kept, added, validation, signer } = provenance;
  if (![...kept, ...added].includes("c2pa")) return added.includes("xmp") || kept.includes("xmp") ? t("originMetadata") : t("originNone");
  if (!validation) return t("originSigned");
  return t(validation === "invalid" ? "originInvalid" : "originValid", { signer: signer ?? "?" });
}

function facts(operation, picture) {
  const rows = [
    [t("model"), operation.model], [t("provider"), picture.provider],
    [t("size"), `${picture.width} × ${picture.height} · ${formatBytes(picture.bytes)}`],
    [t("seed"), picture.seed], [t("cost"), operation.cost_usd === null ? null : formatMoney(operation.cost_usd)],
    [t("made"), formatMoment(operation.ended_at ?? operation.updated_at)], [t("origin"), describeOrigin(picture.provenance)],
  ].filter(([, value]) => value !== null && value !== undefined);
  return h("div", { class: "stack" },
    h("p", { class: "viewer-prompt", tabIndex: 0 }, operation.prompt ?? t("privatePrompt")),
    picture.revised_prompt && h("p", { class: "note" }, t("revised", { prompt: picture.revised_prompt })),
    h("dl", { class: "facts" }, rows.map(([name, value]) => [h("dt", {}, name), h("dd", {}, `${value}`)]), h("dt", {}, t("id")), h("dd", {}, copyButton(picture.id))));
}
