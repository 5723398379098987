// What the scripts of this folder share. As ../python/run.py: one argument, a JSON object with base_url, prompt and
// whatever its test adds; one line of JSON: {ok: true, pictures: [base64]} or {ok: false, error: {name, status, message}}.

/** Ask for pictures with `generate`, which returns an array of bytes; print how it went, and end. */
export async function run(generate) {
  let outcome;
  try {
    const pictures = await generate(JSON.parse(process.argv[2]));
    outcome = { ok: true, pictures: pictures.map((bytes) => Buffer.from(bytes).toString("base64")) };
  } catch (error) {
    outcome = { ok: false, error: describe(error) };
  }
  process.stdout.write(`${JSON.stringify(outcome)}\n`, () => process.exit(0));
}

/** The bytes at an address, fetched without any key. */
export async function fetchBytes(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`the picture's URL answered ${answer.status}`);
  return Buffer.from(await answer.arrayBuffer());
}

// The AI SDK wraps what it met last when it gives up trying.
function describe(error) {
  const { name, statusCode, status, response, message } = error.lastError ?? error;
  return { name, status: statusCode ?? status ?? response?.status ?? null, message };
}
