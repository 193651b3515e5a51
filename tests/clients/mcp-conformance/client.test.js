// The public conformance suite's servers, used by a running Flapjack with its own MCP client: every scenario for clients runs or is skipped with its reason.
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { startServer } from "../server.js";
import { assertPassed, conformance, nameOthers } from "./suite/program.js";

const runs = [
  "tools_call",
  "auth/metadata-default", "auth/metadata-var1", "auth/metadata-var2", "auth/metadata-var3",
  "auth/scope-from-www-authenticate", "auth/scope-from-scopes-supported", "auth/scope-omitted-when-undefined", "auth/scope-step-up", "auth/scope-retry-limit",
  "auth/token-endpoint-auth-basic", "auth/token-endpoint-auth-post", "auth/token-endpoint-auth-none",
  "auth/pre-registration", "auth/resource-mismatch", "auth/offline-access-scope", "auth/offline-access-not-supported",
];

const anything = "the suite's server answers methods it does not know with success, the client library's question which version it speaks (server/discover) too, where servers answer with an error";
const grant = "only people authorise servers here; there is no grant for clients alone";
const skipped = {
  "initialize": anything,
  "sse-retry": anything,
  "elicitation-sep1034-client-defaults": "forms are declined: nobody is there to fill them in",
  "auth/basic-cimd": "the client registers itself (RFC 7591); it has no metadata document as its id",
  "auth/2025-03-26-oauth-metadata-backcompat": "the description names another issuer than the address it is at, which RFC 8414 forbids to use",
  "auth/2025-03-26-oauth-endpoint-fallback": "nothing is published; a user gives authorizeUrl and tokenUrl",
  "auth/client-credentials-jwt": grant,
  "auth/client-credentials-basic": grant,
  "auth/cross-app-access-complete-flow": grant,
};

const owner = { email: "owner@example.com", password: "correct horse battery" };
const command = `${process.execPath} ${fileURLToPath(new URL("./suite/client.js", import.meta.url))}`;
let server, token;

before(async () => {
  server = await startServer({ "Network:AllowedHosts:0": "loopback", "Network:AllowedHosts:1": "localhost", "Bootstrap:Email": owner.email, "Bootstrap:Password": owner.password });
  token = (await server.call("POST", "/api/auth/login", owner)).access_token;
});

after(() => server?.stop());

for (const scenario of runs) {
  test(scenario, async () => assertPassed(await conformance(["client", "--command", command, "--scenario", scenario], { FLAPJACK_URL: server.url, FLAPJACK_TOKEN: token })));
}

nameOthers("client", runs, skipped);
