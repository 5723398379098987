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
const sendsFirst = (request) => hasPictures(request) && request.body.images[0].first;

function curlForm(request) {
  const fields = Object.entries(openaiBody(request)).map(([name, value]) => `  -F ${quoteShell(`${name}=${value}`)}`);
  const pictures = request.body.images.map(({ file }) => `  -F 'image[]=@${file}'`);
  const mask = request.body.mask ? ["  -F mask=@mask.png"] : [];
  const head = [`curl -L ${base}v1/images/edits`, `  -H "Authorization: Bearer $${KEY}"`];
  return [...head, ...fields, ...pictures, ...mask].join(" \\\n");
}

function curlJson(path, body) {
  const head = [`curl -L ${base}${path}`, `  -H "Authorization: Bearer $${KEY}"`, "  -H 'Content-Type: application/json'"];
  return [...head, `  -d ${quoteShell(asJson(body))}`].join(" \\\n");
}

// Pictures that are too large for a request: code that sends them, and their places in the request.
const UPLOAD_PYTHON = `base = "${base}v1"
headers = {"Authorization": f"Bearer {os.environ['${KEY}']}"}


def upload(path, content_type):
    form = requests.post(f"{base}/uploads", json={"content_type": content_type}, headers=headers).json()
    with open(path, "rb") as file:
        requests.post(form["url"], data=form["fields"], files={"file": file}).raise_for_status()
    return form["image"]


`;
const UPLOAD_JAVASCRIPT = `const base = "${base}v1";
const headers = { Authorization: \`Bearer \${process.env.${KEY}}\`, "Content-Type": "application/json" };

async function upload(path, type) {
  const form = await (await fetch(\`\${base}/uploads\`, { method: "POST", headers, body: JSON.stringify({ content_type: type }) })).json();
  const body = new FormData();
  for (const [name, value] of Object.entries(form.fields)) body.append(name, value);
  body.append("file", await fs.openAsBlob(path, { type }));
  const sent = await fetch(form.url, { method: "POST", body });
  if (!sent.ok) throw new Error(await sent.text());
  return form.image;
}

`;

function uploads(request, before = "") {
  const call = ({ file, type }) => `${before}upload("${file}", "${type}")`;
  const { images, mask } = request.body;
  return { images: `[${images.map(call).join(", ")}]`, ...(mask && { mask: call(mask) }) };
}

function openaiPython(request) {
  if (sendsFirst(request)) return openaiPythonWithUploads(request);
  const [standard, extra] = splitStandard(openaiBody(request));
  const given = Object.entries(standard).map(([name, value]) => `    ${name}=${asPython(value)},`);
  if (Object.keys(extra).length) given.push(`    extra_body=${asPython(extra).replaceAll("\n", "\n    ")},`);
  if (hasPictures(request)) given.push(`    image=[${request.body.images.map(({ file }) => `open("${file}", "rb")`).join(", ")}],`);
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

function openaiPythonWithUploads(request) {
  const [standard, extra] = splitStandard(openaiBody(request));
  const given = Object.entries(standard).map(([name, value]) => `    ${name}=${asPython(value)},`);
  const fields = [...Object.entries(extra).map(([name, value]) => [name, asPython(value)]), ...Object.entries(uploads(request))];
  return `import os

import openai
import requests

${UPLOAD_PYTHON}client = openai.OpenAI(base_url=base, api_key=os.environ["${KEY}"])
answer = client.images.generate(
${given.join("\n")}
    extra_body={
${fields.map(([name, code]) => `        "${name}": ${code},`).join("\n")}
    },
)
print(answer.data[0].url or answer.data[0].b64_json)
`;
}

function javascriptWithUploads(request) {
  const fields = Object.entries(uploads(request, "await ")).map(([name, code]) => `,\n  "${name}": ${code}`).join("");
  return `import fs from "node:fs";
import OpenAI from "openai";

${UPLOAD_JAVASCRIPT}const client = new OpenAI({ baseURL: base, apiKey: process.env.${KEY} });
const answer = await client.images.generate(${asJson(openaiBody(request)).slice(0, -2)}${fields}
});
console.log(answer.data[0].url ?? answer.data[0].b64_json);
`;
}

function pythonRequestsWithUploads(request) {
  const fields = Object.entries(uploads(request)).map(([name, code]) => `body["${name}"] = ${code}`);
  return `import os

import requests

${UPLOAD_PYTHON}body = ${asPython(openaiBody(request))}
${fields.join("\n")}
answer = requests.post(f"{base}/images/edits", json=body, headers=headers)
print(answer.json())
`;
}

function javascript(request) {
  if (sendsFirst(request)) return javascriptWithUploads(request);
  const given = asJson(openaiBody(request)).slice(0, -2);
  const pictures = hasPictures(request)
    ? `,\n  "image": [${request.body.images.map(({ file }) => `fs.createReadStream("${file}")`).join(", ")}]`
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
  if (sendsFirst(request)) return pythonRequestsWithUploads(request);
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
  const names = request.body.images.map(({ file }) => `("image[]", open("${file}", "rb"))`);
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
  (request.body.images ?? []).forEach(({ file }) => parts.push(`-i ${file}`));
  if (request.body.mask) parts.push("--mask mask.png");
  return parts.join(" ");
}

// Whether the request can be written so: YandexART's API takes no pictures and makes one at a time. Sending a picture
// first takes two requests, of which the second needs the first's answer: no command for curl alone.
export function canWrite(kind, request) {
  if (kind === "curl") return !sendsFirst(request);
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
