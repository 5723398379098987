// The canvas: one operation at work or done, with its pictures in their own shapes.

import { announce, h, replaceContent } from "./dom.js";
import { actOn, jobs } from "./jobs.js";
import { copyButton } from "./clipboard.js";
import { describeFailovers, describeFailure, describeProgress } from "./progress.js";
import { describeIgnored } from "./estimate.js";
import { formatMoney, formatSeconds, secondsBetween } from "./format.js";
import { operationTiles } from "./tiles.js";
import { routeTo } from "./router.js";
import { showProblem } from "./problem.js";
import { t } from "./i18n.js";

const TICK = 1000;

// Shows an operation and follows it until it is removed from the page.
export function createResult(operation) {
  const grid = h("div", { class: `tiles of-${Math.min(operation.n, 4)}` });
  const line = h("p", { class: "state-line" });
  const details = h("div", { class: "stack tight" });
  const element = h("section", { class: "result", "aria-label": t("result") }, grid, line, details);
  let shown = "";

  function show() {
    const signature = `${operation.images.length} ${operation.partials.length} ${operation.done}`;
    if (signature !== shown) replaceContent(grid, operationTiles(operation));
    shown = signature;
    grid.classList.toggle("failed", operation.state === "failed");
    replaceContent(details, describeFailovers(operation).map((text) => h("p", { class: "note" }, text)), outcome(operation), actions(operation));
    showLine();
  }

  function showLine() {
    replaceContent(line, h("i", { class: `dot ${operation.state}` }), describeProgress(operation));
  }

  function onChange({ detail }) {
    if (detail.operation.id !== operation.id) return;
    const before = operation;
    operation = detail.operation;
    show();
    if (before.state !== operation.state) announce(describeProgress(operation));
  }

  function actions() {
    const act = async (action) => {
      try {
        await actOn(operation.id, action);
      } catch (problem) {
        details.append(showProblem(problem));
      }
    };
    return h("div", { class: "row" },
      !operation.done && h("button", { type: "button", on: { click: () => act("cancel") } }, t("cancel")),
      ["failed", "cancelled"].includes(operation.state) && h("button", { type: "button", class: "primary", on: { click: () => act("retry") } }, t("retry")),
      h("a", { class: "button quiet", href: routeTo("operation", { id: operation.id }) }, t("details")),
      copyButton(operation.id));
  }

  const timer = setInterval(() => { if (!operation.done) showLine(); }, TICK);
  jobs.addEventListener("changed", onChange);
  show();
  const dispose = () => {
    clearInterval(timer);
    jobs.removeEventListener("changed", onChange);
  };
  return { element, dispose };
}

// What came of it: the cost and the time, or the reason and the way on.
function outcome(operation) {
  if (!operation.done) return null;
  if (operation.state !== "succeeded") {
    const { message, remedy } = describeFailure(operation);
    return h("div", { class: "problem", role: "alert" }, h("p", {}, message), h("p", { class: "remedy" }, remedy));
  }
  const seconds = secondsBetween(operation.created_at, operation.ended_at);
  const [picture] = operation.images;
  const parts = [
    picture && `${picture.width} × ${picture.height}`,
    picture && picture.provider,
    formatSeconds(seconds),
    operation.cost_usd === null ? null : formatMoney(operation.cost_usd),
    picture?.seed !== null && picture?.seed !== undefined ? t("seedValue", { seed: picture.seed }) : null,
  ].filter(Boolean);
  const ignored = new Set(operation.attempts.flatMap((attempt) => (attempt.state === "done" ? attempt.not_honoured : [])));
  return [h("p", { class: "meta" }, parts.join(" · ")), describeIgnored([...ignored]).map((note) => h("p", { class: "note" }, note))];
}
