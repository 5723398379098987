// Operations that this page knows, and the polling of those that run.

import { call, read } from "./api.js";

const known = new Map();
const polled = new Map();
export const jobs = new EventTarget();
const LONGEST_PAUSE = 5000;
const SHORTEST_PAUSE = 700;
// Of an operation that waits for its turn or shows partial pictures: what the gateway advises is when it may be done.
const SHORT_PAUSE = 1500;

export function rememberOperation(operation) {
  const before = known.get(operation.id);
  if (before && before.version > operation.version) return before;
  known.set(operation.id, operation);
  if (!before || before.version !== operation.version) {
    jobs.dispatchEvent(new CustomEvent("changed", { detail: { operation, before } }));
  }
  if (!operation.done) watch(operation.id, SHORTEST_PAUSE);
  return operation;
}

export function forgetOperation(id) {
  known.delete(id);
  stopWatching(id);
  jobs.dispatchEvent(new CustomEvent("removed", { detail: { id } }));
}

export function knownOperation(id) {
  return known.get(id);
}

export async function fetchOperation(id) {
  return rememberOperation(await read(`v1/operations/${encodeURIComponent(id)}`));
}

export async function listOperations(query = {}) {
  const parameters = new URLSearchParams(Object.entries(query).filter(([, value]) => value));
  const page = await read(`v1/operations?${parameters}`);
  page.operations = page.operations.map((operation) => rememberOperation(operation));
  return page;
}

export async function actOn(id, action, body) {
  const answer = await call(`v1/operations/${encodeURIComponent(id)}:${action}`, { method: "POST", body });
  return answer.body.id ? rememberOperation(answer.body) : answer.body;
}

export async function deleteOperation(id) {
  await call(`v1/operations/${encodeURIComponent(id)}`, { method: "DELETE" });
  forgetOperation(id);
}

export function runningOperations() {
  return [...known.values()].filter((operation) => !operation.done);
}

function watch(id, pause) {
  if (polled.has(id)) return;
  polled.set(id, setTimeout(() => poll(id), pause));
}

function stopWatching(id) {
  clearTimeout(polled.get(id));
  polled.delete(id);
}

async function poll(id) {
  let pause = LONGEST_PAUSE;
  try {
    const answer = await call(`v1/operations/${encodeURIComponent(id)}`);
    const advised = 1000 * Number(answer.headers.get("retry-after") ?? 1);
    const changing = answer.body.state === "queued" || answer.body.request?.partial_images;
    const longest = changing ? SHORT_PAUSE : LONGEST_PAUSE;
    pause = Math.min(longest, Math.max(SHORTEST_PAUSE, advised));
    polled.delete(id);
    rememberOperation(answer.body);
    if (!answer.body.done) {
      stopWatching(id);
      watch(id, document.hidden ? LONGEST_PAUSE : pause);
    }
  } catch (problem) {
    polled.delete(id);
    if (problem.status === 404 || problem.status === 410) forgetOperation(id);
    else if (problem.status !== 401) watch(id, LONGEST_PAUSE);
  }
}

// Polls at once what runs: after a sign-in, or when the network is back.
export function resumeJobs() {
  for (const { id } of runningOperations()) {
    stopWatching(id);
    watch(id, 0);
  }
}
