// What happened to an operation, in order, with the time that each part took.

import { h } from "./dom.js";
import { formatExact, formatMoment, formatSeconds, secondsBetween } from "./format.js";
import { describeIgnored } from "./estimate.js";
import { t } from "./i18n.js";

export function createTimeline(operation) {
  const first = operation.attempts[0];
  const entries = [
    entry("", t("wasQueued"), operation.created_at, first && secondsBetween(operation.created_at, first.started_at)),
    operation.expand && entry(operation.not_expanded ? "bad" : "good", operation.not_expanded ? t("notExpanded") : t("wasExpanded"), null, null, operation.not_expanded?.message ?? operation.revised_prompt),
    operation.attempts.map(attemptEntry),
    operation.done && entry(operation.state, t(`ended_${operation.state}`), operation.ended_at, null, operation.error?.message, [t("tookInAll", { time: formatSeconds(secondsBetween(operation.created_at, operation.ended_at)) })]),
    operation.late && entry("good", t("arrivedLate"), operation.updated_at),
    !operation.done && operation.estimated_ready_at && entry("pending", t("expectedAt"), operation.estimated_ready_at),
  ];
  return h("ol", { class: "timeline", "aria-label": t("timeline") }, entries.flat());
}

function attemptEntry(attempt) {
  const states = { done: "good", failed: "bad", unknown: "bad" };
  const notes = [
    // Of later attempts the entries above say why.
    attempt.number === 1 && attempt.reason && t("becauseOf", { reason: attempt.reason }),
    attempt.repeats > 0 && t("repeated", { count: attempt.repeats }),
    attempt.cost_usd ? `$${attempt.cost_usd}` : null,
    ...describeIgnored(attempt.not_honoured),
  ].filter(Boolean);
  const took = attempt.ended_at && secondsBetween(attempt.started_at, attempt.ended_at);
  const title = t(`attempt_${attempt.state}`, { provider: attempt.provider });
  return entry(states[attempt.state] ?? "busy", title, attempt.started_at, took, attempt.error && `${attempt.error.code}: ${attempt.error.message}`, [attempt.model, ...notes]);
}

function entry(kind, title, at, took, text, notes = []) {
  return h("li", { class: "moment" },
    h("i", { class: `dot ${kind}` }),
    h("div", { class: "stack tight" },
      h("div", { class: "row" }, h("strong", { class: "grow" }, title), took ? h("span", { class: "meta" }, formatSeconds(took)) : null),
      at && h("time", { class: "meta", dateTime: at, title: formatExact(at) }, formatMoment(at)),
      text && h("p", { class: "moment-text" }, text),
      notes.length > 0 && h("p", { class: "note" }, notes.join(" · "))));
}
