// The public MCP client against a running server: what its users do must work unchanged.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { ErrorCode, McpError } from "@modelcontextprotocol/sdk/types.js";
import { API_KEY, startServer } from "../server.js";
import { startUpstream } from "../openai/upstream.js";

let server, upstream, agent, scripted;
const open = [];

before(async () => {
  upstream = await startUpstream();
  server = await startServer({ "Providers:fake:Kind": "openai_compatible", "Providers:fake:BaseUrl": upstream.url, "Providers:fake:ApiKey": "sk-fake", "Providers:fake:Models:0:Id": "scripted" });
  agent = (await server.call("POST", "/api/agents", { name: "Ada", description: "Counts", defaultModel: "flapjack-offline" })).id;
  // A switch of profiles is a tool every agent with several has.
  scripted = (await server.call("POST", "/api/agents", {
    name: "Bea", defaultModel: "fake/scripted", defaultProfile: "plain", toolProfiles: { plain: { tools: ["*"] }, other: { tools: ["*"], switchable: true, description: "Something else" } },
  })).id;
});

after(async () => {
  for (const client of open) await client.close();
  await server?.stop();
  await upstream?.stop();
});

async function connect(path = "/mcp", key = API_KEY) {
  const client = new Client({ name: "flapjack-tests", version: "1.0.0" });
  const transport = new StreamableHTTPClientTransport(new URL(server.url + path), { requestInit: { headers: { Authorization: `Bearer ${key}` } } });
  await client.connect(transport);
  open.push(client);
  return { client, transport };
}

test("connects, pings and lists the tools there are", async () => {
  const { client, transport } = await connect();
  assert.equal(client.getServerVersion().name, "flapjack");
  assert.ok(transport.sessionId);
  assert.match(client.getInstructions(), /ask_agent/);
  await client.ping();
  const { tools } = await client.listTools();
  assert.deepEqual(tools.map(tool => tool.name), ["list_agents", "ask_agent", "list_threads", "get_messages", "search_knowledge"]);
  assert.ok(tools.every(tool => tool.inputSchema.type === "object"));
});

test("asks an agent, goes on with the conversation and reads it", async () => {
  const { client } = await connect();
  // The client checks structured results against the schemas it was told.
  await client.listTools();
  const { structuredContent: listed } = await client.callTool({ name: "list_agents" });
  assert.deepEqual(listed.agents.find(one => one.id === agent), { id: agent, name: "Ada", description: "Counts" });
  const { structuredContent: first } = await client.callTool({ name: "ask_agent", arguments: { agentId: agent, message: "/echo hello there" } });
  assert.equal(first.content, "hello there");
  const { structuredContent: second } = await client.callTool({ name: "ask_agent", arguments: { agentId: agent, message: "/history", threadId: first.threadId } });
  assert.match(second.content, /^messages: 3/);
  const { structuredContent: read } = await client.callTool({ name: "get_messages", arguments: { threadId: first.threadId } });
  assert.deepEqual(read.messages.map(message => message.role), ["user", "assistant", "user", "assistant"]);
  const { structuredContent: threads } = await client.callTool({ name: "list_threads", arguments: { agentId: agent } });
  assert.equal(threads.threads[0].id, first.threadId);
});

test("one agent's endpoint has one tool and tells progress", async () => {
  const { client } = await connect(`/mcp/agents/${scripted}`);
  const { tools } = await client.listTools();
  assert.deepEqual(tools.map(tool => tool.name), ["ask"]);
  const tool = "propose_profile_switch";
  upstream.script.push({ calls: [{ id: "c1", name: tool, arguments: { target: "other", reason: "because" } }] }, "Two plums.");
  const told = [];
  const { structuredContent } = await client.callTool({ name: "ask", arguments: { message: "switch" } }, undefined, { onprogress: progress => told.push(progress) });
  assert.equal(structuredContent.content, "Two plums.");
  assert.deepEqual(told, [{ progress: 1, message: `Calling ${tool}` }]);
});

test("several calls at once", async () => {
  const { client } = await connect(`/mcp/agents/${agent}`);
  const answers = await Promise.all([1, 2, 3, 4].map(n => client.callTool({ name: "ask", arguments: { message: `/echo ${n}` } })));
  assert.deepEqual(answers.map(answer => answer.structuredContent.content), ["1", "2", "3", "4"]);
});

test("failures of tools are results, failures of the protocol are errors", async () => {
  const { client } = await connect();
  const failed = await client.callTool({ name: "ask_agent", arguments: { agentId: agent } });
  assert.equal(failed.isError, true);
  assert.equal(JSON.parse(failed.content[0].text).error, "VALIDATION_ERROR");
  await assert.rejects(client.callTool({ name: "no_such_tool" }), fault => fault instanceof McpError && fault.code === ErrorCode.InvalidParams);
  await assert.rejects(client.listResources(), fault => fault instanceof McpError || /resources/.test(fault.message));
});

test("a call that is aborted is cancelled at the server", async () => {
  const { client } = await connect(`/mcp/agents/${agent}`);
  const abort = new AbortController();
  const asking = client.callTool({ name: "ask", arguments: { message: "/think 60000" } }, undefined, { signal: abort.signal });
  const asked = async () => (await server.call("GET", `/api/threads?agentId=${agent}`)).threads.find(thread => thread.active_turn_id);
  let thread;
  while (!(thread = await asked()));
  abort.abort("changed my mind");
  await assert.rejects(asking);
  while (await asked());
  const { messages } = await server.call("GET", `/api/threads/${thread.id}/messages`);
  assert.equal(messages.at(-1).content, "/think 60000");
});

test("a session that was ended is gone", async () => {
  const { client, transport } = await connect();
  await transport.terminateSession();
  await assert.rejects(client.ping());
});

test("a stranger is refused", async () => {
  await assert.rejects(connect("/mcp", "fj_live_" + "0".repeat(64)), /401|Unauthorized/i);
});
