// What an operation is doing, in words that say no more than is known.

import { formatSeconds, secondsBetween } from "./format.js";
import { hasText, t } from "./i18n.js";

// One line: the state, the provider, and while it is being made how long it has taken of how long it should.
export function describeProgress(operation) {
  if (operation.state === "queued") return t("stateQueued");
  if (operation.done) return t(`state_${operation.state}`);
  const attempt = operation.attempts.at(-1);
  if (!attempt) return operation.expand && !operation.revised_prompt ? t("expanding") : t("stateStarting");
  const provider = attempt.provider;
  const lines = {
    submitting: () => t("submitting", { provider }),
    submitted: () => makingLine(operation, attempt),
    ready: () => t("storing", { provider }),
    unknown: () => t("unknownAttempt", { provider }),
    failed: () => t("tryingNext", { provider }),
    done: () => t("storing", { provider }),
  };
  return lines[attempt.state]();
}

function makingLine(operation, attempt) {
  const elapsed = formatSeconds(secondsBetween(attempt.started_at, new Date()));
  const values = { provider: attempt.provider, elapsed };
  if (!operation.estimated_ready_at) return t("making", values);
  const expected = secondsBetween(attempt.started_at, operation.estimated_ready_at);
  return t("makingOf", { ...values, expected: formatSeconds(Math.max(1, Math.round(expected))) });
}

// What failed before at other providers, while the operation goes on.
export function describeFailovers(operation) {
  return operation.attempts
    .filter((attempt) => attempt.state === "failed" && attempt.error)
    .map((attempt) => t("failedAt", { provider: attempt.provider, message: attempt.error.message }));
}

// The reason of a failure, and what to do about it.
export function describeFailure(operation) {
  if (operation.state === "cancelled") return { message: t("cancelledText"), remedy: t("remedy_cancelled") };
  const { code = "", message = "" } = operation.error ?? {};
  const key = `remedy_${code}`;
  return { message, remedy: hasText(key) ? t(key) : t("remedy_other") };
}

// Width to height of the pictures that are awaited.
export function expectedRatio(operation) {
  const { size, aspect_ratio: ratio } = operation.request ?? {};
  if (size) return size.width / size.height;
  if (!ratio) return 1;
  const [width, height] = ratio.split(":").map(Number);
  return width / height;
}
