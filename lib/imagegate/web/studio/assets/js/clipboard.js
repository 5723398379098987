// Texts that are copied by a click.

import { announce, h } from "./dom.js";
import { t } from "./i18n.js";

const SHOWN_FOR = 1500;

export async function copyText(text) {
  await navigator.clipboard.writeText(text);
  announce(t("copied"));
}

// An id in full, which copies itself.
export function copyButton(text, shown = text) {
  const button = h("button", { type: "button", class: "copy-id", title: t("copy"), on: { click: onClick } }, shown);

  async function onClick(event) {
    event.preventDefault();
    await copyText(text);
    button.classList.add("copied");
    setTimeout(() => button.classList.remove("copied"), SHOWN_FOR);
  }

  return button;
}
