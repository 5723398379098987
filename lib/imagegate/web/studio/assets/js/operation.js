// One operation: its timeline, its pictures, and its request, answer and deliveries.

import { h, replaceContent } from "./dom.js";
import { copyButton, copyText } from "./clipboard.js";
import { adoptRequest } from "./draft.js";
import { createDeliveries } from "./deliveries.js";
import { actOn, deleteOperation, fetchOperation, jobs } from "./jobs.js";
import { describeFailure, describeProgress } from "./progress.js";
import { showProblem } from "./problem.js";
import { go, replaceRoute } from "./router.js";
import { operationTiles } from "./tiles.js";
import { createTimeline } from "./timeline.js";
import { t } from "./i18n.js";

const TABS = ["request", "answer", "deliveries"];
const TICK = 1000;

export async function showOperation(route, page) {
  let operation = await fetchOperation(route.id);
  let tab = TABS.includes(route.query.get("tab")) ? route.query.get("tab") : "request";
  const head = h("div", { class: "operation-head" });
  const trail = h("div", { class: "panel trail" });
  const body = h("div", { class: "stack tab-body" });
  const tabs = h("div", { class: "tabs", role: "tablist", "aria-label": t("details") });
  const tiles = h("div", { class: `tiles small of-${Math.min(operation.n, 4)}` });
  const line = h("p", { class: "state-line" });
  let shownTiles = "";

  function show() {
    document.title = `${operation.prompt ?? operation.id} · imagegate`;
    replaceContent(head, h("h1", {}, operation.prompt ?? t("privatePrompt")), h("div", { class: "row" }, line, copyButton(operation.id)), actions());
    showLine();
    const signature = `${operation.images.length} ${operation.partials.length} ${operation.done}`;
    if (signature !== shownTiles) replaceContent(tiles, operationTiles(operation));
    tiles.hidden = operation.done && !operation.images.length;
    shownTiles = signature;
    const failed = operation.done && operation.state !== "succeeded" ? describeFailure(operation) : null;
    replaceContent(trail, failed && h("div", { class: "problem" }, h("p", {}, failed.message), h("p", { class: "remedy" }, failed.remedy)), createTimeline(operation));
    if (tab !== "deliveries") showTab();
  }

  function showLine() {
    replaceContent(line, h("i", { class: `dot ${operation.state}` }), describeProgress(operation));
  }

  function showTab() {
    replaceContent(tabs, TABS.map((each) =>
      h("button", { type: "button", role: "tab", "aria-selected": `${each === tab}`, on: { click: () => choose(each) } }, t(`tab_${each}`))));
    const contents = {
      request: () => json({ model: operation.model, prompt: operation.prompt, n: operation.n, ...withoutNulls(operation.request ?? {}), ...(Object.keys(operation.metadata).length && { metadata: operation.metadata }) }),
      answer: () => json(operation),
      deliveries: () => createDeliveries(operation),
    };
    replaceContent(body, contents[tab]());
  }

  function choose(each) {
    tab = each;
    replaceRoute("operation", { id: operation.id, query: { tab } });
    showTab();
    tabs.querySelector('[aria-selected="true"]').focus();
  }

  function json(value) {
    const text = JSON.stringify(value, null, 2);
    return [h("pre", { tabIndex: 0, "aria-label": t(`tab_${tab}`) }, h("code", {}, text)), h("div", { class: "row" }, h("button", { type: "button", on: { click: () => copyText(text) } }, t("copy")))];
  }

  async function attempt(action) {
    try {
      await action();
    } catch (problem) {
      head.append(showProblem(problem));
    }
  }

  function actions() {
    const again = () => { adoptRequest(operation); go("create"); };
    const remove = h("button", { type: "button", class: "quiet danger", on: { click: () => confirmDelete(remove) } }, t("delete"));
    return h("div", { class: "row" },
      !operation.done && h("button", { type: "button", on: { click: () => attempt(() => actOn(operation.id, "cancel")) } }, t("cancel")),
      ["failed", "cancelled"].includes(operation.state) && h("button", { type: "button", class: "primary", on: { click: () => attempt(() => actOn(operation.id, "retry")) } }, t("retry")),
      operation.prompt && h("button", { type: "button", on: { click: again } }, t("sameAgain")),
      operation.done && remove);
  }

  // Deleting cannot be undone, so the button asks once more in its own place.
  function confirmDelete(button) {
    if (button.dataset.sure) {
      attempt(async () => {
        await deleteOperation(operation.id);
        go("gallery");
      });
    }
    button.dataset.sure = "yes";
    button.textContent = t("deleteSure");
  }

  function onChange({ detail }) {
    if (detail.operation.id !== operation.id) return;
    operation = detail.operation;
    show();
  }

  const timer = setInterval(() => { if (!operation.done) showLine(); }, TICK);
  jobs.addEventListener("changed", onChange);
  replaceContent(page, h("article", { class: "operation" }, head, trail, h("div", { class: "operation-main" }, tiles, tabs, body)));
  show();
  if (tab === "deliveries") showTab();
  const dispose = () => {
    clearInterval(timer);
    jobs.removeEventListener("changed", onChange);
  };
  return { dispose };
}

function withoutNulls(fields) {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null && value !== false && value !== 0));
}
