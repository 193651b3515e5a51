// Renders /openapi/v1.json. Text is only ever set as text, so nothing in the document can become markup.
'use strict';
const $ = id => document.getElementById(id);
const el = (tag, props = {}, ...children) => {
  const node = Object.assign(document.createElement(tag), props);
  node.append(...children.filter(c => c !== null && c !== undefined));
  return node;
};
let doc;
const Names = { a2a: 'A2A', mcp: 'MCP', openai: 'OpenAI' };
/** A line of text whose `words` in backticks are code. */
const prose = text => text.split('`').map((part, i) => i % 2 ? el('code', { textContent: part }) : part);
const resolve = part => part?.$ref ? part.$ref.slice(2).split('/').reduce((at, key) => at[key], doc) : part ?? {};

function typeOf(schema) {
  if (schema?.$ref) return schema.$ref.split('/').pop();
  const options = schema?.oneOf ?? schema?.anyOf;
  if (options) return options.map(typeOf).join(' | ');
  const types = [schema?.type ?? 'any'].flat();
  return types.map(t => t === 'array' ? `${typeOf(schema.items)}[]` : t).join(' | ') + (schema?.format ? ` (${schema.format})` : '');
}

function sample(schema, depth = 0) {
  schema = resolve(schema);
  if (depth > 4) return null;
  const types = [schema.type ?? 'any'].flat();
  if (schema.enum) return schema.enum[0];
  if (types.includes('object') || schema.properties) return Object.fromEntries(Object.entries(schema.properties ?? {}).map(([name, field]) => [name, sample(field, depth + 1)]));
  if (types.includes('array')) return [];
  if (types.includes('string')) return '';
  if (types.includes('integer') || types.includes('number')) return 0;
  if (types.includes('boolean')) return false;
  return null;
}

function fields(schema, seen = new Set()) {
  const plain = resolve(schema);
  const type = typeOf(schema);
  if (seen.has(type)) return null;
  const inside = new Set(seen).add(type);
  if ([plain.type].flat().includes('array')) return fields(plain.items, inside);
  if (!plain.properties) return null;
  const rows = Object.entries(plain.properties).flatMap(([name, field]) => {
    const below = fields((field.oneOf ?? []).find(o => o.$ref) ?? field, inside);
    const row = el('tr', {}, el('td', {}, el('code', { textContent: name })), el('td', { textContent: typeOf(field) }), el('td', { textContent: field.description ?? resolve(field).description ?? '' }));
    return below ? [row, el('tr', {}, el('td', { colSpan: 3 }, el('details', {}, el('summary', { textContent: `fields of ${name}` }), below)))] : [row];
  });
  return el('table', {}, el('tbody', {}, ...rows));
}

function contentOf(part) {
  const [type, media] = Object.entries(resolve(part).content ?? {})[0] ?? [];
  return type ? { type, schema: media.schema } : null;
}

function tryIt(method, path, operation) {
  const inputs = el('div', { className: 'inputs' });
  const values = {};
  for (const name of [...path.matchAll(/\{([^}]+)\}/g)].map(m => m[1])) {
    const input = el('input', { name });
    values[name] = input;
    inputs.append(el('label', {}, `${name} `, input));
  }
  const query = el('input', { name: 'query', placeholder: 'limit=10' });
  inputs.append(el('label', {}, 'query ', query));
  const body = contentOf(operation.requestBody);
  const text = body && el('textarea', { value: JSON.stringify(sample(body.schema), null, 2), ariaLabel: 'Request body' });
  const output = el('pre', { hidden: true });
  const button = el('button', { type: 'button', textContent: 'Send' });
  button.addEventListener('click', async () => {
    output.hidden = false;
    output.textContent = '…';
    const url = path.replace(/\{([^}]+)\}/g, (_, name) => encodeURIComponent(values[name].value)) + (query.value ? `?${query.value}` : '');
    const headers = {};
    if ($('key').value) headers.Authorization = `Bearer ${$('key').value.trim()}`;
    if (text) headers['Content-Type'] = 'application/json';
    try {
      const response = await fetch(url, { method: method.toUpperCase(), headers, body: text ? text.value : undefined });
      output.textContent = `${response.status} ${response.statusText}\n`;
      if (response.headers.get('content-type')?.startsWith('text/event-stream')) {
        const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
        for (let part = await reader.read(); !part.done; part = await reader.read()) output.textContent += part.value;
        return;
      }
      const answer = await response.text();
      try { output.textContent += JSON.stringify(JSON.parse(answer), null, 2); } catch { output.textContent += answer; }
    } catch (error) {
      output.textContent = String(error);
    }
  });
  return el('details', {}, el('summary', { textContent: 'Try it' }), inputs, text, button, output);
}

function show(method, path, operation) {
  const parts = [];
  if (operation.description) parts.push(el('p', {}, ...prose(operation.description)));
  const callers = operation['x-callers'] ?? 'everybody';
  const needs = [operation['x-scope'] && `scope ${operation['x-scope']}`, operation['x-role'] && `role ${operation['x-role']}`].filter(Boolean).join(', ');
  parts.push(el('p', { textContent: `For ${callers}${needs ? `; needs ${needs}` : ''}.` }));
  const body = contentOf(operation.requestBody);
  if (body) parts.push(el('h4', { textContent: `Request: ${typeOf(body.schema)}` }), fields(body.schema));
  for (const [status, part] of Object.entries(operation.responses ?? {})) {
    const answer = contentOf(part);
    if (status >= 400) continue;
    parts.push(el('h4', { textContent: `${status}: ${answer ? typeOf(answer.schema) : resolve(part).description}` }), answer && fields(answer.schema));
  }
  const failures = Object.entries(operation.responses ?? {}).filter(([status]) => status >= 400).map(([status, part]) => `${status} ${resolve(part).description}`);
  if (failures.length) parts.push(el('details', {}, el('summary', { textContent: 'Failures' }), el('pre', { textContent: failures.join('\n') })));
  parts.push(tryIt(method, path, operation));
  const node = el('details', { className: 'operation', id: operation.operationId ?? '' },
    el('summary', {}, el('span', { className: 'method', textContent: method.toUpperCase() }), el('span', { className: 'path', textContent: path }),
      el('span', { className: 'mark', textContent: operation['x-origin'] ?? '' }), el('span', { className: 'what' }, ...prose(operation.summary ?? ''))),
    el('div', {}, ...parts));
  node.dataset.text = `${method} ${path} ${operation.summary ?? ''} ${body ? Object.keys(resolve(body.schema).properties ?? {}).join(' ') : ''}`.toLowerCase();
  return node;
}

function filter() {
  const words = $('search').value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const section of document.querySelectorAll('section')) {
    let any = false;
    for (const node of section.querySelectorAll('.operation')) {
      node.hidden = !words.every(word => node.dataset.text.includes(word));
      any ||= !node.hidden;
    }
    section.hidden = !any;
  }
}

async function start() {
  doc = await (await fetch('/openapi/v1.json')).json();
  $('title').textContent = `${doc.info.title} ${doc.info.version}`;
  const sections = new Map();
  for (const [path, operations] of Object.entries(doc.paths)) {
    for (const [method, operation] of Object.entries(operations)) {
      const tag = operation.tags?.[0] ?? 'other';
      if (!sections.has(tag)) sections.set(tag, el('section', {}, el('h2', { id: `tag-${tag}`, textContent: Names[tag] ?? tag })));
      sections.get(tag).append(show(method, path, operation));
    }
  }
  const tags = [...sections.keys()].sort();
  $('nav').replaceChildren(...tags.map(tag => el('a', { href: `#tag-${tag}`, textContent: Names[tag] ?? tag })));
  $('main').replaceChildren(el('p', { textContent: doc.info.description ?? '' }), ...tags.map(tag => sections.get(tag)));
  $('search').addEventListener('input', filter);
  // Whoever logged in at /login in this tab tries the API as themselves.
  $('key').value = JSON.parse(sessionStorage.getItem('flapjack.session') ?? 'null')?.access_token ?? '';
  if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();
}

start().catch(error => { $('main').textContent = `The document could not be shown: ${error}`; });
