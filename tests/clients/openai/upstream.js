// A model provider that speaks Chat Completions, for what the built-in model cannot show: what a provider is sent.
import { createServer } from "node:http";

/** Answers each request with the next of `script`: a text, or { calls } of tools. */
export async function startUpstream() {
  const upstream = { requests: [], script: [] };
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const piece of request) body += piece;
    upstream.requests.push(JSON.parse(body));
    const answer = upstream.script.shift() ?? "ok";
    response.writeHead(200, { "Content-Type": "text/event-stream" });
    const send = data => response.write(`data: ${JSON.stringify(data)}\n\n`);
    const chunk = (delta, finish_reason = null) => send({ id: "1", object: "chat.completion.chunk", choices: [{ index: 0, delta, finish_reason }] });
    if (typeof answer === "string") for (const word of answer.split(/(?= )/)) chunk({ content: word });
    else chunk({ tool_calls: answer.calls.map((call, index) => ({ index, id: call.id, type: "function", function: { name: call.name, arguments: JSON.stringify(call.arguments) } })) });
    chunk({}, typeof answer === "string" ? "stop" : "tool_calls");
    send({ id: "1", object: "chat.completion.chunk", choices: [], usage: { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 } });
    response.end("data: [DONE]\n\n");
  });
  await new Promise(resolve => server.listen(0, "127.0.0.1", resolve));
  upstream.url = `http://127.0.0.1:${server.address().port}/v1`;
  upstream.stop = () => new Promise(resolve => (server.closeAllConnections(), server.close(resolve)));
  return upstream;
}
