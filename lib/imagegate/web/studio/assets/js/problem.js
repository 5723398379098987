// An error where it happened: what, which field, what to do, and the request id to quote.

import { h } from "./dom.js";
import { copyButton } from "./clipboard.js";
import { t } from "./i18n.js";

export function showProblem(problem, ...actions) {
  const meta = [problem.param && t("inField", { field: problem.param }), problem.requestId && t("request")].filter(Boolean);
  return h("div", { class: "problem", role: "alert" },
    h("p", {}, problem.message),
    problem.remedy && h("p", { class: "remedy" }, problem.remedy),
    meta.length > 0 && h("p", { class: "meta" }, meta.join(" · "), " ", problem.requestId && copyButton(problem.requestId)),
    actions.length > 0 && h("div", { class: "row" }, actions));
}

// What an empty list teaches: one thing.
export function emptyState(title, text, ...more) {
  return h("div", { class: "empty" }, h("h2", {}, title), h("p", {}, text), ...more);
}
