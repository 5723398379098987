// The frame around every view: navigation, key, theme and language.

import { signals } from "./api.js";
import { h, iconButton, replaceContent } from "./dom.js";
import { forgetModels } from "./catalogue.js";
import { language, switchLanguage, t } from "./i18n.js";
import { readKey, toggleTheme, writeKey } from "./session.js";
import { routeTo } from "./router.js";

const NAVIGATION = ["create", "gallery", "models", "usage"];

export function createShell() {
  const links = NAVIGATION.map((view) => h("a", { href: routeTo(view), data: { view } }, t(view)));
  const key = h("span", { class: "key" });
  const other = language === "en" ? "RU" : "EN";
  const header = h("header", { class: "top" },
    h("a", { class: "brand", href: routeTo("create"), "aria-label": t("home") }, "imagegate"),
    h("nav", { "aria-label": t("views") }, links),
    h("div", { class: "row tools" }, key,
      iconButton("theme", t("theme"), toggleTheme),
      h("button", { type: "button", class: "quiet language", lang: other.toLowerCase(), "aria-label": `${other}: ${t("otherLanguage")}`, on: { click: switchLanguage } }, other)));
  const page = h("main", { id: "main", tabIndex: -1 });
  document.body.replaceChildren(h("a", { class: "skip", href: "#main", on: { click: skip } }, t("skip")), header, page);
  document.documentElement.lang = language;

  function skip(event) {
    event.preventDefault();
    page.focus();
  }

  function mark(view) {
    for (const link of links) {
      if (link.dataset.view === view) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    showKey();
  }

  function showKey() {
    const text = readKey();
    const shown = text.split("_").slice(0, 2).join("_").slice(0, 9);
    replaceContent(key, text && [h("code", { title: t("keyShown") }, `${shown}…`), h("button", { type: "button", class: "quiet", on: { click: signOut } }, t("signOut"))]);
  }

  function signOut() {
    writeKey("");
    forgetModels();
    signals.dispatchEvent(new Event("signed-out"));
  }

  return { page, mark, showKey };
}

// Asks for the key where the gateway wants one; `problem` is its refusal of the present one.
export function keyForm(problem, enter) {
  const input = h("input", { type: "password", id: "key", autocomplete: "off", required: true, placeholder: "ig_…", spellcheck: false });
  const wrong = Boolean(readKey());
  const onSubmit = (event) => {
    event.preventDefault();
    writeKey(input.value.trim());
    forgetModels();
    enter();
  };
  return h("form", { class: "panel key-form", on: { submit: onSubmit } },
    h("h1", {}, t(wrong ? "keyRefused" : "keyNeeded")),
    h("p", {}, wrong ? problem.message : t("keyNeededText")),
    h("div", { class: "field" }, h("label", { for: "key" }, t("key")), input),
    h("button", { type: "submit", class: "primary" }, t("enter")),
    h("p", { class: "meta" }, t("keyKept")),
    h("pre", { tabIndex: 0, "aria-label": t("code") }, h("code", {}, "imagegate keys create --name studio")));
}
