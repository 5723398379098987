// Vercel's AI SDK with its provider for servers that speak OpenAI's API.
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateImage } from "ai";
import { run } from "./run.mjs";

async function generate({ base_url, prompt, model, size, response_format }) {
  const provider = createOpenAICompatible({ name: "imagegate", baseURL: `${base_url}/v1`, apiKey: "x" });
  const providerOptions = response_format && { imagegate: { response_format } };
  const { image } = await generateImage({ model: provider.imageModel(model), prompt, size, providerOptions });
  return { image: image.uint8Array };
}

// After its retries it throws a RetryError that holds every attempt's error.
function describe(error) {
  const last = error.lastError ?? error;
  const code = last.data?.error?.code ?? null;
  return {
    error: { name: error.constructor.name, status: last.statusCode ?? null, code, message: last.message },
    retries: (error.errors?.length ?? 1) - 1,
  };
}

await run(generate, describe);
