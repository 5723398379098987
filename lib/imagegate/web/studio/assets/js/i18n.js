// Texts of the page in the language of the reader.

import { english } from "./en.js";
import { russian } from "./ru.js";
import { readPreference, writePreference } from "./session.js";

const LANGUAGES = { en: english, ru: russian };
const chosen = readPreference("language");
export const language = LANGUAGES[chosen] ? chosen : navigator.language.toLowerCase().startsWith("ru") ? "ru" : "en";
const plurals = new Intl.PluralRules(language);

// The text of a key; `{name}` is replaced by a value. A text with plural forms takes the one for `values.count`.
export function t(key, values = {}) {
  const found = LANGUAGES[language][key] ?? english[key] ?? key;
  const text = typeof found === "string" ? found : found[plurals.select(values.count)] ?? found.other;
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? values[name] : whole));
}

export function hasText(key) {
  return key in english;
}

export function switchLanguage() {
  writePreference("language", language === "en" ? "ru" : "en");
  location.reload();
}
