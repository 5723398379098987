// The first view: a form, and what comes of it.

import { call } from "./api.js";
import { h, replaceContent } from "./dom.js";
import { loadModels } from "./catalogue.js";
import { createForm } from "./form.js";
import { fetchOperation, jobs, listOperations, rememberOperation } from "./jobs.js";
import { createRecent } from "./recent.js";
import { createResult } from "./result.js";
import { emptyState, showProblem } from "./problem.js";
import { replaceRoute, routeTo } from "./router.js";
import { t } from "./i18n.js";

export async function showCreate(route, page) {
  const canvas = h("div", { class: "canvas" });
  const disposers = [];
  let current = route.query.get("op") ?? "";
  let result = null;
  let left = false;
  const [models, listed] = await Promise.all([loadModels(), listOperations({ page_size: "24" })]);
  const form = createForm(models, submit);
  const recent = createRecent(listed.operations, () => current);
  disposers.push(form.dispose, recent.dispose, () => { left = true; result?.dispose(); });

  async function submit(request) {
    const answer = await call(request.path, { method: "POST", body: request.body, headers: request.headers });
    const id = answer.body.operation_id ?? answer.body.id;
    const operation = answer.body.state ? rememberOperation(answer.body) : await fetchOperation(id);
    if (left) return;
    show(operation);
    canvas.scrollIntoView({ block: "nearest" });
  }

  function show(operation) {
    current = operation.id;
    result?.dispose();
    result = createResult(operation);
    replaceContent(canvas, result.element);
    recent.show();
    replaceRoute("create", { query: { op: current } });
  }

  replaceContent(page, h("div", { class: "workbench" }, h("h1", { class: "visually-hidden" }, t("create")), form.element, h("div", { class: "stage" }, canvas, recent.element)));
  const first = current ? await fetchOperation(current).catch((problem) => problem) : listed.operations.find((operation) => !operation.done);
  if (first instanceof Error) replaceContent(canvas, showProblem(first, h("a", { class: "button", href: routeTo("create") }, t("startOver"))));
  else if (first) show(first);
  else replaceContent(canvas, emptyState(t("emptyCanvas"), t("emptyCanvasText")));
  return { dispose: () => disposers.forEach((dispose) => dispose()), focus: form.focus, jobs };
}
