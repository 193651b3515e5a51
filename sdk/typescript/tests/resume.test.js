// Broken connections and dead servers: what the client makes of them.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { FlapjackClient } from "../dist/index.js";
import { API_KEY, startServer } from "../../../tests/clients/server.js";
import { numbers, startRelay } from "./relay.js";

const tool = { name: "look", description: "Looks", parameters: { type: "object" } };
const counted = n => Array.from({ length: n }, (_, index) => index + 1).join(" ");
let server, relay, client, agentId;

before(async () => {
  server = await startServer();
  relay = await startRelay(server.url);
  client = new FlapjackClient({ baseUrl: relay.url, apiKey: API_KEY, retryDelayMs: 20, maxRetries: 12 });
  agentId = (await client.createAgent({ name: "Ada", defaultModel: "flapjack-offline" })).id;
});
after(async () => {
  relay?.stop();
  await server?.stop();
});

/** What a user interface would show, held against `done` at the end. */
async function follow(events, onEvent = () => {}) {
  const seen = [];
  let text = "";
  for await (const event of events) {
    seen.push(event);
    if (event.type === "token") text += event.data.delta;
    if (event.type === "restart") text = event.data.content;
    await onEvent(event);
  }
  return { seen, text, last: seen.at(-1) };
}

async function newThread() {
  const { id } = await client.createThread({ agentId });
  // The next request opens a connection of its own.
  relay.cutAll();
  return id;
}

function assertWhole(seen) {
  assert.equal(seen.filter(event => event.type === "restart").length, 0);
  assert.deepEqual(seen.map(event => Number(event.id.split(":")[1])), seen.map((_, index) => index + 1), "every event once, in order");
}

test("a stream that is cut at any byte misses nothing and repeats nothing", async () => {
  const random = numbers(7);
  for (let round = 0; round < 12; round++) {
    const threadId = await newThread();
    relay.plan(Array.from({ length: 6 }, () => random(1, 3_000)));
    const { seen, text, last } = await follow(client.sendMessage(threadId, { content: "/count 120 2" }));
    assert.ok(relay.cut > 0, "the connection was cut");
    relay.plan([]);
    assertWhole(seen);
    assert.equal(last.type, "done");
    assert.equal(text, counted(120));
    assert.equal((await client.listMessages(threadId)).total, 2, "the message is there once");
  }
});

test("tools are run once although every stream is cut", async () => {
  const threadId = await newThread();
  const random = numbers(11);
  relay.plan(Array.from({ length: 8 }, () => random(1, 900)));
  let runs = 0;
  const { seen, last } = await follow(client.sendMessage(threadId, { content: "/tool look {}", tools: [tool], onToolCall: () => (relay.cutAll(), `seen ${++runs}`) }));
  assert.ok(relay.cut > 0, "the connection was cut");
  relay.plan([]);
  assert.equal(last.type, "done");
  assert.equal(runs, 1);
  assertWhole(seen);
});

test("a client that attached goes on after a cut", async () => {
  const threadId = await newThread();
  const sent = follow(client.sendMessage(threadId, { content: "/count 150 15" }), async event => {
    if (event.type === "meta") attached = follow(client.attachStream(threadId), seen => seen.id.endsWith(":40") && relay.cutAll());
  });
  let attached;
  const { text } = await sent;
  assert.equal(text, counted(150));
  const other = await attached;
  assertWhole(other.seen);
  assert.equal(other.text, counted(150));
});

test("a server that is killed and started again goes on with the turn, after a restart event", async () => {
  const own = await startServer({ "Turns:CheckpointSeconds": "1" });
  relay.retarget(own.url);
  const agent = await client.createAgent({ name: "Ada", defaultModel: "flapjack-offline" });
  const { id } = await client.createThread({ agentId: agent.id });
  let next;
  try {
    const { seen, text, last } = await follow(client.sendMessage(id, { content: "/count 400 5" }), async event => {
      if (next || !event.data.delta?.includes("30")) return;
      await own.kill();
      next = await startServer({ DataDirectory: own.directory });
      relay.retarget(next.url);
    });
    assert.equal(seen.filter(event => event.type === "restart").length, 1);
    assert.equal(last.type, "done");
    assert.equal(text, counted(400));
    assert.equal(last.data.content, text);
    assert.equal((await client.listMessages(id)).total, 2);
  } finally {
    relay.retarget(server.url);
    await next?.stop();
    await own.kill();
  }
});

test("text before a tool stays when the server is replaced behind it", async () => {
  const own = await startServer();
  relay.retarget(own.url);
  const agent = await client.createAgent({ name: "Ada", defaultModel: "flapjack-offline" });
  const { id } = await client.createThread({ agentId: agent.id });
  let next;
  try {
    const { seen, text, last } = await follow(client.sendMessage(id, { content: "/echo first\n/tool look {}", tools: [tool], onToolCall: () => "seen" }), async event => {
      // Behind the tool: the second stream has begun.
      if (next || event.type !== "meta" || event.id.endsWith(":1")) return;
      await own.kill("SIGTERM");
      next = await startServer({ DataDirectory: own.directory });
      relay.retarget(next.url);
    });
    assert.equal(last.type, "done");
    assert.equal(text, last.data.content);
    assert.ok(seen.filter(event => event.type === "restart").length <= 1);
  } finally {
    relay.retarget(server.url);
    await next?.stop();
    await own.kill();
  }
});

test("nobody there: it gives up after maxRetries", async () => {
  relay.retarget("http://127.0.0.1:1");
  try {
    const hasty = new FlapjackClient({ baseUrl: relay.url, apiKey: API_KEY, retryDelayMs: 1, maxRetries: 2 });
    await assert.rejects(hasty.listAgents(), { code: "CONNECTION_FAILED" });
    await assert.rejects(follow(hasty.sendMessage(crypto.randomUUID(), { content: "hi" })), { code: "CONNECTION_FAILED" });
  } finally {
    relay.retarget(server.url);
  }
});

test("a stream that falls silent is given up and resumed", async () => {
  const threadId = await newThread();
  const impatient = new FlapjackClient({ baseUrl: relay.url, apiKey: API_KEY, retryDelayMs: 20, idleTimeoutMs: 300 });
  const { seen, text } = await follow(impatient.sendMessage(threadId, { content: "/think 1500\n/echo late" }));
  assertWhole(seen);
  assert.equal(text, "late");
});
