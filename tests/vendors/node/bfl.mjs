// The AI SDK's provider for Black Forest Labs: one call of `generateImage`, without tries of its own.
import { createBlackForestLabs } from "@ai-sdk/black-forest-labs";
import { generateImage } from "ai";
import { run } from "./run.mjs";

await run(async ({ base_url, model, prompt, ...options }) => {
  const bfl = createBlackForestLabs({ baseURL: base_url, apiKey: "any" });
  const { images } = await generateImage({
    model: bfl.image(model),
    prompt,
    maxRetries: 0,
    providerOptions: { blackForestLabs: { pollIntervalMillis: 100, pollTimeoutMillis: 5000 } },
    ...options,
  });
  return images.map((image) => image.uint8Array);
});
