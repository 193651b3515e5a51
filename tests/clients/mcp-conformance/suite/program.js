// Runs the suite's program.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(import.meta.resolve("@modelcontextprotocol/conformance/dist/index.js"));
const preload = new URL("preload.js", import.meta.url).href;

/** Its exit code and what it wrote. */
export async function conformance(words, environment = {}) {
  const run = spawn(process.execPath, ["--import", preload, program, ...words], { env: { ...process.env, ...environment }, timeout: 60_000 });
  let output = "";
  for (const stream of [run.stdout, run.stderr]) stream.setEncoding("utf8").on("data", text => (output += text));
  const code = await new Promise((resolve, reject) => run.once("error", reject).once("close", resolve));
  return { code, output };
}

export function assertPassed({ code, output }) {
  assert.equal(code, 0, output);
  // A scenario that finds nothing to check passes too.
  assert.match(output, /^Passed: ([1-9]\d*)\/\1, 0 failed, 0 warnings$/m, output);
}

/** Skips what does not fit, says why, and sees to it that no scenario of the suite is forgotten. */
export function nameOthers(side, runs, skipped) {
  for (const [scenario, reason] of Object.entries(skipped)) test(scenario, { skip: reason }, () => {});
  test(`every ${side} scenario of the suite is named here`, async () => {
    const { output } = await conformance(["list", `--${side}`]);
    const all = [...output.matchAll(/^ +- (\S+)/gm)].map(found => found[1]);
    assert.deepEqual([...runs, ...Object.keys(skipped)].sort(), all.sort());
  });
}
