// Node's own fetch. It throws for no status, so the script does.
import { bodyOf, pictureOf, run } from "./run.mjs";

class HttpError extends Error {
  constructor(status, { message, code }) {
    super(message);
    Object.assign(this, { status, code });
  }
}

await run(async (asked) => {
  const answer = await fetch(`${asked.base_url}/v1/images/generations`, {
    method: "POST",
    headers: { authorization: "Bearer x", "content-type": "application/json" },
    body: JSON.stringify(bodyOf(asked)),
  });
  const document = await answer.json();
  if (!answer.ok) throw new HttpError(answer.status, document.error ?? document);
  return pictureOf(document.data[0]);
});
