// Numbers, money, times and durations for people.

import { language, t } from "./i18n.js";

const number = new Intl.NumberFormat(language);
const moment = new Intl.DateTimeFormat(language, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
const exact = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "medium" });
const day = new Intl.DateTimeFormat(language, { weekday: "long", day: "numeric", month: "long" });

export function formatNumber(value) {
  return number.format(value);
}

// US dollars; small prices keep two significant digits.
export function formatMoney(dollars) {
  if (dollars === 0) return t("free");
  const digits = dollars < 0.01 ? { maximumSignificantDigits: 2 } : { minimumFractionDigits: 2, maximumFractionDigits: 3 };
  return `$${dollars.toLocaleString(language, digits)}`;
}

export function formatSeconds(seconds) {
  if (seconds < 10) return t("seconds", { n: seconds.toLocaleString(language, { maximumFractionDigits: 1 }) });
  if (seconds < 90) return t("seconds", { n: Math.round(seconds) });
  if (seconds < 5400) return t("minutes", { n: Math.round(seconds / 60) });
  return t("hours", { n: (seconds / 3600).toLocaleString(language, { maximumFractionDigits: 1 }) });
}

export function formatMoment(text) {
  return moment.format(new Date(text));
}

export function formatExact(text) {
  return exact.format(new Date(text));
}

export function formatDay(text) {
  return day.format(new Date(text));
}

export function formatBytes(bytes) {
  if (bytes < 1e6) return t("kilobytes", { n: number.format(Math.max(1, Math.round(bytes / 1000))) });
  return t("megabytes", { n: (bytes / 1e6).toLocaleString(language, { maximumFractionDigits: 1 }) });
}

export function secondsBetween(start, end) {
  return Math.max(0, (new Date(end) - new Date(start)) / 1000);
}
