// What the server adds to a call of a webhook tool, in a turn whose model and tool both answer at once.
//   FJ_DIR=published-server node tool-step.mjs [--turns 200]
// A step runs from the moment the mock has sent its call to the moment it is asked again with the result. Against it stands the same
// request made by hand over a kept connection, in turns with the steps.
import { spawn, execFileSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { adapters, BENCH_KEY } from './adapters.mjs';
import { call as rawCall, sse, agent } from './lib/http.mjs';
import { med, q, r2, sleep } from './lib/proc.mjs';

const arg = (n, d) => { const i = process.argv.indexOf('--' + n); return i > 0 ? process.argv[i + 1] : d; };
const turns = +arg('turns', 200), pin = +arg('pin', 1), warmUp = 400;
const data = fs.mkdtempSync(path.join(os.tmpdir(), 'fj-tool-'));
const args = JSON.stringify({ city: 'Oslo', units: 'metric' });
let said = 0, called = 0, answered = 0, asked = 0;
const body = (req, then) => { const parts = []; req.on('data', d => parts.push(d)); req.on('end', () => then(Buffer.concat(parts).toString())); };
const mock = http.createServer((req, res) => {
  const now = performance.now();
  body(req, text => {
    const isAnswer = JSON.parse(text).messages.at(-1).role === 'tool';
    if (isAnswer) asked = now;
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    const chunk = (delta, finish) => `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'mock', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
    const first = isAnswer ? { role: 'assistant', content: 'fine tok63' } : { role: 'assistant', tool_calls: [{ index: 0, id: 'call_1', type: 'function', function: { name: 'get_weather', arguments: args } }] };
    res.end(chunk(first, null) + chunk({}, isAnswer ? 'stop' : 'tool_calls') + 'data: [DONE]\n\n');
    if (!isAnswer) said = performance.now();
  });
}).listen(18081, '127.0.0.1');
const tool = http.createServer((req, res) => {
  called = performance.now();
  body(req, () => { const b = Buffer.from('{"result":{"celsius":4}}'); res.writeHead(200, { 'content-type': 'application/json', 'content-length': b.length }); res.end(b); answered = performance.now(); });
}).listen(18082, '127.0.0.1');
for (const s of [mock, tool]) s.keepAliveTimeout = 60_000;
if (pin) execFileSync('taskset', ['-p', '-c', '1', String(process.pid)], { stdio: 'ignore' });
const command = ['dotnet', path.join(process.env.FJ_DIR, 'Flapjack.Server.dll')];
if (pin) command.unshift('taskset', '-c', '0');
const server = spawn(command[0], command.slice(1), { stdio: 'ignore', env: { ...process.env,
  ASPNETCORE_URLS: 'http://127.0.0.1:13000', DataDirectory: data, Bootstrap__ApiKey: BENCH_KEY, Limits__RequestsPerMinute: '0', Limits__MessagesPerMinute: '0', Network__AllowedHosts__0: 'loopback',
  Providers__mock__Kind: 'openai_compatible', Providers__mock__BaseUrl: 'http://127.0.0.1:18081/v1', Providers__mock__ApiKey: 'sk-mock' } });
const done = code => { server.kill('SIGKILL'); mock.close(); tool.close(); agent.destroy(); fs.rmSync(data, { recursive: true, force: true }); process.exit(code); };
process.on('SIGINT', () => done(1));
try {
  const ad = { ...adapters.flapjack, base: 'http://127.0.0.1:13000' }, call = o => rawCall(ad.base, o);
  for (let i = 0; ; i++) { try { if ((await call({ path: '/readyz' })).status === 200) break; } catch { if (i > 600) throw new Error('server not ready'); } await sleep(50); }
  const ctx = await ad.setup(call);
  const made = await call({ method: 'POST', path: '/api/tools', headers: ctx.h, body: { name: 'get_weather', description: 'Current weather', url: 'http://127.0.0.1:18082/weather', agentId: ctx.agentId,
    parameters: { type: 'object', properties: { city: { type: 'string' }, units: { type: 'string' } }, required: ['city'] } } });
  if (made.status !== 201) throw new Error(`tool: ${made.status} ${made.text}`);
  const s = { raw: [], step: [], over: [], before: [], after: [] };
  for (let i = -warmUp; i < turns; i++) {
    const t0 = performance.now();
    const raw = await rawCall('http://127.0.0.1:18082', { method: 'POST', path: '/weather', body: args });
    const direct = performance.now() - t0;
    if (raw.json?.result?.celsius !== 4) throw new Error('the tool does not answer');
    const thread = await ad.createThread(call, ctx);
    await sse(ad.base, ad.message(ctx, thread, 'weather in Oslo?'), { isToken: ad.isToken, lastMark: 'tok63' });
    if (!(said <= called && answered <= asked)) throw new Error('the tool was not called');
    if (i < 0) continue;
    s.raw.push(direct); s.step.push(asked - said); s.over.push(asked - said - direct); s.before.push(called - said); s.after.push(asked - answered);
  }
  const row = (what, a) => ({ what, 'median ms': r2(med(a)), 'p95 ms': r2(q(a, 0.95)) });
  console.table([row('the call by hand', s.raw), row('the step', s.step), row('from the model\'s call to the tool', s.before), row('from the tool\'s answer to the model', s.after), row('the step, the call by hand aside', s.over)]);
  console.log(`a tool step adds ${r2(med(s.over))} ms to the call itself (median of ${turns})`);
  done(0);
} catch (e) { console.error(e); done(1); }
