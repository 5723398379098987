// OpenAI's own package, as its README uses it.
import OpenAI from "openai";
import { bodyOf, pictureOf, run } from "./run.mjs";

await run(async (asked) => {
  const client = new OpenAI({ baseURL: `${asked.base_url}/v1`, apiKey: "x" });
  const answer = await client.images.generate(bodyOf(asked));
  return pictureOf(answer.data[0]);
});
