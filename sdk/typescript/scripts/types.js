// Writes src/types.ts from the server's API description: `npm run types`, or with --check only says whether it is up to date.
import { readFileSync, writeFileSync } from "node:fs";

const at = path => new URL(path, import.meta.url);
const api = JSON.parse(readFileSync(at("../../../openapi/v1.json"), "utf8"));
const schemas = api.components.schemas;
const served = Object.entries(api.paths).filter(([path]) => path.startsWith("/api/") || path === "/healthz" || path === "/readyz");
const names = new Set();

// What the served paths reach; the rest belongs to /v1, which has clients of its own.
function reach(value) {
  if (!value || typeof value !== "object") return;
  const name = typeof value.$ref === "string" && value.$ref.startsWith("#/components/schemas/") ? value.$ref.split("/").pop() : null;
  if (name && name !== "Error" && !names.has(name)) {
    names.add(name);
    reach(schemas[name]);
  }
  for (const inner of Object.values(value)) reach(inner);
}
served.forEach(([, item]) => reach(item));
["AgentResponse", "SpanResponse"].forEach(name => reach({ $ref: `#/components/schemas/${name}` }));

const title = name => name === "FileResponse" ? "FileInfo" : name.replace(/^SpanResponse(?=.)/, "").replace(/^SpanResponse$/, "Span").replace(/Response$/, "");
const doc = (text, indent = "") => (text ? `${indent}/** ${text.replaceAll("*/", "* /")} */\n` : "");
const alwaysThere = /^(created|updated|started|rotated)_at$/;

function typeOf(schema, name, isRequest) {
  if (schema.$ref) return title(schema.$ref.split("/").pop());
  if (schema.oneOf) return schema.oneOf.map(option => (option.type === "null" ? "null" : typeOf(option, name, isRequest))).sort().reverse().join(" | ");
  const kinds = [schema.type ?? []].flat();
  const known = kinds.filter(kind => kind !== "null");
  const orNull = kinds.includes("null") || (isRequest && known.length > 0) ? " | null" : "";
  if (known.length === 0) return schema.format === "date-time" ? (alwaysThere.test(name) ? "string" : "string | null") : /JSON object/.test(schema.description ?? "") ? "Record<string, unknown>" : "unknown";
  return known.map(kind => one(kind, schema, isRequest)).join(" | ") + orNull;
}

function one(kind, schema, isRequest) {
  if (kind === "integer") return "number";
  if (kind === "array") return schema.items ? `Array<${typeOf(schema.items, "", false)}>` : "unknown[]";
  if (kind !== "object") return kind;
  if (schema.properties) return `{ ${fields(schema, isRequest).map(([key, type]) => `${key}: ${type}`).join("; ")} }`;
  return `Record<string, ${schema.additionalProperties ? typeOf(schema.additionalProperties, "", false) : "unknown"}>`;
}

function fields(schema, isRequest) {
  const required = new Set(schema.required ?? []);
  return Object.entries(schema.properties ?? {}).map(([key, value]) => [required.has(key) ? key : `${key}?`, typeOf(value, key, isRequest), value.description]);
}

function declare(name) {
  const schema = schemas[name];
  const short = title(name);
  // A kind of span is told by what it has; the common fields are those of every span.
  if (schema.anyOf) return `${doc(schema.description)}export type ${short} = ModelSpan | PlainSpan;\n`;
  const own = name === "SpanResponseSpanResponse" ? "PlainSpan" : short;
  const isRequest = /Request$|Patch$|Deletion$/.test(name);
  return `${doc(schema.description)}export interface ${own} {\n${fields(schema, isRequest).map(([key, type, text]) => `${doc(text, "  ")}  ${key}: ${type};\n`).join("")}}\n`;
}

const text = `// Made from openapi/v1.json by scripts/types.js; not to be edited.\n\n${[...names].filter(name => name !== "FileUploadRequest").sort().map(declare).join("\n")}`;
const target = at("../src/types.ts");
if (!process.argv.includes("--check")) writeFileSync(target, text);
else if (readFileSync(target, "utf8") !== text) {
  console.error("src/types.ts does not match openapi/v1.json: run npm run types");
  process.exit(1);
}
