// Starts the page, and shows the view that the address names.

import { signals } from "./api.js";
import { h, replaceContent } from "./dom.js";
import { createShell, keyForm } from "./shell.js";
import { showCreate } from "./create.js";
import { showGallery } from "./gallery.js";
import { showModels } from "./models.js";
import { showOperation } from "./operation.js";
import { showUsage } from "./usage.js";
import { resumeJobs } from "./jobs.js";
import { showProblem } from "./problem.js";
import { go, readRoute } from "./router.js";
import { applyTheme, readKey } from "./session.js";
import { t } from "./i18n.js";

const SHOWN_VIEWS = { create: showCreate, gallery: showGallery, models: showModels, usage: showUsage, operation: showOperation };
const SHORTCUTS = { c: "create", g: "gallery", m: "models", u: "usage" };

applyTheme();
const shell = createShell();
let view = null;
let turn = 0;
let leading = false;
let refusedKey = null;

async function show() {
  const route = readRoute();
  const mine = (turn += 1);
  view?.dispose();
  view = null;
  closeDialogs();
  shell.mark(route.view);
  document.title = `${t(route.view)} · imagegate`;
  // Each view has a place of its own, so that one that was left while it loaded cannot replace its successor.
  const place = h("div", { class: "view" });
  try {
    const next = await SHOWN_VIEWS[route.view](route, place);
    if (mine !== turn) return next.dispose();
    view = next;
    keepTyping(() => replaceContent(shell.page, place));
    scrollTo(0, 0); // the address names a view, so the browser keeps the place of the one before it
  } catch (problem) {
    if (mine === turn && problem.status !== 401) replaceContent(shell.page, h("div", { class: "panel lone" }, showProblem(problem, h("button", { type: "button", on: { click: show } }, t("tryAgain")))));
    if (!problem.status && problem.name !== "Error" && problem.code === undefined) throw problem;
  }
}

// A dialog belongs to the view that it was opened from, which the browser's Back button leaves too.
function closeDialogs() {
  for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
}

// Shows what `change` brings, with the focus and the text of a control that the former view has too.
function keepTyping(change) {
  const { id, value } = document.activeElement ?? {};
  change();
  const again = id && document.getElementById(id);
  if (!again || again === document.activeElement) return;
  again.focus();
  if (again.type !== "search" || again.value === value) return;
  again.value = value;
  again.dispatchEvent(new Event("input"));
}

function askForKey(problem) {
  // Of several requests that were refused together, the first asks: the form must not change under the typist.
  if (refusedKey === readKey()) return;
  refusedKey = readKey();
  turn += 1;
  view?.dispose();
  view = null;
  const form = keyForm(problem, () => {
    refusedKey = null;
    show().then(resumeJobs);
  });
  replaceContent(shell.page, form);
  form.querySelector("input").focus();
}

signals.addEventListener("locked", (event) => askForKey(event.detail));
signals.addEventListener("signed-out", () => {
  refusedKey = null;
  show();
});
addEventListener("hashchange", show);
addEventListener("online", () => (view ? resumeJobs() : show()));

addEventListener("keydown", (event) => {
  if ((event.metaKey || event.ctrlKey) && event.key === "Enter") document.querySelector("form.form")?.requestSubmit();
  if (event.metaKey || event.ctrlKey || event.altKey || event.target.closest("input, textarea, select, dialog")) return;
  if (event.key === "/") {
    event.preventDefault();
    if (view?.focus) view.focus();
    else go("create");
  } else if (leading && SHORTCUTS[event.key]) go(SHORTCUTS[event.key]);
  leading = event.key === "g" && !leading;
});

show();
