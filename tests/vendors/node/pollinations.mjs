// Pollinations' own package.
import { configure, imageGenerate } from "@pollinations/sdk";
import { run } from "./run.mjs";

await run(async ({ base_url, prompt, options }) => {
  configure({ baseUrl: base_url, apiKey: "any" });
  const answers = [await imageGenerate(prompt, options)].flat();
  return answers.map((answer) => answer.buffer);
});
