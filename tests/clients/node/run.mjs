// What the scripts of this folder share. Each takes one argument, a JSON object with base_url, prompt and, if wanted,
// model, size, response_format and deadline (seconds), and prints one line of JSON:
// {ok, bytes, magic, sha256, url?, retries?} or {ok: false, error: {name, status, code, message}, retries?}.
import { createHash } from "node:crypto";

const asked = { model: "flux", deadline: 120, ...JSON.parse(process.argv[2]) };

/** The body of the POST, with only what was asked for. */
export function bodyOf({ model, prompt, size, response_format }) {
  return { model, prompt, ...(size && { size }), ...(response_format && { response_format }) };
}

/** Ask for a picture with `generate`, which returns {image: bytes, url?}; print how it went, and end. */
export async function run(generate, describe = asItIs) {
  setTimeout(tooLate, asked.deadline * 1000);
  try {
    print({ ok: true, ...summary(await generate(asked)) });
  } catch (error) {
    print({ ok: false, ...describe(error) });
  }
}

/** The bytes of one item of `data`; `download` fetches a URL. */
export async function pictureOf(item, download = fetchBytes) {
  if (item.b64_json) return { image: Buffer.from(item.b64_json, "base64") };
  return { image: await download(item.url), url: item.url };
}

async function fetchBytes(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`the picture's URL answered ${answer.status}`);
  return Buffer.from(await answer.arrayBuffer());
}

function summary({ image, url }) {
  const bytes = Buffer.from(image);
  return {
    bytes: bytes.length,
    magic: bytes.subarray(0, 4).toString("hex"),
    sha256: createHash("sha256").update(bytes).digest("hex"),
    ...(url && { url }),
  };
}

function asItIs(error) {
  const { constructor, status = null, code = null, message } = error;
  return { error: { name: constructor.name, status, code, message } };
}

function tooLate() {
  const message = `neither picture nor error within ${asked.deadline} s`;
  print({ ok: false, error: { name: "DeadlineExceeded", status: null, code: null, message } });
}

function print(outcome) {
  process.stdout.write(`${JSON.stringify(outcome)}\n`, () => process.exit(0));
}
