// Controls of the form. Each has a visible label.

import { h, iconButton, replaceContent } from "./dom.js";
import { changeDraft, draft, ratioOf, SHAPES } from "./draft.js";
import { honours } from "./catalogue.js";
import { t } from "./i18n.js";

let fieldCount = 0;

// A label above a control.
export function labelled(text, control, ...more) {
  control.id ||= `field-${(fieldCount += 1)}`;
  return h("div", { class: "field" }, h("label", { for: control.id }, text), control, ...more);
}

// Choices of which one is set; `shown` makes the content of a choice.
export function segmented(label, name, choices, value, change, shown = (choice) => choice) {
  const options = choices.map((choice) =>
    h("label", { class: "segment" },
      h("input", { type: "radio", name, value: `${choice}`, checked: choice === value, on: { change: () => change(choice) } }),
      h("span", {}, shown(choice))));
  return h("fieldset", { class: "field" }, h("legend", {}, label), h("div", { class: "segments" }, options));
}

export function shapeField() {
  const shown = (shape) => {
    const ratio = ratioOf(shape);
    const side = 14;
    const [width, height] = ratio >= 1 ? [side, side / ratio] : [side * ratio, side];
    return [h("i", { class: "shape", style: { width: `${width}px`, height: `${height}px` } }), shape];
  };
  const chosen = draft.width ? "" : draft.shape;
  return segmented(t("shape"), "shape", SHAPES, chosen, (shape) => changeDraft({ shape, width: undefined, height: undefined }), shown);
}

export function countField(most) {
  const choices = [1, 2, 3, 4].filter((n) => n <= most);
  return segmented(t("pictures"), "count", choices, Math.min(draft.n, most), (n) => changeDraft({ n }));
}

export function modelField(models, model, change) {
  const options = models.map((each) =>
    h("option", { value: each.id, selected: each === model }, each.available ? each.id : t("modelUnavailable", { model: each.id })));
  const select = h("select", { on: { change: () => change(select.value) } }, options);
  const hint = model.available ? model.description : t("noKeyFor", { providers: model.providers.join(", ") });
  return labelled(t("model"), select, h("p", { class: `hint${model.available ? "" : " bad"}` }, hint));
}

// A seed that stays while it is locked; unlocked, each request gets a picture of its own.
export function seedField(model) {
  if (!honours(model, "seed")) return null;
  const field = h("div", { class: "field" });
  const largest = Math.max(...model.targets.map((target) => target.seed_maximum ?? 0));

  function show() {
    const locked = draft.seed !== undefined;
    const input = h("input", {
      type: "number", min: "0", max: `${largest}`, value: draft.seed ?? "", placeholder: t("random"), id: "seed",
      on: { change: () => { changeDraft({ seed: input.value === "" ? undefined : Math.min(largest, Math.max(0, Math.trunc(Number(input.value)))) }); show(); } },
    });
    const toggle = () => {
      changeDraft({ seed: locked ? undefined : Math.floor(Math.random() * Math.min(largest, 2 ** 31)) });
      show();
    };
    replaceContent(field, h("label", { for: "seed" }, t("seed")),
      h("div", { class: "with-button" }, input, iconButton(locked ? "lock" : "unlock", t(locked ? "unlockSeed" : "lockSeed"), toggle, { "aria-pressed": `${locked}` })));
  }

  show();
  return field;
}

function numberField(label, name, limits) {
  const input = h("input", {
    type: "number", ...limits, value: draft[name] ?? "", placeholder: t("default"),
    on: { change: () => changeDraft({ [name]: input.value === "" ? undefined : Number(input.value) }) },
  });
  return labelled(label, input);
}

// The fields that most requests leave alone; those that the model does not honour are absent.
export function advancedFields(model) {
  const { sizes, steps_maximum: most, output_formats: formats } = model.capabilities;
  const sides = { min: `${sizes.side_minimum}`, max: `${sizes.side_maximum}` };
  const negative = h("textarea", { rows: 2, value: draft.negative_prompt ?? "", on: { input: () => changeDraft({ negative_prompt: negative.value || undefined }) } });
  const format = h("select", { on: { change: () => changeDraft({ output_format: format.value || undefined }) } },
    h("option", { value: "" }, t("asMade")), formats.map((each) => h("option", { value: each, selected: each === draft.output_format }, each.toUpperCase())));
  const provider = h("select", { on: { change: () => changeDraft({ provider: provider.value || undefined }) } },
    h("option", { value: "" }, t("anyProvider")), model.providers.map((each) => h("option", { value: each, selected: each === draft.provider }, each)));
  const expand = h("input", { type: "checkbox", checked: Boolean(draft.expand), id: "expand", on: { change: () => changeDraft({ expand: expand.checked || undefined }) } });
  const partials = h("input", { type: "checkbox", checked: !draft.noPartials, id: "partials", on: { change: () => changeDraft({ noPartials: !partials.checked || undefined }) } });
  return [
    honours(model, "negative_prompt") && labelled(t("negativePrompt"), negative),
    h("div", { class: "pair" }, numberField(t("width"), "width", sides), numberField(t("height"), "height", sides)),
    h("div", { class: "pair" },
      most !== null && numberField(t("steps"), "steps", { min: "1", max: `${most}` }),
      honours(model, "guidance") && numberField(t("guidance"), "guidance", { min: "0", max: "100", step: "0.1" })),
    h("div", { class: "pair" }, labelled(t("format"), format), model.providers.length > 1 && labelled(t("provider"), provider)),
    h("label", { class: "check", for: "expand" }, expand, t("expand")),
    honours(model, "partial_images") && h("label", { class: "check", for: "partials" }, partials, t("showPartials")),
  ];
}
