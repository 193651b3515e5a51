// The public openai client against a running server: what its users do must work unchanged.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import OpenAI from "openai";
import { API_KEY, startServer } from "../server.js";
import { startUpstream } from "./upstream.js";

const tools = [{ type: "function", function: { name: "pick", description: "Picks a fruit.", parameters: { type: "object", properties: { n: { type: "integer" } } } } }];
const user = content => ({ role: "user", content });
let server, upstream, client, offline, scripted;

before(async () => {
  upstream = await startUpstream();
  server = await startServer({
    "Providers:fake:Kind": "openai_compatible", "Providers:fake:BaseUrl": upstream.url, "Providers:fake:ApiKey": "sk-fake",
    "Providers:fake:Models:0:Id": "scripted", "OpenAiCompat:AllowRawModels": "true",
  });
  client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: API_KEY, maxRetries: 0 });
  offline = await agent("flapjack-offline");
  scripted = await agent("fake/scripted");
});

after(async () => {
  await server?.stop();
  await upstream?.stop();
});

async function agent(defaultModel) {
  return "agent:" + (await server.call("POST", "/api/agents", { name: "Ada", defaultModel, stablePreamble: "You are Ada." })).id;
}

test("models.list finds the agents", async () => {
  const ids = [];
  for await (const model of client.models.list()) ids.push(model.id);
  assert.ok(ids.includes(offline) && ids.includes("gpt-5.4"), ids.join(", "));
});

test("a chat completion in one piece, with its thread in a header", async () => {
  const { data, response } = await client.chat.completions.create({ model: offline, messages: [user("/echo hello there")] }).withResponse();
  assert.equal(data.choices[0].message.content, "hello there");
  assert.equal(data.choices[0].finish_reason, "stop");
  assert.equal(data.usage.total_tokens, data.usage.prompt_tokens + data.usage.completion_tokens);
  const thread = response.headers.get("x-flapjack-thread");
  const next = await client.chat.completions.create({ model: offline, messages: [user("/history")] }, { headers: { "X-Flapjack-Thread": thread } });
  assert.match(next.choices[0].message.content, /^messages: 3/);
});

test("a chat completion as a stream", async () => {
  const stream = await client.chat.completions.create({ model: offline, messages: [user("/count 5")], stream: true, stream_options: { include_usage: true } });
  let text = "", usage;
  for await (const chunk of stream) {
    text += chunk.choices[0]?.delta?.content ?? "";
    usage = chunk.usage ?? usage;
  }
  assert.equal(text, "1 2 3 4 5");
  assert.equal(usage.completion_tokens, 5);
});

test("the chat stream helper", async () => {
  const seen = [];
  const stream = client.chat.completions.stream({ model: offline, messages: [user("/count 3")] }).on("content", delta => seen.push(delta));
  const completion = await stream.finalChatCompletion();
  assert.deepEqual(seen, ["1", " 2", " 3"]);
  assert.equal(completion.choices[0].message.content, "1 2 3");
});

test("runTools calls a local function and sends its result back with the whole history", async () => {
  upstream.script.push({ calls: [{ id: "c1", name: "pick", arguments: { n: 2 } }, { id: "c2", name: "pick", arguments: { n: 3 } }] }, "Two plums.");
  const picked = [];
  const runner = client.chat.completions.runTools({
    model: scripted, messages: [{ role: "system", content: "Be brief." }, user("pick")],
    tools: [{ type: "function", function: { ...tools[0].function, parse: JSON.parse, function: ({ n }) => (picked.push(n), `${n} plums`) } }],
  });
  assert.equal(await runner.finalContent(), "Two plums.");
  assert.deepEqual(picked, [2, 3]);
  const sent = upstream.requests.at(-1).messages;
  assert.deepEqual(sent.map(m => m.role), ["system", "user", "assistant", "tool", "tool"]);
  assert.equal(sent[0].content, "You are Ada.\n\nBe brief.");
  assert.deepEqual(sent.slice(3).map(m => m.content), ["2 plums", "3 plums"]);
});

test("streamed tool calls, answered in the thread", async () => {
  const stream = client.chat.completions.stream({ model: offline, tools, messages: [user('/tool pick {"n":1}')] });
  const asked = await stream.finalChatCompletion();
  assert.equal(asked.choices[0].finish_reason, "tool_calls");
  const call = asked.choices[0].message.tool_calls[0];
  const answered = await client.chat.completions.create({
    model: offline, tools, messages: [user('/tool pick {"n":1}'), asked.choices[0].message, { role: "tool", tool_call_id: call.id, content: "a plum" }],
  });
  assert.equal(answered.choices[0].message.content, "pick returned: a plum");
});

test("settings of a request reach the provider", async () => {
  await client.chat.completions.create({ model: scripted, temperature: 0.5, max_completion_tokens: 9, stop: ["END"], messages: [user("hi")] });
  const sent = upstream.requests.at(-1);
  assert.deepEqual([sent.temperature, sent.max_tokens, sent.stop], [0.5, 9, ["END"]]);
});

const schema = { type: "object", properties: { city: { type: "string" } }, required: ["city"], additionalProperties: false };

test("parse gives the value of an answer in JSON, of a chat and of a response", async () => {
  upstream.script.push("Oslo, I think", '{"city": "Oslo"}');
  const completion = await client.chat.completions.parse({ model: scripted, messages: [user("go")], response_format: { type: "json_schema", json_schema: { name: "town", schema, strict: true } } });
  assert.deepEqual(completion.choices[0].message.parsed, { city: "Oslo" });
  assert.equal(upstream.requests.at(-1).response_format.json_schema.name, "town");
  const format = { type: "json_schema", name: "town", schema, strict: true };
  const response = await client.responses.parse({ model: offline, input: '/json {"city":"Bergen"}', text: { format } });
  assert.deepEqual(response.output_parsed, { city: "Bergen" });
  assert.deepEqual(response.text.format, format);
});

test("files and images of a message", async () => {
  const file_data = "data:text/plain;base64," + Buffer.from("The deadline is in May.").toString("base64");
  const messages = [{ role: "user", content: [{ type: "text", text: "When is the deadline?" }, { type: "file", file: { filename: "notes.txt", file_data } }] }];
  assert.match((await client.chat.completions.create({ model: offline, messages })).choices[0].message.content, /in May/);
  const input = [{ role: "user", content: [{ type: "input_text", text: "When is the deadline?" }, { type: "input_file", filename: "notes.txt", file_data }] }];
  assert.match((await client.responses.create({ model: offline, input })).output_text, /in May/);
  const image = { role: "user", content: [{ type: "image_url", image_url: { url: "data:image/png;base64,iVBORw0KGgo=" } }] };
  await assert.rejects(client.chat.completions.create({ model: offline, messages: [image] }), fault => fault instanceof OpenAI.UnprocessableEntityError && fault.param === "messages[0].content[0]");
});

test("failures are the client's own error classes", async () => {
  const create = (model, text, options) => client.chat.completions.create({ model, messages: [user(text)], stream: true }, options);
  await assert.rejects(create("gpt-nothing", "hi"), fault => fault instanceof OpenAI.NotFoundError && fault.code === "model_not_found" && fault.param === "model");
  await assert.rejects(create(offline, "/fail 401"), fault => fault instanceof OpenAI.InternalServerError && fault.status === 502 && fault.code === "MODEL_AUTH_FAILED");
  await assert.rejects(client.chat.completions.create({ model: offline, messages: [user("hi")], n: 2 }), fault => fault instanceof OpenAI.UnprocessableEntityError && fault.param === "n");
  await assert.rejects(new OpenAI({ baseURL: `${server.url}/v1`, apiKey: "fj_live_wrong", maxRetries: 0 }).models.list(), fault => fault instanceof OpenAI.AuthenticationError && fault.requestID.length > 0);
  await assert.rejects(client.embeddings.create({ model: offline, input: "x" }), fault => fault instanceof OpenAI.NotFoundError);
});

test("leaving a stream stops the turn", async () => {
  const { data: stream, response } = await client.chat.completions.create({ model: offline, messages: [user("/count 100000 50")], stream: true }).withResponse();
  for await (const chunk of stream) if (chunk.choices[0]?.delta?.content) break;
  const thread = response.headers.get("x-flapjack-thread");
  for (let left = 200; (await server.call("GET", `/api/threads/${thread}`)).active_turn_id !== null; left--) {
    assert.ok(left > 0, "the turn still runs");
    await new Promise(resolve => setTimeout(resolve, 100));
  }
});

test("a response, and the next one after it", async () => {
  const first = await client.responses.create({ model: offline, input: "/echo hello", instructions: "Be kind." });
  assert.equal(first.output_text, "hello");
  assert.equal(first.status, "completed");
  const second = await client.responses.create({ model: offline, input: "/history", previous_response_id: first.id });
  assert.match(second.output_text, /^messages: 3/);
});

test("the response stream helper puts events together", async () => {
  const seen = [];
  const stream = client.responses.stream({ model: offline, input: "/count 3" }).on("response.output_text.delta", event => seen.push(event.delta));
  const response = await stream.finalResponse();
  assert.deepEqual(seen, ["1", " 2", " 3"]);
  assert.equal(response.output_text, "1 2 3");
  assert.equal(response.usage.output_tokens, 3);
});

test("a function of a response, with its output sent to the thread or with the whole history", async () => {
  const functions = [{ type: "function", ...tools[0].function, strict: false }];
  const stream = client.responses.stream({ model: offline, tools: functions, input: '/tool pick {"n":1}' });
  const asked = await stream.finalResponse();
  const call = asked.output.find(item => item.type === "function_call");
  assert.equal(call.arguments, '{"n":1}');
  const output = { type: "function_call_output", call_id: call.call_id, output: "a plum" };
  const inThread = await client.responses.create({ model: offline, tools: functions, previous_response_id: asked.id, input: [output] });
  assert.equal(inThread.output_text, "pick returned: a plum");
  const alone = await client.responses.create({ model: offline, tools: functions, store: false, input: [user('/tool pick {"n":1}'), ...asked.output, output] });
  assert.equal(alone.output_text, "pick returned: a plum");
});

test("hosted tools are refused", async () => {
  await assert.rejects(client.responses.create({ model: offline, input: "hi", tools: [{ type: "web_search" }] }), fault => fault instanceof OpenAI.BadRequestError && fault.param === "tools[0].type");
});

test("a model itself, where the server allows it", async () => {
  const answer = await client.chat.completions.create({ model: "flapjack-offline", messages: [user("/echo raw")] });
  assert.equal(answer.choices[0].message.content, "raw");
});
