// Models and their providers: available or not, prices, and how long they take.

import { h, replaceContent } from "./dom.js";
import { loadModels } from "./catalogue.js";
import { changeDraft } from "./draft.js";
import { formatMoney, formatNumber, formatSeconds } from "./format.js";
import { emptyState } from "./problem.js";
import { go } from "./router.js";
import { t } from "./i18n.js";

const FIELDS = ["seed", "steps", "guidance", "negative_prompt", "edits", "variations"];

export async function showModels(route, page) {
  const models = await loadModels();
  const sorted = [...models].sort((one, other) => Number(other.available) - Number(one.available));
  const slowest = Math.max(...models.flatMap((model) => model.targets).map((target) => target.slow_seconds ?? target.expected_seconds ?? 0), 1);
  const list = sorted.length
    ? h("div", { class: "model-list" }, sorted.map((model) => modelItem(model, slowest)))
    : emptyState(t("noModels"), t("noModelsText"));
  replaceContent(page, h("div", { class: "reading" }, h("h1", {}, t("models")), h("p", { class: "meta" }, t("modelsText", { count: models.length })), list));
  return { dispose: () => {} };
}

function modelItem(model, slowest) {
  const { capabilities } = model;
  const able = FIELDS.filter((field) => (field === "steps" ? capabilities.steps_maximum : capabilities[field]));
  const use = () => { changeDraft({ model: model.id, provider: undefined }); go("create"); };
  return h("section", { class: "model", "aria-label": model.id },
    h("div", { class: "row" },
      h("h2", {}, model.id),
      h("span", { class: "state meta" }, h("i", { class: `dot ${model.available ? "good" : "bad"}` }), t(model.available ? "available" : "unavailable")),
      h("span", { class: "grow" }),
      model.available && h("button", { type: "button", on: { click: use } }, t("useModel"))),
    h("p", { class: "meta" }, model.description),
    h("ul", { class: "tokens", "aria-label": t("takes") },
      h("li", {}, t("characters", { n: formatNumber(capabilities.prompt_characters) })),
      able.map((field) => h("li", {}, t(`takes_${field}`)))),
    h("table", {},
      h("thead", {}, h("tr", {}, [t("provider"), t("price"), t("time")].map((text) => h("th", { scope: "col" }, text)))),
      h("tbody", {}, model.targets.map((target) => targetRow(model, target, slowest)))));
}

function targetRow(model, target, slowest) {
  const name = target.model === "*" ? model.id : target.model; // a provider that is asked by the name of the request
  const price = target.price_usd === null ? t("priceUnknown") : formatMoney(target.price_usd);
  const missing = target.missing_secrets ?? [];
  return h("tr", {},
    h("th", { scope: "row" }, h("span", { class: "state" }, h("i", { class: `dot ${target.available ? "good" : "bad"}` }), target.provider),
      h("span", { class: "meta wrap" }, target.available ? name : t("missingKey", { names: missing.join(", ") || "?" }))),
    h("td", {}, price),
    h("td", {}, target.expected_seconds === null ? "–" : latencyBar(target, slowest)));
}

// The median as a bar, and the slow twentieth as its pale end.
function latencyBar({ expected_seconds: median, slow_seconds: slow }, slowest) {
  const share = (seconds) => `${Math.max(2, (100 * seconds) / slowest)}%`;
  const text = slow ? t("medianAndSlow", { median: formatSeconds(median), slow: formatSeconds(slow) }) : formatSeconds(median);
  return h("div", { class: "latency" },
    h("div", { class: "latency-bar", "aria-hidden": "true" },
      slow && h("i", { class: "slow", style: { width: share(slow) } }), h("i", { class: "median", style: { width: share(median) } })),
    h("span", { class: "meta" }, text));
}
