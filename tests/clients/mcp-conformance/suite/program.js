// Runs the suite's program.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(import.meta.resolve("@modelcontextprotocol/conformance/dist/index.js"));
const before = Number(process.versions.node.split(".")[0]) < 22 ? ["--import", new URL("node20.js", import.meta.url).href] : [];

/** Its exit code and what it wrote. */
export async function conformance(...words) {
  const run = spawn(process.execPath, [...before, program, ...words], { timeout: 60_000 });
  let output = "";
  for (const stream of [run.stdout, run.stderr]) stream.setEncoding("utf8").on("data", text => (output += text));
  const code = await new Promise((resolve, reject) => run.once("error", reject).once("close", resolve));
  return { code, output };
}
