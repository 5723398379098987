// The strip of recent operations, newest left.

import { h, replaceContent } from "./dom.js";
import { jobs } from "./jobs.js";
import { describeProgress, expectedRatio } from "./progress.js";
import { previewSource } from "./pictures.js";
import { routeTo } from "./router.js";
import { t } from "./i18n.js";

const MOST = 24;

export function createRecent(operations, current) {
  let shown = [...operations];
  const list = h("ol", { class: "strip", "aria-label": t("recent"), tabIndex: 0 });

  function show() {
    list.hidden = shown.length === 0;
    replaceContent(list, shown.slice(0, MOST).map((operation) => h("li", {}, thumbnail(operation, operation.id === current()))));
  }

  function onChange({ detail }) {
    const at = shown.findIndex((operation) => operation.id === detail.operation.id);
    if (at >= 0) shown[at] = detail.operation;
    else if (!shown.length || detail.operation.id > shown[0].id) shown = [detail.operation, ...shown];
    show();
  }

  function onRemove({ detail }) {
    shown = shown.filter((operation) => operation.id !== detail.id);
    show();
  }

  jobs.addEventListener("changed", onChange);
  jobs.addEventListener("removed", onRemove);
  show();
  const dispose = () => {
    jobs.removeEventListener("changed", onChange);
    jobs.removeEventListener("removed", onRemove);
  };
  return { element: list, show, dispose };
}

function thumbnail(operation, current) {
  const [picture] = operation.images;
  const state = describeProgress(operation);
  const title = `${operation.prompt ?? t("privatePrompt")} · ${state}`;
  const content = picture
    ? h("img", { src: previewSource(picture), alt: "", decoding: "async" })
    : h("i", { class: `dot ${operation.state}` });
  return h("a", {
    class: `thumbnail${operation.done ? "" : " waiting"}`, href: routeTo("create", { query: { op: operation.id } }), title,
    "aria-label": title, "aria-current": current ? "true" : null,
    style: { "aspect-ratio": `${picture ? picture.width / picture.height : expectedRatio(operation)}` },
  }, content);
}
