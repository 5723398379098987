// axios, which n8n and LibreChat are built on.
import axios from "axios";
import { bodyOf, pictureOf, run } from "./run.mjs";

async function download(url) {
  const answer = await axios.get(url, { responseType: "arraybuffer" });
  return Buffer.from(answer.data);
}

function describe(error) {
  const { code = null, message = error.message } = error.response?.data?.error ?? {};
  return { error: { name: error.constructor.name, status: error.response?.status ?? null, code, message } };
}

await run(async (asked) => {
  const headers = { authorization: "Bearer x" };
  const answer = await axios.post(`${asked.base_url}/v1/images/generations`, bodyOf(asked), { headers });
  return pictureOf(answer.data.data[0], download);
}, describe);
