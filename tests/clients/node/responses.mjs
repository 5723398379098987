// OpenAI's own package with responses.create.
import OpenAI from "openai";
import { run } from "./run.mjs";

await run(async ({ base_url, model, prompt, size }) => {
  const client = new OpenAI({ baseURL: `${base_url}/v1`, apiKey: "x" });
  const tools = [{ type: "image_generation", output_format: "webp", size }];
  const response = await client.responses.create({ model, input: prompt, tools });
  const call = response.output.find((item) => item.type === "image_generation_call");
  return { image: Buffer.from(call.result, "base64") };
});
