// The request as code, in a panel that opens from the form.

import { h, replaceContent } from "./dom.js";
import { copyText } from "./clipboard.js";
import { canWrite, SNIPPETS, writeSnippet } from "./snippets.js";
import { t } from "./i18n.js";

export function openSnippets(request) {
  const kinds = SNIPPETS.filter((kind) => canWrite(kind, request));
  const code = h("code");
  const copy = h("button", { type: "button", class: "primary", on: { click: onCopy } }, t("copy"));
  const tabs = h("div", { class: "tabs", role: "tablist", "aria-label": t("copyAs") });
  const dialog = h("dialog", { class: "snippets", "aria-label": t("copyAs"), on: { close: () => dialog.remove() } },
    tabs, h("pre", { tabIndex: 0, role: "tabpanel", "aria-label": t("code") }, code),
    h("div", { class: "row" }, h("p", { class: "meta grow" }, t("keyVariable")),
      h("button", { type: "button", on: { click: () => dialog.close() } }, t("close")), copy));

  function show(chosen) {
    code.textContent = writeSnippet(chosen, request);
    replaceContent(tabs, kinds.map((kind) =>
      h("button", { type: "button", role: "tab", "aria-selected": `${kind === chosen}`, on: { click: () => show(kind) } }, t(`snippet_${kind}`))));
  }

  async function onCopy() {
    await copyText(code.textContent);
    copy.textContent = t("copied");
  }

  show(kinds[0]);
  document.body.append(dialog);
  dialog.showModal();
}
