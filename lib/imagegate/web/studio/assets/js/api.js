// Calls to the gateway that served this page.

import { readKey } from "./session.js";
import { t } from "./i18n.js";

export const base = new URL(".", location.href).href;
export const signals = new EventTarget();

// An answer that is an error: what happened, which field, what to do, and the request id.
export class Problem extends Error {
  constructor(status, body, requestId) {
    const told = body.error && typeof body.error === "object" ? body.error : body;
    super(told.detail ?? told.message ?? t("unexpected", { status }));
    Object.assign(this, { status, code: told.code ?? "", remedy: told.remedy ?? "", param: told.param ?? "" });
    this.requestId = body.request_id ?? requestId ?? "";
  }
}

// Sends a request; returns the answer's status, headers and JSON. Throws Problem.
export async function call(path, { method = "GET", body, headers = {}, signal } = {}) {
  const key = readKey();
  const sent = { accept: "application/json", ...headers };
  if (key) sent.authorization = `Bearer ${key}`;
  if (body !== undefined) sent["content-type"] = "application/json";
  const answer = await send(path, { method, headers: sent, body: body === undefined ? undefined : JSON.stringify(body), signal });
  const found = await readJson(answer);
  if (answer.ok) return { status: answer.status, headers: answer.headers, body: found };
  const problem = new Problem(answer.status, found, answer.headers.get("x-request-id"));
  // A late refusal of an earlier key says nothing of the present one.
  if (answer.status === 401 && key === readKey()) signals.dispatchEvent(new CustomEvent("locked", { detail: problem }));
  throw problem;
}

async function send(path, options) {
  try {
    return await fetch(base + path, { ...options, cache: "no-store", credentials: "omit" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0, { code: "offline", detail: t("offline"), remedy: t("offlineRemedy") }, "");
  }
}

async function readJson(answer) {
  try {
    return (await answer.json()) ?? {};
  } catch {
    return {};
  }
}

export async function read(path, options) {
  return (await call(path, options)).body;
}

// The bytes of a stored picture, through the gateway, so that the page may read them.
export async function readPicture(picture) {
  const answer = await send(withQuery(picture.url, "download"), { method: "GET" });
  if (!answer.ok) throw new Problem(answer.status, await readJson(answer), answer.headers.get("x-request-id"));
  return answer.blob();
}

// A path of an answer, as an address of this page's gateway, with one parameter more.
export function withQuery(path, parameter) {
  const relative = path.replace(/^\//, "");
  return parameter ? `${relative}${relative.includes("?") ? "&" : "?"}${parameter}` : relative;
}

export function addressOf(path, parameter) {
  return base + withQuery(path, parameter);
}
