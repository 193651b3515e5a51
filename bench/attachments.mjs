// How far above idle the server's memory goes while large files come in.
//   FJ_DIR=published-server node attachments.mjs
// Each case has a server of its own on an empty database, warmed up by a small message. Peak is the highest resident memory of the server and its
// readers, sampled every 20 ms, less what it was before the case. The mock model reads the request and answers at once.
import { spawn } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { adapters, BENCH_KEY } from './adapters.mjs';
import { call as rawCall, sse, agent } from './lib/http.mjs';
import { memMB, r1, sleep, tree } from './lib/proc.mjs';

const base = 'http://127.0.0.1:13000', MB = 1024 * 1024;
let received = 0;
const mock = http.createServer((req, res) => {
  req.on('data', d => { received += d.length; });
  req.on('end', () => {
    const chunk = (delta, finish) => `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'mock', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    res.end(chunk({ role: 'assistant', content: 'fine tok63' }, null) + chunk({}, 'stop') + 'data: [DONE]\n\n');
  });
}).listen(18081, '127.0.0.1');
mock.keepAliveTimeout = 60_000;

const image = size => Buffer.concat([Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]), crypto.randomBytes(size - 8)]);
async function upload(ctx, size) {
  const form = new FormData();
  form.append('file', new Blob([image(size)], { type: 'image/png' }), 'a.png');
  const answer = await fetch(`${base}/api/files`, { method: 'POST', headers: ctx.h, body: form });
  if (answer.status >= 300) throw new Error(`upload: ${answer.status} ${await answer.text()}`);
}
async function message(ad, call, ctx, attachments) {
  const thread = await ad.createThread(call, ctx), request = ad.message(ctx, thread, 'what is in it?');
  request.body = { ...request.body, attachments };
  const before = received;
  await sse(base, request, { isToken: ad.isToken, lastMark: 'tok63' });
  if (received - before < attachments[0].data.length) throw new Error('the model did not get the file');
}
const inline = bytes => [{ type: 'image', name: 'a.png', mediaType: 'image/png', data: bytes.toString('base64') }];
const cases = [
  ['one inline attachment of 19 MB', async x => { await x.send(inline(image(19 * MB))); }],
  ['three in a row', async x => { for (let i = 0; i < 3; i++) await x.send(inline(image(19 * MB))); }],
  ['ten in a row', async x => { for (let i = 0; i < 10; i++) await x.send(inline(image(19 * MB))); }],
  ['three at once', async x => { await Promise.all([1, 2, 3].map(() => x.send(inline(image(19 * MB))))); }],
  ['three uploads of 19 MB in a row', async x => { for (let i = 0; i < 3; i++) await upload(x.ctx, 19 * MB); }],
];
async function run([name, work]) {
  const data = fs.mkdtempSync(path.join(os.tmpdir(), 'fj-attach-'));
  const server = spawn('dotnet', [path.join(process.env.FJ_DIR, 'Flapjack.Server.dll')], { stdio: 'ignore', env: { ...process.env,
    ASPNETCORE_URLS: base, DataDirectory: data, Bootstrap__ApiKey: BENCH_KEY, Limits__RequestsPerMinute: '0', Limits__MessagesPerMinute: '0',
    Providers__mock__Kind: 'openai_compatible', Providers__mock__BaseUrl: 'http://127.0.0.1:18081/v1', Providers__mock__ApiKey: 'sk-mock',
    Providers__mock__Models__0__Id: 'mock', Providers__mock__Models__0__Supports__Vision: 'true' } });
  try {
    const ad = adapters.flapjack, call = o => rawCall(base, o);
    for (let i = 0; ; i++) { try { if ((await call({ path: '/readyz' })).status === 200) break; } catch { if (i > 600) throw new Error('server not ready'); } await sleep(50); }
    const ctx = await ad.setup(call), send = attachments => message(ad, call, ctx, attachments);
    await send(inline(image(100_000)));
    await sleep(3_000);
    const idle = memMB(tree(server.pid)).rss;
    let peak = 0, over = false;
    const watching = (async () => { while (!over) { peak = Math.max(peak, memMB(tree(server.pid)).rss); await sleep(20); } })();
    await work({ ctx, send });
    over = true; await watching; await sleep(2_000);
    return { case: name, 'idle MB': r1(idle), 'peak above idle MB': r1(peak - idle), 'two seconds later MB': r1(memMB(tree(server.pid)).rss - idle) };
  } finally { server.kill('SIGKILL'); await sleep(200); fs.rmSync(data, { recursive: true, force: true }); }
}
let code = 0;
try { const rows = []; for (const c of cases) rows.push(await run(c)); console.table(rows); } catch (e) { console.error(e); code = 1; }
mock.close(); agent.destroy(); process.exit(code);
