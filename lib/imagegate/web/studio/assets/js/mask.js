// Paints the area of a picture that is to be replaced.

import { h, replaceContent } from "./dom.js";
import { changeDraft } from "./draft.js";
import { t } from "./i18n.js";

// Pixels of a side to paint on: the mask gets the picture's size, but a browser has no memory for several such canvases.
const LONGEST_SIDE = 2048;

// Opens the painter over the page; `done` is called when it closes.
export function openMask(reference, done) {
  const scale = Math.min(1, LONGEST_SIDE / Math.max(reference.width, reference.height));
  const [width, height] = [Math.round(reference.width * scale), Math.round(reference.height * scale)];
  const canvas = h("canvas", { width, height, class: "mask-canvas", "aria-label": t("maskCanvas"), tabIndex: 0, role: "img" });
  const context = canvas.getContext("2d");
  const size = h("input", { type: "range", min: "2", max: "30", value: "10", "aria-label": t("brushSize") });
  const dialog = h("dialog", { class: "mask-dialog", "aria-label": t("paintMask"), on: { close: () => { dialog.remove(); done(); } } });
  let last = null;

  function paint(event) {
    const box = canvas.getBoundingClientRect();
    const point = [((event.clientX - box.left) / box.width) * width, ((event.clientY - box.top) / box.height) * height];
    Object.assign(context, { strokeStyle: "#000", lineCap: "round", lineJoin: "round" });
    context.lineWidth = (Number(size.value) / 100) * Math.max(width, height);
    context.beginPath();
    context.moveTo(...(last ?? point));
    context.lineTo(...point);
    context.stroke();
    last = point;
  }

  canvas.addEventListener("pointerdown", (event) => { canvas.setPointerCapture(event.pointerId); last = null; paint(event); });
  canvas.addEventListener("pointermove", (event) => { if (event.buttons) paint(event); });
  const use = () => {
    changeDraft({ mask: isEmpty(context, width, height) ? null : invert(canvas, reference) });
    dialog.close();
  };
  replaceContent(dialog,
    h("p", { class: "meta" }, t("maskHelp")),
    h("div", { class: "mask-area", style: { "aspect-ratio": `${width} / ${height}` } }, h("img", { src: reference.url, alt: "" }), canvas),
    h("div", { class: "row" },
      h("label", { class: "row grow" }, h("span", { class: "meta" }, t("brushSize")), size),
      h("button", { type: "button", on: { click: () => context.clearRect(0, 0, width, height) } }, t("clear")),
      h("button", { type: "button", on: { click: () => dialog.close() } }, t("cancel")),
      h("button", { type: "button", class: "primary", on: { click: use } }, t("useMask"))));
  document.body.append(dialog);
  dialog.showModal();
}

function isEmpty(context, width, height) {
  return !context.getImageData(0, 0, width, height).data.some((value, at) => at % 4 === 3 && value);
}

// The mask as the API takes it: transparent where it was painted, and opaque elsewhere.
function invert(painted, { width, height }) {
  const canvas = h("canvas", { width, height });
  const context = canvas.getContext("2d");
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.globalCompositeOperation = "destination-out";
  context.drawImage(painted, 0, 0, width, height);
  return canvas.toDataURL("image/png");
}
