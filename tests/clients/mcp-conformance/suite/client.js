// What the suite starts as the client to be tested: it has a running Flapjack connect to the server it is given, authorise itself there and use its tools.
const address = process.argv[2];
const { FLAPJACK_URL, FLAPJACK_TOKEN, MCP_CONFORMANCE_SCENARIO, MCP_CONFORMANCE_CONTEXT } = process.env;
const inputs = { add_numbers: { a: 5, b: 3 } };

const mcp = await call("POST", "/api/mcps", { name: MCP_CONFORMANCE_SCENARIO, transport: "streamable_http", url: address });
const tools = await connect();
const agent = await call("POST", "/api/agents", { name: "Ada", defaultModel: "flapjack-offline" });
await call("POST", `/api/agents/${agent.id}/mcps`, { mcpServerId: mcp.id });
const thread = await call("POST", "/api/threads", { agentId: agent.id });
for (const { name } of tools) await use(name);

async function connect() {
  let tested = await call("POST", `/api/mcps/${mcp.id}/test`);
  if (tested.error === "AUTH_REQUIRED") {
    await authorise();
    tested = await call("POST", `/api/mcps/${mcp.id}/test`);
  }
  if (!tested.ok) throw new Error(JSON.stringify(tested));
  return tested.tools;
}

/** What a person does in a browser: opens the address, which leads back to Flapjack. */
async function authorise() {
  const { client_id: clientId, client_secret: clientSecret } = JSON.parse(MCP_CONFORMANCE_CONTEXT ?? "{}");
  await consent((await call("POST", `/api/mcps/${mcp.id}/oauth/start`, { clientId, clientSecret })).authorizationUrl);
}

async function consent(address) {
  const page = await fetch(address);
  if (!page.ok) throw new Error(`the way back from ${address} ended with ${page.status}: ${await page.text()}`);
}

async function use(tool, mayAsk = true) {
  const answer = await call("POST", `/api/threads/${thread.id}/messages`, { content: `/tool ${mcp.slug}__${tool} ${JSON.stringify(inputs[tool] ?? {})}`, stream: false });
  const challenge = answer.events.find(({ event }) => event === "auth_challenge")?.data.challenge;
  if (challenge && mayAsk) {
    await consent(challenge.redirectUrl);
    return use(tool, false);
  }
  const told = answer.events.find(({ event }) => event === "tool_result")?.data;
  if (!told || told.is_error) throw new Error(JSON.stringify(answer.events));
}

async function call(method, path, body) {
  const response = await fetch(FLAPJACK_URL + path, { method, headers: { Authorization: `Bearer ${FLAPJACK_TOKEN}`, "Content-Type": "application/json" }, body: body && JSON.stringify(body) });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return JSON.parse(text);
}
