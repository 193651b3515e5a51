// Loaded before the suite's program, so that Node 20 can read it.
import { register } from "node:module";

const fs = JSON.stringify(new URL("fs.js", import.meta.url).href);
const hook = `export const resolve = (name, context, next) =>
  name === "fs" && context.parentURL?.includes("/conformance/dist/") ? { url: ${fs}, shortCircuit: true } : next(name, context);`;
register("data:text/javascript," + encodeURIComponent(hook));
