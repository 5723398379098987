// The form of a request. It has what the chosen model takes, and nothing else.

import { announce, h, replaceContent } from "./dom.js";
import { buildRequest, changeDraft, draft, draftChanges, withPartials } from "./draft.js";
import { preferredModel } from "./catalogue.js";
import { createEstimator } from "./estimate.js";
import { createReferences } from "./references.js";
import { advancedFields, countField, modelField, seedField, shapeField } from "./fields.js";
import { openSnippets } from "./copyas.js";
import { showProblem } from "./problem.js";
import { formatBytes, formatNumber } from "./format.js";
import { placePictures } from "./uploads.js";
import { t } from "./i18n.js";

// Makes the form; `submit` is called with the request and answers when it is accepted.
export function createForm(models, submit) {
  let model = preferredModel(models, draft.model);
  let references = null;
  let refused = false;
  let sending = null;
  const prompt = h("textarea", { id: "prompt", rows: 4, value: draft.prompt, spellcheck: true, "aria-describedby": "prompt-count", on: { input: onPrompt } });
  const counter = h("span", { class: "meta counter", id: "prompt-count" });
  const settings = h("div", { class: "settings" });
  const estimate = h("div", { class: "estimate", "aria-live": "polite" });
  const upload = h("div", { class: "upload", hidden: true });
  const button = h("button", { type: "submit", class: "primary make" }, t("make"), h("kbd", { "aria-hidden": "true" }, shortcut()));
  const copy = h("button", { type: "button", class: "quiet", on: { click: () => openSnippets(buildRequest(model)) } }, t("copyAs"));
  const element = h("form", { class: "panel form", "aria-label": t("create"), on: { submit: onSubmit, paste: onPaste, drop: onDrop, dragover: (event) => event.preventDefault() } },
    h("div", { class: "field" }, h("div", { class: "row" }, h("label", { for: "prompt", class: "grow" }, t("prompt")), counter), prompt),
    settings,
    h("div", { class: "action" }, estimate, upload, h("div", { class: "row" }, button, copy)));
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
    showButton();
  }

  function showButton() {
    button.disabled = refused || !model.available || Boolean(sending);
  }

  async function onSubmit(event) {
    event.preventDefault();
    if (!draft.prompt.trim()) return prompt.focus();
    if (button.disabled) return;
    sending = new AbortController();
    showButton();
    try {
      await submit(withPartials(await withPictures(buildRequest(model)), model));
      refresh();
    } catch (problem) {
      if (problem.name !== "AbortError") replaceContent(estimate, showProblem(problem));
    }
    sending = null;
    upload.hidden = true;
    showButton();
  }

  // The request with its pictures. Large ones are sent first, which is shown and can be cancelled.
  async function withPictures({ references: pictures, mask, ...request }) {
    if (!pictures) return request;
    const progress = createUploadProgress(upload, () => sending.abort());
    const placed = await placePictures(pictures, mask, { progress, signal: sending.signal });
    upload.hidden = true;
    return { ...request, body: { ...request.body, ...placed } };
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
  const dispose = () => {
    draftChanges.removeEventListener("changed", refresh);
    sending?.abort();
  };
  return { element, dispose, focus: () => prompt.focus() };
}

// Shows in `place` how much of a picture has been sent, with a button that ends it.
function createUploadProgress(place, cancel) {
  let shown = "";
  const text = h("p", { class: "meta grow" });
  const bar = h("progress");
  const button = h("button", { type: "button", class: "quiet", on: { click: cancel } }, t("cancel"));
  return (name, sent, size) => {
    if (name !== shown) {
      replaceContent(place, h("div", { class: "row" }, text, button), bar);
      bar.setAttribute("aria-label", t("sending", { name }));
      announce(t("sending", { name }));
      place.hidden = false;
    }
    shown = name;
    Object.assign(bar, { max: size, value: sent });
    text.textContent = t("sendingOf", { name, sent: formatBytes(sent), size: formatBytes(size) });
  };
}

function shortcut() {
  return /Mac|iP/.test(navigator.platform) ? "⌘⏎" : "Ctrl ⏎";
}
