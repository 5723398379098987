// OpenAI's own package with chat.completions.create.
import OpenAI from "openai";
import { run } from "./run.mjs";

await run(async ({ base_url, model, prompt, size }) => {
  const client = new OpenAI({ baseURL: `${base_url}/v1`, apiKey: "x" });
  const messages = [{ role: "user", content: prompt }];
  const answer = await client.chat.completions.create({ model, messages, size, modalities: ["image", "text"] });
  const { url } = answer.choices[0].message.images[0].image_url;
  return { image: Buffer.from(url.split(",")[1], "base64") };
});
