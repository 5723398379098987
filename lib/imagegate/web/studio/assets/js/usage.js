// What the key may do, what it has used, and what is left.

import { read } from "./api.js";
import { loadModels } from "./catalogue.js";
import { h, replaceContent, svgElement } from "./dom.js";
import { formatDay, formatMoment, formatMoney, formatNumber } from "./format.js";
import { copyButton } from "./clipboard.js";
import { emptyState } from "./problem.js";
import { t } from "./i18n.js";

const DAYS = 30;
const [CHART_WIDTH, CHART_HEIGHT, BAR_GAP] = [720, 140, 4];

export async function showUsage(route, page) {
  const [usage, models] = await Promise.all([read(`v1/usage?days=${DAYS}`), loadModels()]);
  const days = [...usage.days].reverse();
  const charts = usage.counted
    ? [chart(t("picturesPerDay"), days, (day) => day.pictures, formatNumber), chart(t("dollarsPerDay"), days, (day) => day.micro_dollars / 1e6, formatMoney)]
    : emptyState(t("notCounted"), t("notCountedText"), h("pre", { tabIndex: 0, "aria-label": t("code") }, h("code", {}, "imagegate keys create --name billing --pictures-per-day 200 --budget-per-day 2.50")));
  replaceContent(page, h("div", { class: "reading" },
    h("h1", {}, t("usage")),
    h("p", { class: "meta" }, usage.key ? [t("ofKey"), " ", copyButton(usage.key)] : t("openGateway")),
    h("div", { class: "limits" }, limits(usage)),
    charts,
    h("section", { class: "stack tight" }, h("h2", {}, t("mayUse")), h("p", { class: "meta" }, t("mayUseText", { count: models.length })),
      h("ul", { class: "tokens" }, models.map((model) => h("li", {}, model.id))))));
  return { dispose: () => {} };
}

function limits({ limits: most, left, resets_at: resets }) {
  const rows = [
    [t("limitMinute"), most.requests_per_minute, null, formatNumber, t("refills")],
    [t("limitConcurrent"), most.concurrent, left.concurrent, formatNumber, t("freedAtEnd")],
    [t("limitPictures"), most.pictures_per_day, left.pictures, formatNumber, t("resetsAt", { time: formatMoment(resets) })],
    [t("limitBudget"), most.micro_dollars_per_day && most.micro_dollars_per_day / 1e6, left.micro_dollars === null ? null : left.micro_dollars / 1e6, formatMoney, t("resetsAt", { time: formatMoment(resets) })],
  ];
  return rows.map(([name, limit, rest, format, note]) => {
    const text = limit === null ? t("noLimit") : rest === null ? format(limit) : t("leftOf", { left: format(rest), limit: format(limit) });
    return h("div", { class: "limit" },
      h("div", { class: "row" }, h("h2", { class: "grow small" }, name), h("span", {}, text)),
      limit !== null && rest !== null && h("meter", { min: 0, max: limit, value: limit - rest, "aria-label": t("usedOf", { name }) }),
      limit !== null && h("p", { class: "meta" }, note));
  });
}

// Bars for days, with the figures as a table for those who cannot see them.
function chart(title, days, valueOf, format) {
  const most = Math.max(...days.map(valueOf), 0);
  const step = CHART_WIDTH / days.length;
  const bars = days.map((day, at) => {
    const height = most ? Math.max(valueOf(day) ? 3 : 1, (valueOf(day) / most) * (CHART_HEIGHT - 8)) : 1;
    return svgElement("rect", { x: at * step, y: CHART_HEIGHT - height, width: step - BAR_GAP, height, rx: 2, class: valueOf(day) ? "bar" : "bar none" },
      svgElement("title", {}, `${formatDay(day.day)}: ${format(valueOf(day))}`));
  });
  const table = h("table", { class: "visually-hidden" }, h("caption", {}, title), h("tbody", {}, days.map((day) => h("tr", {}, h("th", { scope: "row" }, day.day), h("td", {}, format(valueOf(day)))))));
  return h("section", { class: "stack tight chart" },
    h("div", { class: "row" }, h("h2", { class: "grow" }, title), h("span", { class: "meta" }, t("atMost", { value: format(most) }))),
    svgElement("svg", { viewBox: `0 0 ${CHART_WIDTH} ${CHART_HEIGHT}`, "aria-hidden": "true", class: "bars" }, ...bars),
    h("div", { class: "row meta" }, h("span", { class: "grow" }, formatDay(days[0].day)), h("span", {}, t("today"))), table);
}
