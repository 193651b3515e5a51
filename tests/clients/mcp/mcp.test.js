// The public server-everything of the Model Context Protocol, used by an agent over each transport.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { after, before, test } from "node:test";
import { startServer } from "../server.js";

const program = fileURLToPath(new URL("./node_modules/@modelcontextprotocol/server-everything/dist/index.js", import.meta.url));
const owner = { email: "owner@example.com", password: "correct horse battery" };
const running = [];
let server, token;

before(async () => {
  server = await startServer({ "Network:AllowedHosts:0": "loopback", "Mcp:Stdio": "host", "Bootstrap:Email": owner.email, "Bootstrap:Password": owner.password });
  const login = await fetch(`${server.url}/api/auth/login`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(owner) });
  token = (await login.json()).access_token;
});

after(async () => {
  await server?.stop();
  for (const child of running) child.kill("SIGKILL");
});

test("streamable HTTP", async () => use({ transport: "streamable_http", url: `http://127.0.0.1:${await start("streamableHttp")}/mcp` }));

test("SSE", async () => use({ transport: "sse", url: `http://127.0.0.1:${await start("sse")}/sse` }));

// Programs of the host are named by an owner, never by a key.
test("a program over its standard streams", () => use({ transport: "stdio", command: process.execPath, args: [program, "stdio"] }));

/** Starts the public server on a free port. */
async function start(transport) {
  const port = await new Promise(resolve => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
  const child = spawn(process.execPath, [program, transport], { env: { ...process.env, PORT: String(port) } });
  running.push(child);
  await new Promise((resolve, reject) => {
    let said = "";
    const late = setTimeout(() => reject(new Error(`server-everything did not start within 60 s:\n${said}`)), 60_000);
    child.stderr.setEncoding("utf8").on("data", text => {
      said += text;
      if (said.includes(` port ${port}`)) { clearTimeout(late); resolve(); }
    });
    child.once("exit", code => { clearTimeout(late); reject(new Error(`server-everything ended with code ${code}:\n${said}`)); });
  });
  return port;
}

async function call(method, path, body) {
  const response = await fetch(server.url + path, { method, headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" }, body: body && JSON.stringify(body) });
  const text = await response.text();
  assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`);
  return JSON.parse(text);
}

/** Connects the server, tests it, gives it to an agent and lets the offline model call its tools. */
async function use(fields) {
  const mcp = await call("POST", "/api/mcps", { name: `Everything ${fields.transport}`, ...fields });
  assert.equal(mcp.status, "pending");
  const tested = await call("POST", `/api/mcps/${mcp.id}/test`, {});
  assert.ok(tested.ok, JSON.stringify(tested));
  for (const name of ["echo", "get-sum"]) assert.ok(tested.tools.some(tool => tool.name === name), `${name} is not among ${tested.tools.map(tool => tool.name)}`);
  assert.equal((await call("GET", `/api/mcps/${mcp.id}`)).status, "active");

  const agent = await call("POST", "/api/agents", { name: "Ada", defaultModel: "flapjack-offline" });
  await call("POST", `/api/agents/${agent.id}/mcps`, { mcpServerId: mcp.id });
  const thread = await call("POST", "/api/threads", { agentId: agent.id });
  assert.match(await result("echo", { message: "hello there" }), /hello there/);
  assert.match(await result("get-sum", { a: 19, b: 23 }), /42/);

  async function result(tool, input) {
    const answer = await call("POST", `/api/threads/${thread.id}/messages`, { content: `/tool ${mcp.slug}__${tool} ${JSON.stringify(input)}`, stream: false });
    const told = answer.events.find(({ event }) => event === "tool_result").data;
    assert.equal(told.is_error, false, JSON.stringify(told));
    return JSON.stringify(told.result);
  }
}
