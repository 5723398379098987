// The same request as code. The key is an environment variable, never part of the text.

import { base } from "./api.js";

export const SNIPPETS = ["curl", "openai-python", "javascript", "requests", "yandexart", "cli", "native"];
const KEY = "IMAGEGATE_API_KEY";

const quoteShell = (text) => `'${text.replaceAll("'", "'\\''")}'`;
const asJson = (value) => JSON.stringify(value, null, 2);
const asPython = (value) =>
  asJson(value).replace(/"(?:[^"\\]|\\.)*"|\b(?:true|false|null)\b/g, (found) => PYTHON[found] ?? found);
const PYTHON = { true: "True", false: "False", null: "None" };

// The request in OpenAI's fields: sizes as text, pictures as files.
function openaiBody(request) {
  const { size, aspect_ratio, images, mask, ...rest } = request.body;
  const pixels = size && typeof size === "object" ? `${size.width}x${size.height}` : size;
  return { ...rest, size: pixels ?? aspect_ratio };
}

const STANDARD = ["model", "prompt", "n", "size", "output_format"];

function splitStandard(body) {
  const entries = Object.entries(body);
  return [
    Object.fromEntries(entries.filter(([name]) => STANDARD.includes(name))),
    Object.fromEntries(entries.filter(([name]) => !STANDARD.includes(name))),
  ];
}

const hasPictures = (request) => Boolean(request.body.images);

function curlForm(request) {
  const fields = Object.entries(openaiBody(request)).map(([name, value]) => `  -F ${quoteShell(`${name}=${value}`)}`);
  const pictures = request.body.images.map((_, at) => `  -F 'image[]=@picture-${at + 1}.png'`);
  const mask = request.body.mask ? ["  -F mask=@mask.png"] : [];
  const head = [`curl -L ${base}v1/images/edits`, `  -H "Authorization: Bearer $${KEY}"`];
  return [...head, ...fields, ...pictures, ...mask].join(" \\\n");
}

function curlJson(path, body) {
  const head = [`curl -L ${base}${path}`, `  -H "Authorization: Bearer $${KEY}"`, "  -H 'Content-Type: application/json'"];
  return [...head, `  -d ${quoteShell(asJson(body))}`].join(" \\\n");
}

function openaiPython(request) {
  const [standard, extra] = splitStandard(openaiBody(request));
  const given = Object.entries(standard).map(([name, value]) => `    ${name}=${asPython(value)},`);
  if (Object.keys(extra).length) given.push(`    extra_body=${asPython(extra).replaceAll("\n", "\n    ")},`);
  if (hasPictures(request)) given.push(`    image=[${request.body.images.map((_, at) => `open("picture-${at + 1}.png", "rb")`).join(", ")}],`);
  if (request.body.mask) given.push('    mask=open("mask.png", "rb"),');
  const method = hasPictures(request) ? "edit" : "generate";
  return `import os

import openai

client = openai.OpenAI(base_url="${base}v1", api_key=os.environ["${KEY}"])
answer = client.images.${method}(
${given.join("\n")}
)
print(answer.data[0].url or answer.data[0].b64_json)
`;
}

function javascript(request) {
  const given = asJson(openaiBody(request)).slice(0, -2);
  const pictures = hasPictures(request)
    ? `,\n  "image": [${request.body.images.map((_, at) => `fs.createReadStream("picture-${at + 1}.png")`).join(", ")}]`
    : "";
  const mask = request.body.mask ? ',\n  "mask": fs.createReadStream("mask.png")' : "";
  const files = pictures ? 'import fs from "node:fs";\n' : "";
  return `${files}import OpenAI from "openai";

const client = new OpenAI({ baseURL: "${base}v1", apiKey: process.env.${KEY} });
const answer = await client.images.${pictures ? "edit" : "generate"}(${given}${pictures}${mask}
});
console.log(answer.data[0].url ?? answer.data[0].b64_json);
`;
}

function pythonRequests(request) {
  const head = `import os

import requests

headers = {"Authorization": f"Bearer {os.environ['${KEY}']}"}
body = ${asPython(openaiBody(request))}
`;
  if (!hasPictures(request)) {
    return `${head}answer = requests.post("${base}v1/images/generations", json=body, headers=headers)
print(answer.json())
`;
  }
  const names = request.body.images.map((_, at) => `("image[]", open("picture-${at + 1}.png", "rb"))`);
  if (request.body.mask) names.push('("mask", open("mask.png", "rb"))');
  return `${head}files = [${names.join(", ")}]
answer = requests.post("${base}v1/images/edits", data=body, files=files, headers=headers)
print(answer.json())
`;
}

function yandexart(request) {
  const [width, height] = (request.body.aspect_ratio ?? "").split(":");
  const size = request.body.size;
  const ratio = size ? { widthRatio: `${size.width}`, heightRatio: `${size.height}` } : { widthRatio: width, heightRatio: height };
  const seed = request.body.seed === undefined ? {} : { seed: `${request.body.seed}` };
  const body = {
    modelUri: `art://folder/${request.body.model}`,
    generationOptions: { ...seed, aspectRatio: ratio },
    messages: [{ text: request.body.prompt, weight: "1" }],
  };
  return curlJson("foundationModels/v1/imageGenerationAsync", body).replace("Bearer", "Api-Key");
}

function commandLine(request) {
  const { model, prompt, n, size, aspect_ratio, seed } = request.body;
  const shape = size && typeof size === "object" ? `${size.width}x${size.height}` : size ?? aspect_ratio;
  const parts = ["imagegate generate", quoteShell(prompt), `-m ${model}`, `-s ${shape}`];
  if (n) parts.push(`-n ${n}`);
  if (seed !== undefined) parts.push(`--seed ${seed}`);
  (request.body.images ?? []).forEach((_, at) => parts.push(`-i picture-${at + 1}.png`));
  if (request.body.mask) parts.push("--mask mask.png");
  return parts.join(" ");
}

// Whether the request can be written so: YandexART's API takes no pictures and makes one at a time.
export function canWrite(kind, request) {
  if (kind === "yandexart") return !hasPictures(request) && !request.body.n;
  return kind !== "native" || !hasPictures(request);
}

export function writeSnippet(kind, request) {
  const writers = {
    curl: () => (hasPictures(request) ? curlForm(request) : curlJson("v1/images/generations", openaiBody(request))),
    "openai-python": () => openaiPython(request),
    javascript: () => javascript(request),
    requests: () => pythonRequests(request),
    yandexart: () => yandexart(request),
    cli: () => commandLine(request),
    native: () => curlJson("v1/operations", request.body),
  };
  return writers[kind]();
}
