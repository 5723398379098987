// Replicate's package for Node: one call of `run`, which creates a prediction and asks about it until it has ended.
import Replicate from "replicate";
import { fetchBytes, run } from "./run.mjs";

await run(async ({ base_url, model, prompt, input }) => {
  const replicate = new Replicate({ auth: "any", baseUrl: base_url, useFileOutput: false });
  const output = await replicate.run(model, { input: { prompt, ...input } });
  return Promise.all([output].flat().map(fetchBytes));
});
