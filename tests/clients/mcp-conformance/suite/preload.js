// Loaded before the suite's program, for two things it would stumble over.
import { Server } from "node:http";
import { register } from "node:module";

// Its servers end when all connections have. One that was opened and never used, as connection pools do, would keep them.
const { close } = Server.prototype;
Server.prototype.close = function (...then) {
  close.apply(this, then);
  this.closeAllConnections();
  return this;
};

// Node 20 lacks a function it imports.
const fs = JSON.stringify(new URL("fs.js", import.meta.url).href);
const hook = `export const resolve = (name, context, next) =>
  name === "fs" && context.parentURL?.includes("/conformance/dist/") ? { url: ${fs}, shortCircuit: true } : next(name, context);`;
if (Number(process.versions.node.split(".")[0]) < 22) register("data:text/javascript," + encodeURIComponent(hook));
