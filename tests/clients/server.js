// Starts the published server the way an operator does, for tests that call it through a client library.
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const API_KEY = "fj_live_" + "7e57".repeat(16);

const dll = process.env.FLAPJACK_SERVER_DLL;
if (!dll) throw new Error("FLAPJACK_SERVER_DLL is not set. Run these tests with bin/test clients, which publishes the server and sets it.");

/** Starts a server on SQLite in a directory of its own. `settings` are keys as docs/settings.md has them. */
export async function startServer(settings = {}) {
  const directory = settings.DataDirectory ?? await mkdtemp(join(tmpdir(), "flapjack-client-"));
  const all = { DataDirectory: directory, urls: "http://127.0.0.1:0", "Bootstrap:ApiKey": API_KEY, ...settings };
  const server = spawn("dotnet", [dll, ...Object.entries(all).map(([key, value]) => `--${key}=${value}`)], { cwd: directory });
  const ended = new Promise(resolve => server.once("exit", resolve));
  try {
    const url = await listening(server, ended);
    return {
      url,
      directory,
      /** Calls the server's own API and gives the JSON answer. */
      async call(method, path, body) {
        const response = await fetch(url + path, {
          method,
          headers: { Authorization: `Bearer ${API_KEY}`, "Content-Type": "application/json" },
          body: body === undefined ? undefined : JSON.stringify(body),
        });
        if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
        return response.json();
      },
      /** Ends the process and keeps what it stored, for another server with its `directory` as `DataDirectory`. */
      async kill(signal = "SIGKILL") {
        server.kill(signal);
        await ended;
      },
      async stop() {
        server.kill("SIGTERM");
        await ended;
        await rm(directory, { recursive: true, force: true });
      },
    };
  } catch (fault) {
    server.kill("SIGKILL");
    throw fault;
  }
}

function listening(server, ended) {
  let output = "";
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`the server did not start within 60 s:\n${output}`)), 60_000);
    const settle = (act, value) => (clearTimeout(late), act(value));
    ended.then(code => settle(reject, new Error(`the server ended with code ${code}:\n${output}`)));
    for (const stream of [server.stdout, server.stderr]) {
      stream.setEncoding("utf8").on("data", text => {
        output += text;
        const address = /listens on (http[^;,\s]+)/.exec(output);
        if (address) settle(resolve, address[1]);
      });
    }
  });
}
