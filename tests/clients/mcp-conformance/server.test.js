// The public conformance suite of the Model Context Protocol against a running server: every scenario for servers runs or is skipped with its reason.
import { after, before, test } from "node:test";
import { API_KEY, startServer } from "../server.js";
import { openDoor } from "./suite/door.js";
import { assertPassed, conformance, nameOthers } from "./suite/program.js";

const runs = ["server-initialize", "ping", "tools-list", "server-sse-multiple-streams", "dns-rebinding-protection"];

const fixed = "it calls a tool of the suite's own reference server, and the tools here are those of docs/mcp-server.md";
const resources = "the server offers no resources and does not declare them";
const prompts = "the server offers no prompts and does not declare them";
const skipped = {
  "logging-set-level": "the server sends no log messages to clients and does not declare the capability",
  "completion-complete": "there are no prompts and resources whose arguments could be completed",
  "tools-call-simple-text": fixed,
  "tools-call-image": fixed,
  "tools-call-audio": fixed,
  "tools-call-embedded-resource": fixed,
  "tools-call-mixed-content": fixed,
  "tools-call-with-logging": fixed,
  "tools-call-error": fixed,
  "tools-call-with-progress": fixed,
  "json-schema-2020-12": fixed,
  "server-sse-polling": fixed,
  "tools-call-sampling": "the server asks no client for a model's answer: its agents have models of their own",
  "tools-call-elicitation": "the server asks its clients nothing",
  "elicitation-sep1034-defaults": "the server asks its clients nothing",
  "elicitation-sep1330-enums": "the server asks its clients nothing",
  "resources-list": resources,
  "resources-read-text": resources,
  "resources-read-binary": resources,
  "resources-templates-read": resources,
  "resources-subscribe": resources,
  "resources-unsubscribe": resources,
  "prompts-list": prompts,
  "prompts-get-simple": prompts,
  "prompts-get-with-args": prompts,
  "prompts-get-embedded-resource": prompts,
  "prompts-get-with-image": prompts,
};

let server, door;
const paths = { organisation: "/mcp" };

before(async () => {
  server = await startServer();
  const { id } = await server.call("POST", "/api/agents", { name: "Ada", description: "Counts", defaultModel: "flapjack-offline" });
  paths["one agent"] = `/mcp/agents/${id}`;
  door = await openDoor(server.url, API_KEY);
});

after(async () => {
  await door?.stop();
  await server?.stop();
});

for (const scenario of runs) {
  for (const whose of ["organisation", "one agent"]) {
    test(`${scenario}, ${whose}`, async () => assertPassed(await conformance(["server", "--url", door.url + paths[whose], "--scenario", scenario])));
  }
}

nameOthers("server", runs, skipped);
