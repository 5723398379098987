// The form of a request. It has what the chosen model takes, and nothing else.

import { h, replaceContent } from "./dom.js";
import { buildRequest, changeDraft, draft, draftChanges } from "./draft.js";
import { preferredModel } from "./catalogue.js";
import { createEstimator } from "./estimate.js";
import { createReferences } from "./references.js";
import { advancedFields, countField, modelField, seedField, shapeField } from "./fields.js";
import { openSnippets } from "./copyas.js";
import { showProblem } from "./problem.js";
import { formatNumber } from "./format.js";
import { t } from "./i18n.js";

// Makes the form; `submit` is called with the request and answers when it is accepted.
export function createForm(models, submit) {
  let model = preferredModel(models, draft.model);
  let references = null;
  let refused = false;
  const prompt = h("textarea", { id: "prompt", rows: 4, value: draft.prompt, spellcheck: true, "aria-describedby": "prompt-count", on: { input: onPrompt } });
  const counter = h("span", { class: "meta counter", id: "prompt-count" });
  const settings = h("div", { class: "settings" });
  const estimate = h("div", { class: "estimate", "aria-live": "polite" });
  const button = h("button", { type: "submit", class: "primary make" }, t("make"), h("kbd", { "aria-hidden": "true" }, shortcut()));
  const copy = h("button", { type: "button", class: "quiet", on: { click: () => openSnippets(buildRequest(model)) } }, t("copyAs"));
  const element = h("form", { class: "panel form", "aria-label": t("create"), on: { submit: onSubmit, paste: onPaste, drop: onDrop, dragover: (event) => event.preventDefault() } },
    h("div", { class: "field" }, h("div", { class: "row" }, h("label", { for: "prompt", class: "grow" }, t("prompt")), counter), prompt),
    settings,
    h("div", { class: "action" }, estimate, h("div", { class: "row" }, button, copy)));
  const estimator = createEstimator(showEstimate);

  function onPrompt() {
    changeDraft({ prompt: prompt.value });
    showCounter();
  }

  function showCounter() {
    const most = model.capabilities.prompt_characters;
    const length = [...prompt.value].length;
    counter.textContent = `${formatNumber(length)} / ${formatNumber(most)}`;
    counter.classList.toggle("bad", length > most);
  }

  function showSettings() {
    const { input_images: most, n_maximum: pictures } = model.capabilities;
    references = most ? createReferences(most, (text) => replaceContent(estimate, h("p", { class: "problem" }, text))) : null;
    const advanced = h("details", { class: "advanced", open: Boolean(draft.advanced), on: { toggle: () => { draft.advanced = advanced.open; } } },
      h("summary", {}, t("advanced")), h("div", { class: "stack" }, advancedFields(model)));
    replaceContent(settings, references?.element,
      modelField(models, model, chooseModel), shapeField(),
      h("div", { class: "pair" }, countField(pictures), seedField(model)), advanced);
    showCounter();
  }

  function chooseModel(id) {
    model = models.find((each) => each.id === id);
    if (!model.capabilities.input_images) draft.references = [];
    changeDraft({ model: id, provider: undefined });
    showSettings();
    settings.querySelector("select")?.focus();
  }

  function showEstimate({ line, notes = [], problem, refused: cannot }) {
    refused = Boolean(cannot);
    if (problem) replaceContent(estimate, showProblem(problem));
    else replaceContent(estimate, h("p", { class: "price" }, line), notes.map((note) => h("p", { class: "note" }, note)));
    button.disabled = refused || !model.available;
  }

  async function onSubmit(event) {
    event.preventDefault();
    if (!draft.prompt.trim()) return prompt.focus();
    button.disabled = true;
    try {
      await submit(buildRequest(model));
      refresh();
    } catch (problem) {
      replaceContent(estimate, showProblem(problem));
    }
    button.disabled = false;
  }

  function onPaste(event) {
    const files = [...event.clipboardData.files];
    if (files.length && references) {
      event.preventDefault();
      references.addFiles(files);
    }
  }

  function onDrop(event) {
    event.preventDefault();
    if (references) references.addFiles(event.dataTransfer.files);
  }

  function refresh() {
    estimator(buildRequest(model), model);
  }

  showSettings();
  refresh();
  draftChanges.addEventListener("changed", refresh);
  const dispose = () => draftChanges.removeEventListener("changed", refresh);
  return { element, dispose, focus: () => prompt.focus() };
}

function shortcut() {
  return /Mac|iP/.test(navigator.platform) ? "⌘⏎" : "Ctrl ⏎";
}
