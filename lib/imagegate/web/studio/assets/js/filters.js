// The filter of the gallery: one line of words and tokens such as `state:failed model:flux meta:order=7 "red fox"`.

const TOKEN = /(?:(state|model|after|before|meta):)?(?:"([^"]*)"|(\S+))/g;
const STATES = ["queued", "running", "succeeded", "failed", "cancelled"];

// What the gateway filters itself (`query`), and what is left to compare here.
export function parseFilter(text) {
  const query = {};
  const words = [];
  const metadata = [];
  for (const [, name, quoted, bare] of text.matchAll(TOKEN)) {
    const value = quoted ?? bare;
    if (name === "state" && STATES.includes(value)) query.state = value;
    else if (name === "model") query.model = value;
    else if (name === "after" && parseDay(value)) query.created_after = parseDay(value);
    else if (name === "before" && parseDay(value)) query.created_before = parseDay(value);
    else if (name === "meta") metadata.push(value.split("="));
    else words.push(value.toLowerCase());
  }
  return { query, words, metadata };
}

function parseDay(text) {
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text)) ? `${text}T00:00:00Z` : null;
}

// Whether an operation has all words in its prompt, and the metadata.
export function matchesFilter(operation, { words, metadata }) {
  const text = `${operation.prompt ?? ""} ${operation.revised_prompt ?? ""} ${operation.id}`.toLowerCase();
  return words.every((word) => text.includes(word)) &&
    metadata.every(([name, value]) => name in operation.metadata && (value === undefined || operation.metadata[name] === value));
}

// The text with the token `state:` set, or without it.
export function withState(text, state) {
  const rest = text.replace(/\bstate:\S*\s*/g, "").trim();
  return [state && `state:${state}`, rest].filter(Boolean).join(" ");
}
