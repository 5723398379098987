// fal's package for Node: one call of `subscribe`, which queues a request, asks about it and fetches the result. It knows
// no other host than fal's own, so its `fetch` takes the stand-in's in place of that.
import { createFalClient } from "@fal-ai/client";
import { fetchBytes, run } from "./run.mjs";

const QUEUE = "https://queue.fal.run";

await run(async ({ base_url, model, prompt, input }) => {
  const toStandIn = (url, options) => fetch(String(url).replace(QUEUE, base_url), options);
  const fal = createFalClient({ credentials: "id:secret", fetch: toStandIn });
  const { data } = await fal.subscribe(model, { input: { prompt, ...input }, pollInterval: 100 });
  return Promise.all(data.images.map(({ url }) => fetchBytes(url)));
});
