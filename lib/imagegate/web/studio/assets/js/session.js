// What belongs to this tab (the key, the draft) and to this browser (theme, language).

const KEY = "imagegate.key";
const DRAFT = "imagegate.draft";

export function readKey() {
  return sessionStorage.getItem(KEY) ?? "";
}

export function writeKey(key) {
  if (key) sessionStorage.setItem(KEY, key);
  else sessionStorage.removeItem(KEY);
}

export function readDraft() {
  try {
    return JSON.parse(sessionStorage.getItem(DRAFT)) ?? {};
  } catch {
    return {};
  }
}

export function writeDraft(draft) {
  sessionStorage.setItem(DRAFT, JSON.stringify(draft));
}

export function readPreference(name) {
  return localStorage.getItem(`imagegate.${name}`);
}

export function writePreference(name, value) {
  localStorage.setItem(`imagegate.${name}`, value);
}

export function applyTheme() {
  const theme = readPreference("theme");
  if (theme) document.documentElement.dataset.theme = theme;
}

export function toggleTheme() {
  const dark = document.documentElement.dataset.theme
    ? document.documentElement.dataset.theme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  writePreference("theme", dark ? "light" : "dark");
  applyTheme();
}
