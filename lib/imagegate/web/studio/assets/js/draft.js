// What the form holds, and the request that it makes.

import { readDraft, writeDraft } from "./session.js";
import { honours } from "./catalogue.js";
import { chooseUploads } from "./uploads.js";
import { t } from "./i18n.js";

export const SHAPES = ["1:1", "3:2", "2:3", "16:9", "9:16"];
const PROMPTS = 7;
const PARTIALS = 2;
export const MOST_REFERENCES = 16;

// The form's content. Pictures are not kept over a reload: they may be larger than a browser stores.
export const draft = { n: 1, shape: "1:1", ...readDraft(), references: [], mask: null };
draft.prompt ??= t(`prompt${Math.floor(Date.now() / 86_400_000) % PROMPTS}`);
export const draftChanges = new EventTarget();

export function changeDraft(changes) {
  Object.assign(draft, changes);
  const { references, mask, ...kept } = draft;
  writeDraft(kept);
  draftChanges.dispatchEvent(new Event("changed"));
}

// The fields of a request, without those that the model does not take.
function requestFields(model) {
  const fields = { model: model.id, prompt: draft.prompt.trim() };
  if (draft.n > 1) fields.n = draft.n;
  if (draft.width && draft.height) fields.size = { width: draft.width, height: draft.height };
  else fields.aspect_ratio = draft.shape;
  for (const name of ["seed", "steps", "guidance", "negative_prompt"]) {
    if (honours(model, name) && draft[name] !== undefined && draft[name] !== "") fields[name] = draft[name];
  }
  if (draft.output_format) fields.output_format = draft.output_format;
  if (draft.provider && model.providers.includes(draft.provider)) fields.provider = draft.provider;
  if (draft.expand) fields.expand = true;
  return fields;
}

// The request as it is sent: its path, and its body. With reference pictures it is an edit, and the body has what they
// are to be called; `placePictures` puts them there.
export function buildRequest(model) {
  const fields = requestFields(model);
  if (!draft.references.length) return { path: "v1/operations", body: fields, headers: {} };
  const { aspect_ratio, size, expand, ...rest } = fields;
  const first = chooseUploads(draft.references, draft.mask);
  const body = { ...rest, images: draft.references.map((reference, at) => describePicture(reference, at, first)) };
  if (size) body.size = `${size.width}x${size.height}`;
  else body.size = aspect_ratio;
  if (draft.mask) body.mask = { file: "mask.png", type: "image/png" };
  return { path: "v1/images/edits", body, headers: { prefer: "respond-async" }, references: draft.references, mask: draft.mask };
}

// The request, asking for partial pictures where the model makes them. With several, upstreams do not say whose it is.
export function withPartials(request, model) {
  if (draft.n > 1 || draft.noPartials || !honours(model, "partial_images")) return request;
  return { ...request, body: { ...request.body, partial_images: PARTIALS } };
}

function describePicture({ file }, at, first) {
  const extension = file.type.split("/")[1].replace("jpeg", "jpg");
  return { file: `picture-${at + 1}.${extension}`, type: file.type, first: first.size > 0 };
}

// Puts a former request into the form.
export function adoptRequest(operation, changes = {}) {
  const request = operation.request ?? {};
  const size = request.size;
  changeDraft({
    prompt: operation.prompt ?? "",
    model: operation.model,
    n: operation.n,
    shape: request.aspect_ratio ?? (size ? nearestShape(size) : "1:1"),
    width: undefined,
    height: undefined,
    seed: request.seed ?? undefined,
    steps: request.steps ?? undefined,
    guidance: request.guidance ?? undefined,
    negative_prompt: request.negative_prompt ?? undefined,
    output_format: request.output_format ?? undefined,
    provider: undefined,
    expand: operation.expand,
    ...changes,
  });
}

function nearestShape({ width, height }) {
  const distance = (shape) => Math.abs(Math.log((ratioOf(shape) * height) / width));
  return [...SHAPES].sort((one, other) => distance(one) - distance(other))[0];
}

export function ratioOf(shape) {
  const [width, height] = shape.split(":").map(Number);
  return width / height || 1;
}
