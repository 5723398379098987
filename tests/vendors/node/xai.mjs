// xAI's provider of the AI SDK.
import { createXai } from "@ai-sdk/xai";
import { generateImage } from "ai";
import { run } from "./run.mjs";

await run(async ({ base_url, prompt, options }) => {
  const model = createXai({ baseURL: base_url, apiKey: "any" }).image("grok-imagine-image");
  const { images } = await generateImage({ model, prompt, ...options });
  return images.map((image) => image.uint8Array);
});
