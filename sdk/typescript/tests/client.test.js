// The client against a running server: what its methods do when all goes well.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { FlapjackClient, FlapjackError } from "../dist/index.js";
import { API_KEY, startServer } from "../../../tests/clients/server.js";

const weather = { name: "get_weather", description: "Current weather", parameters: { type: "object", properties: { city: { type: "string" } } } };
let server, client, agent;

before(async () => {
  server = await startServer();
  client = new FlapjackClient({ baseUrl: server.url, apiKey: API_KEY, retryDelayMs: 20 });
  agent = await client.createAgent({ name: "Ada", defaultModel: "flapjack-offline" });
});
after(() => server?.stop());

const thread = async () => (await client.createThread({ agentId: agent.id })).id;
async function all(events) {
  const seen = [];
  for await (const event of events) seen.push(event);
  return seen;
}
const textOf = events => events.filter(event => event.type === "token").map(event => event.data.delta).join("");
async function refusal(call) {
  const fault = await call.then(() => assert.fail("it was not refused"), fault => fault);
  assert.ok(fault instanceof FlapjackError, String(fault));
  return fault;
}

test("agents are made, changed, listed and removed", async () => {
  const made = await client.createAgent({ name: "Grace", description: "Compiles" });
  assert.equal((await client.updateAgent(made.id, { description: null })).description, null);
  assert.ok((await client.listAgents({ q: "Grace" })).some(found => found.id === made.id));
  assert.equal((await client.updateAgentMultiplayer(made.id, { enabled: true })).enabled, true);
  assert.equal((await client.getAgentMultiplayer(made.id)).enabled, true);
  assert.deepEqual(await client.deleteAgent(made.id), { ok: true });
  assert.equal((await refusal(client.getAgent(made.id))).code, "NOT_FOUND");
});

test("a message is answered as events, and stored", async () => {
  const id = await thread();
  const events = await all(client.sendMessage(id, { content: "/count 5", senderName: "Bo" }));
  assert.equal(events[0].type, "meta");
  assert.equal(textOf(events), "1 2 3 4 5");
  assert.equal(events.at(-1).type, "done");
  assert.equal(events.at(-1).data.content, "1 2 3 4 5");
  const { messages, total } = await client.listMessages(id);
  assert.equal(total, 2);
  assert.equal(messages[0].sender_name, "Bo");
  assert.deepEqual((await client.listMessageSources(id, messages[1].id)).sources, []);
});

test("tools of the client are run, their faults are told, and the turn goes on", async () => {
  const id = await thread();
  const calls = [];
  const events = await all(client.sendMessage(id, {
    content: '/tool get_weather {"city":"Oslo"}\n/tool get_weather {"city":"Nowhere"}', tools: [weather],
    onToolCall: ({ name, input }) => {
      calls.push([name, input.city]);
      if (input.city === "Nowhere") throw new Error("no such city");
      return { celsius: 4 };
    },
  }));
  assert.deepEqual(calls.sort(), [["get_weather", "Nowhere"], ["get_weather", "Oslo"]]);
  assert.deepEqual(events.filter(event => ["meta", "requires_action", "done"].includes(event.type)).map(event => event.type), ["meta", "requires_action", "meta", "done"]);
  const results = (await client.listMessages(id, { include: "tools" })).messages.filter(message => message.role === "tool");
  assert.deepEqual(results.map(result => result.is_error).sort(), [false, true]);
  assert.match(results.map(result => result.content).join(), /celsius.*no such city|no such city.*celsius/s);
});

test("without a handler the results can be brought by hand", async () => {
  const id = await thread();
  const asked = (await all(client.sendMessage(id, { content: "/tool get_weather", tools: [weather] }))).at(-1);
  assert.equal(asked.type, "requires_action");
  const answered = await all(client.sendMessage(id, { toolResults: [{ toolCallId: asked.data.toolCalls[0].id, result: "4 °C" }] }));
  assert.equal(answered.at(-1).type, "done");
});

test("an answer with a schema has its value", async () => {
  const events = await all(client.sendMessage(await thread(), { content: '/json {"n":4}', responseFormat: { type: "json" } }));
  assert.deepEqual(events.at(-1).data.output, { n: 4 });
});

test("leaving the loop stops the turn, and so does the signal", async () => {
  const id = await thread();
  for await (const event of client.sendMessage(id, { content: "/count 10000 20" })) if (event.type === "token") break;
  assert.equal((await client.getThread(id)).active_turn_id, null);
  const left = new AbortController();
  await assert.rejects(async () => {
    for await (const event of client.sendMessage(id, { content: "/count 10000 20", signal: left.signal })) if (event.type === "token") left.abort();
  }, { name: "AbortError" });
  assert.equal((await client.getThread(id)).active_turn_id, null);
  const { messages } = await client.listMessages(id);
  assert.deepEqual(messages.filter(message => message.role === "assistant").map(message => message.stopped), [true, true]);
});

test("a turn can be attached to and stopped from elsewhere", async () => {
  const id = await thread();
  assert.deepEqual(await all(client.attachStream(id)), []);
  let second;
  const first = [];
  for await (const event of client.sendMessage(id, { content: "/count 10000 20" })) {
    first.push(event);
    if (event.type !== "token" || second) continue;
    second = all(client.attachStream(id));
    await client.stopThread(id);
  }
  assert.equal(first.at(-1).data.stopped, true);
  const replayed = await all(client.attachStream(id, { lastEventId: first[0].id }));
  assert.deepEqual(replayed, first.slice(1));
  const attached = await second;
  assert.ok(attached.length === 0 || textOf(attached) === textOf(first));
});

test("a failed turn ends with an error event", async () => {
  const events = await all(client.sendMessage(await thread(), { content: "/fail 400" }));
  assert.equal(events.at(-1).type, "error");
  assert.equal(events.at(-1).data.code, "MODEL_ERROR");
});

test("files are uploaded, sent, read and forked along", async () => {
  const file = await client.uploadFile(new Blob(["four"], { type: "text/plain" }), { name: "note.txt" });
  assert.equal(file.name, "note.txt");
  assert.equal(await (await client.getFileContent(file.id)).text(), "four");
  const id = await thread();
  await all(client.sendMessage(id, { content: "/echo hi", attachments: [{ type: "file", fileId: file.id }] }));
  const fork = await client.forkThread(id, { title: "Other way" });
  assert.equal((await client.listMessages(fork.id)).messages[0].attachments[0].name, "note.txt");
  assert.equal((await refusal(client.deleteFile(file.id))).code, "CONFLICT");
  assert.ok((await client.listThreads({ agentId: agent.id })).threads.some(found => found.id === fork.id));
  await client.updateThread(fork.id, { status: "archived" });
  await client.deleteThread(fork.id);
});

test("participants, models, providers, logs and the version", async () => {
  const room = await client.createThread({ agentId: agent.id, kind: "multiplayer" });
  await client.addParticipant(room.id, { userId: "bo", displayName: "Bo" });
  assert.deepEqual((await client.listParticipants(room.id)).map(found => found.user_id), ["bo"]);
  await client.removeParticipant(room.id, "bo");
  assert.ok((await client.listModels({ available: true })).some(model => model.id === "flapjack-offline"));
  await client.putProvider("mine", { kind: "openai_compatible", baseUrl: "https://models.example.com/v1", models: [{ id: "small" }] });
  assert.ok((await client.listProviders()).some(found => found.provider === "mine"));
  await client.deleteProvider("mine");
  const id = await thread();
  await all(client.sendMessage(id, { content: "/echo hi" }));
  const { traces } = await client.listTraces({ threadId: id });
  assert.equal((await client.getTrace(traces[0].id)).trace.thread_id, id);
  const evaluation = await client.createEvaluation(traces[0].id, { name: "good", score: 1 });
  await client.deleteEvaluation(traces[0].id, evaluation.id);
  assert.ok((await client.version()).version);
  assert.equal((await client.getMe()).kind, "key");
  assert.equal((await client.listOrgs()).length, 1);
});

test("a refusal says code, detail, fields and request id", async () => {
  const fault = await refusal(client.createAgent({ name: "", temperature: 7 }));
  assert.equal(fault.code, "VALIDATION_ERROR");
  assert.equal(fault.status, 422);
  assert.deepEqual([...new Set(fault.fields.map(found => found.field))].sort(), ["name", "temperature"]);
  assert.ok(fault.requestId);
  const stranger = new FlapjackClient({ baseUrl: server.url, apiKey: async () => "fj_live_" + "0".repeat(64) });
  assert.equal((await refusal(stranger.listAgents())).code, "UNAUTHORIZED");
});
