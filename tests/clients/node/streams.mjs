// OpenAI's own package with `stream: true`; `api` is images, responses or chat.
import OpenAI from "openai";
import { run } from "./run.mjs";

const APIS = {
  async images(client, { model, prompt, size }) {
    const events = await read(client.images.generate({ model, prompt, size, output_format: "webp", stream: true }));
    return events.map((event) => event.b64_json);
  },
  async responses(client, { model, prompt, size }) {
    const tools = [{ type: "image_generation", output_format: "webp", size }];
    const events = await read(client.responses.create({ model, input: prompt, tools, stream: true }));
    return events.at(-1).response.output.map((item) => item.result);
  },
  async chat(client, { model, prompt, size }) {
    const messages = [{ role: "user", content: prompt }];
    const asked = { model, messages, size, modalities: ["image", "text"], stream: true };
    const chunks = await read(client.chat.completions.create(asked));
    const images = chunks.flatMap((chunk) => chunk.choices.flatMap((choice) => choice.delta.images ?? []));
    return images.map((image) => image.image_url.url.split(",")[1]);
  },
};

async function read(stream) {
  const events = [];
  for await (const event of await stream) events.push(event);
  return events;
}

await run(async ({ base_url, api, ...asked }) => {
  const client = new OpenAI({ baseURL: `${base_url}/v1`, apiKey: "x" });
  const [image] = await APIS[api](client, asked);
  return { image: Buffer.from(image, "base64") };
});
