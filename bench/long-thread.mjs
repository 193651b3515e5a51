// What a turn costs on a thread of 10,000 messages compared with one of 10, model time aside.
//   FJ_DIR=published-server node long-thread.mjs [--turns 40] [--messages 10,10000]
// Model time runs from the moment the mock sees a request to the moment its answer has left: the upload of the prompt is in it.
import { spawn, execFileSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { adapters, BENCH_KEY } from './adapters.mjs';
import { call as rawCall, sse, agent } from './lib/http.mjs';
import { cpuMs, med, r2, sleep } from './lib/proc.mjs';

const arg = (n, d) => { const i = process.argv.indexOf('--' + n); return i > 0 ? process.argv[i + 1] : d; };
const turns = +arg('turns', 40), sizes = arg('messages', '10,10000').split(',').map(Number);
const data = fs.mkdtempSync(path.join(os.tmpdir(), 'fj-long-'));
let bytes = 0, modelMs = 0;
const mock = http.createServer((req, res) => {
  const begun = performance.now(), parts = []; req.on('data', d => parts.push(d));
  req.on('end', () => {
    bytes = parts.reduce((n, p) => n + p.length, 0);
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    const chunk = (delta, finish) => `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'mock', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
    modelMs = performance.now() - begun;
    res.end(chunk({ role: 'assistant', content: 'fine tok63' }, null) + chunk({}, 'stop') + 'data: [DONE]\n\n');
  });
}).listen(18081, '127.0.0.1');
execFileSync('taskset', ['-p', '-c', '1', String(process.pid)], { stdio: 'ignore' });
const server = spawn('taskset', ['-c', '0', 'dotnet', path.join(process.env.FJ_DIR, 'Flapjack.Server.dll')], { stdio: 'ignore', env: { ...process.env,
  ASPNETCORE_URLS: 'http://127.0.0.1:13000', DataDirectory: data, Bootstrap__ApiKey: BENCH_KEY, Limits__RequestsPerMinute: '0', Limits__MessagesPerMinute: '0',
  Providers__mock__Kind: 'openai_compatible', Providers__mock__BaseUrl: 'http://127.0.0.1:18081/v1', Providers__mock__ApiKey: 'sk-mock' } });
const done = code => { server.kill('SIGKILL'); mock.close(); agent.destroy(); fs.rmSync(data, { recursive: true, force: true }); process.exit(code); };
process.on('SIGINT', () => done(1));
try {
  const ad = { ...adapters.flapjack, base: 'http://127.0.0.1:13000' }, call = o => rawCall(ad.base, o);
  for (let i = 0; ; i++) { try { if ((await call({ path: '/readyz' })).status === 200) break; } catch { if (i > 600) throw new Error('server not ready'); } await sleep(50); }
  const ctx = await ad.setup(call), pid = server.pid; // taskset becomes the server
  const send = async (thread, text) => { const r = await sse(ad.base, ad.message(ctx, thread, text), { isToken: ad.isToken, lastMark: 'tok63' }); return r; };
  const rows = [];
  const threads = [];
  for (const size of sizes) {
    const thread = await ad.createThread(call, ctx);
    // Filled through the front door: half of the messages are ours, half are the answers.
    for (let i = 0; i < size / 2; i++) await send(thread, `message ${i} of a conversation that goes on about nothing in particular`);
    threads.push({ size, thread });
  }
  // In turns, so that a drift of the machine meets all sizes alike.
  const samples = new Map(threads.map(t => [t.size, { total: [], model: [], own: [], cpu: [], bytes: 0 }]));
  for (let i = 0; i < turns; i++) for (const { size, thread } of threads) {
    const c0 = cpuMs([pid]); const r = await send(thread, 'again'); const s = samples.get(size);
    s.total.push(r.total); s.model.push(modelMs); s.own.push(r.total - modelMs); s.cpu.push(cpuMs([pid]) - c0); s.bytes = bytes;
  }
  for (const [size, s] of samples) {
    rows.push({ messages: size, promptKB: Math.round(s.bytes / 1024), turnMs: r2(med(s.total)), modelMs: r2(med(s.model)), ownMs: r2(med(s.own)), cpuMsPerTurn: r2(s.cpu.reduce((a, b) => a + b, 0) / s.cpu.length) });
  }
  console.table(rows);
  const [small, large] = [rows[0], rows.at(-1)];
  console.log(`a turn on ${large.messages} messages costs ${r2(large.ownMs / small.ownMs)} times one on ${small.messages}, model time aside (${r2(large.turnMs / small.turnMs)} with it)`);
  done(0);
} catch (e) { console.error(e); done(1); }
