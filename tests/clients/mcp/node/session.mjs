// The same session with the official client for Node.
import { createHash } from "node:crypto";

import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

const asked = JSON.parse(process.argv[2]);

function transport() {
  if (asked.url) {
    const requestInit = { headers: { authorization: `Bearer ${asked.key}` } };
    return new StreamableHTTPClientTransport(new URL(asked.url), { requestInit });
  }
  const [command, ...args] = asked.command;
  return new StdioClientTransport({ command, args, env: { ...process.env, ...asked.environment } });
}

const client = new Client({ name: "session", version: "1" });
const wire = transport();
await client.connect(wire);
const call = (name, args) => client.callTool({ name, arguments: args });

// Does what the result of a tool that makes pictures says, until they are there: a busy machine starts functions slowly.
async function finished(name, args) {
  let result = await call(name, args);
  for (let waits = 0; waits < 4 && !result.structuredContent.done; waits += 1) {
    result = await call("get_operation", { operation_id: result.structuredContent.operation_id });
  }
  return result;
}

const found = { version: wire.protocolVersion ?? wire._protocolVersion ?? null, server: client.getServerVersion().name };
await client.ping();
found.tools = (await client.listTools()).tools.map((tool) => tool.name);

const made = await finished("generate_image", { prompt: asked.prompt, seed: 7 });
found.made = { kinds: made.content.map((part) => part.type), ...made.structuredContent };
const { uri } = made.content.find((part) => part.type === "resource_link");
const [read] = (await client.readResource({ uri })).contents;
const sha256 = createHash("sha256").update(Buffer.from(read.blob, "base64")).digest("hex");
found.read = { uri, type: read.mimeType, sha256 };
found.listed = (await client.listResources()).resources.map((each) => each.uri);
found.templates = (await client.listResourceTemplates()).resourceTemplates.map((each) => each.uriTemplate);

const waiting = await call("generate_image", { prompt: `[delay 5s] ${asked.prompt}`, wait_seconds: 0.2 });
const later = await finished("get_operation", { operation_id: waiting.structuredContent.operation_id });
found.waited = [waiting.structuredContent.done, later.structuredContent.done];

found.edited = (await finished("edit_image", { prompt: "make it blue", images: [uri] })).structuredContent;

const started = await call("generate_image", { prompt: `[delay 300s] ${asked.prompt}`, wait_seconds: 0 });
const cancelled = await call("cancel_operation", { operation_id: started.structuredContent.operation_id });
found.cancelled = cancelled.structuredContent.state;

const wrong = await call("generate_image", { prompt: "x", n: 99 });
found.wrong = [wrong.isError, wrong.content[0].text];
found.models = (await call("list_models", {})).structuredContent.models.length;
try {
  await call("draw", {});
} catch (error) {
  found.unknown_tool = error.code;
}
await client.close();
console.log(JSON.stringify(found));
