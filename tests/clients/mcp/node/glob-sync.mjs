// `node --import` of this file lets the conformance suite start on Node 20. It imports fs.globSync, which came with Node
// 22, and calls it only for the audit of repositories.
import { register } from "node:module";

const fs = `
export * from "node:fs";
export { default } from "node:fs";
export const globSync = () => { throw new Error("fs.globSync needs Node 22"); };
`;
const address = (source) => `data:text/javascript,${encodeURIComponent(source)}`;
const hooks = `
export const resolve = (specifier, context, next) =>
  specifier === "fs" && context.parentURL?.includes("conformance")
    ? { url: ${JSON.stringify(address(fs))}, shortCircuit: true }
    : next(specifier, context);
`;
register(address(hooks));
