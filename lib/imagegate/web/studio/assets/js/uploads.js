// Pictures on their way into a request: in it as they are, or, where it has no room for them, sent to the bucket first.

import { call, Problem } from "./api.js";
import { readKey } from "./session.js";
import { t } from "./i18n.js";

export const LARGEST_TOGETHER = 32 * 1024 * 1024;
// Bytes of pictures that one request has room for: a function takes about 4.5 MB.
const LARGEST_REQUEST = 4_000_000;
const USABLE = 50 * 60_000;

// The pictures to send first: the largest ones, until the others have room.
export function chooseUploads(references, mask) {
  const left = [...references].sort((one, other) => other.file.size - one.file.size);
  let bytes = left.reduce((sum, reference) => sum + reference.file.size, mask ? mask.length : 0);
  const chosen = new Set();
  while (bytes > LARGEST_REQUEST && left.length) {
    const largest = left.shift();
    chosen.add(largest);
    bytes -= largest.file.size;
  }
  return chosen;
}

// The pictures as a request has them. `progress` hears which one is being sent, and how much of it has been.
export async function placePictures(references, mask, { progress, signal }) {
  const first = chooseUploads(references, mask);
  const images = [];
  for (const reference of references) {
    images.push(first.has(reference) ? { upload: await sendPicture(reference, progress, signal) } : { image_url: await readDataUrl(reference) });
  }
  return { images, ...(mask && { mask: { image_url: mask } }) };
}

// The id of the picture's upload. One that was sent before is used again while the gateway keeps it.
async function sendPicture(reference, progress, signal) {
  const { sent, file, name } = reference;
  if (sent && sent.key === readKey() && Date.now() - sent.at < USABLE) return sent.id;
  progress(name, 0, file.size);
  const { body: form } = await call("v1/uploads", { method: "POST", body: { content_type: file.type }, signal });
  await postForm(form, reference, (bytes) => progress(name, Math.min(bytes, file.size), file.size), signal);
  reference.sent = { id: form.id, key: readKey(), at: Date.now() };
  return form.id;
}

// An XMLHttpRequest, because fetch does not tell how much has been sent.
function postForm({ url, fields }, { file, name }, progress, signal) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const form = new FormData();
    for (const [field, value] of Object.entries(fields)) form.append(field, value);
    form.append("file", file);
    const fail = (detail, remedy) => reject(new Problem(request.status, { code: "upload_failed", detail, remedy }, ""));
    request.upload.addEventListener("progress", (event) => progress(event.loaded));
    request.addEventListener("load", () => (request.status < 300 ? resolve() : fail(t("uploadRefused", { name, status: request.status }), t("uploadRefusedRemedy"))));
    request.addEventListener("error", () => fail(t("uploadFailed", { name }), t("uploadFailedRemedy")));
    request.addEventListener("abort", () => reject(signal.reason));
    signal.addEventListener("abort", () => request.abort());
    signal.throwIfAborted();
    request.open("POST", url);
    request.send(form);
  });
}

function readDataUrl({ file, name }) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = () => reject(new Problem(0, { code: "unreadable", detail: t("unreadable", { name }) }, ""));
    reader.readAsDataURL(file);
  });
}
