// What was announced to the operation's webhook, and how the receiver answered.

import { read } from "./api.js";
import { h, replaceContent } from "./dom.js";
import { actOn } from "./jobs.js";
import { copyButton } from "./clipboard.js";
import { formatMoment } from "./format.js";
import { emptyState, showProblem } from "./problem.js";
import { t } from "./i18n.js";

const DOTS = { delivered: "good", dead: "bad", disabled: "bad", pending: "busy" };

export function createDeliveries(operation) {
  const element = h("div", { class: "stack" });

  async function load() {
    try {
      show(await read(`v1/operations/${operation.id}/deliveries`));
    } catch (problem) {
      replaceContent(element, showProblem(problem));
    }
  }

  async function redeliver(event) {
    try {
      await actOn(operation.id, "redeliver", event ? { event_id: event } : {});
      await load();
    } catch (problem) {
      element.append(showProblem(problem));
    }
  }

  function show({ webhook, deliveries }) {
    if (!webhook) return replaceContent(element, emptyState(t("noWebhook"), t("noWebhookText")));
    return replaceContent(element,
      h("div", { class: "row" }, h("p", { class: "grow wrap" }, webhook.url, webhook.disabled && h("span", { class: "bad" }, ` · ${t("webhookDisabled")}`)),
        h("button", { type: "button", on: { click: () => redeliver() } }, t("redeliverFailed"))),
      deliveries.length ? h("ol", { class: "deliveries" }, deliveries.map(deliveryItem)) : h("p", { class: "meta" }, t("nothingAnnounced")));
  }

  function deliveryItem(delivery) {
    return h("li", { class: "delivery" },
      h("div", { class: "row" }, h("i", { class: `dot ${DOTS[delivery.state]}` }), h("strong", {}, delivery.type), h("span", { class: "meta grow" }, t(`delivery_${delivery.state}`)),
        h("button", { type: "button", class: "quiet", on: { click: () => redeliver(delivery.event_id) } }, t("redeliver"))),
      copyButton(delivery.event_id),
      h("ul", { class: "meta" }, delivery.attempts.map((attempt) =>
        h("li", {}, `${formatMoment(attempt.at)} · ${attempt.status ?? attempt.error} · ${attempt.milliseconds} ms`))));
  }

  load();
  return element;
}
