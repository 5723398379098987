// Vercel's AI SDK asked for four pictures: it posts four identical requests at once. Prints {sha256: [digests]}.
import { createHash } from "node:crypto";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateImage } from "ai";

const { base_url, prompt, model } = JSON.parse(process.argv[2]);
const provider = createOpenAICompatible({ name: "imagegate", baseURL: `${base_url}/v1`, apiKey: "x" });
const { images } = await generateImage({
  model: provider.imageModel(model),
  prompt,
  n: 4,
  maxImagesPerCall: 1,
});
const digests = images.map((image) => createHash("sha256").update(image.uint8Array).digest("hex"));
console.log(JSON.stringify({ sha256: digests }));
