// The models that the caller may use, read once.

import { read } from "./api.js";

let asked = null;

export function loadModels() {
  asked ??= read("v1/models").then(
    (found) => found.data.filter((model) => !model.alias_of),
    (problem) => {
      asked = null;
      throw problem;
    },
  );
  return asked;
}

export function forgetModels() {
  asked = null;
}

export function preferredModel(models, name) {
  const named = models.find((model) => model.id === name);
  return named ?? models.find((model) => model.id === "flux" && model.available) ?? models.find((model) => model.available) ?? models[0];
}

// Whether a field has an effect at some provider of the model.
export function honours(model, field) {
  if (field === "steps") return model.capabilities.steps_maximum !== null;
  return Boolean(model.capabilities[field]);
}

// The first target that can take a request; the one whose price and time count.
export function likelyTarget(model, pictures) {
  return model.targets.find((target) => target.available && target.input_images >= pictures);
}
