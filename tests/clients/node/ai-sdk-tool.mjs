// Vercel's AI SDK with OpenAI's image generation tool.
import { createOpenAI } from "@ai-sdk/openai";
import { generateText } from "ai";
import { run } from "./run.mjs";

await run(async ({ base_url, model, prompt, size }) => {
  const openai = createOpenAI({ baseURL: `${base_url}/v1`, apiKey: "x" });
  const image_generation = openai.tools.imageGeneration({ outputFormat: "webp", size });
  const { staticToolResults } = await generateText({ model: openai.responses(model), prompt, tools: { image_generation } });
  return { image: Buffer.from(staticToolResults[0].output.result, "base64") };
});
