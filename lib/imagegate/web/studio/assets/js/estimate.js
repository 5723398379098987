// Price and time before anything is spent, from the gateway itself.

import { read } from "./api.js";
import { draft } from "./draft.js";
import { likelyTarget } from "./catalogue.js";
import { formatMoney, formatSeconds } from "./format.js";
import { hasText, t } from "./i18n.js";

const PAUSE = 350;

// Asks a moment after the last change. `show` gets `{line, notes}` or `{problem}`.
export function createEstimator(show) {
  let timer = 0;
  let running = null;

  async function ask(request) {
    running?.abort();
    running = new AbortController();
    try {
      const body = { ...request.body, validate_only: true };
      show(describeEstimate(await read("v1/operations", { method: "POST", body, signal: running.signal })));
    } catch (problem) {
      if (problem.name !== "AbortError") show({ problem });
    }
  }

  return (request, model) => {
    clearTimeout(timer);
    if (!draft.prompt.trim()) show({ line: t("promptFirst"), notes: [] });
    else if (request.body.images) show(estimateEdit(request, model));
    else timer = setTimeout(() => ask(request), PAUSE);
  };
}

function describeEstimate({ estimated_cost_usd: cost, estimated_seconds: seconds, route }) {
  return { line: joinLine(cost, seconds), notes: describeIgnored(route[0]?.not_honoured ?? []) };
}

// Edits cannot be validated without sending the pictures, so the model's own figures are used.
function estimateEdit(request, model) {
  const target = likelyTarget(model, request.body.images.length);
  if (!target) return { line: t("cannotEdit", { model: model.id }), notes: [], refused: true };
  const cost = target.price_usd === null ? null : target.price_usd * (request.body.n ?? 1);
  return { line: joinLine(cost, target.expected_seconds), notes: [] };
}

function joinLine(cost, seconds) {
  return t("estimate", { cost: cost === null ? t("priceUnknown") : formatMoney(cost), time: formatSeconds(seconds) });
}

export function describeIgnored(fields) {
  return fields.map((field) => t("willIgnore", { field: hasText(`field_${field}`) ? t(`field_${field}`) : field }));
}
