// Azure's provider of the AI SDK, at its v1 face.
import { createAzure } from "@ai-sdk/azure";
import { generateImage } from "ai";
import { run } from "./run.mjs";

await run(async ({ base_url, prompt, options }) => {
  const model = createAzure({ baseURL: base_url, apiKey: "any" }).image("gpt-image-2");
  const { images } = await generateImage({ model, prompt, ...options });
  return images.map((image) => image.uint8Array);
});
