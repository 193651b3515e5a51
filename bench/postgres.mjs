// PostgreSQL and nodes. Starts a private PostgreSQL, then measures
//   1. throughput of one node on PostgreSQL against one on SQLite, with the pass-through in the same run;
//   2. what it adds to attach to a stream through the node that does not run it;
//   3. throughput of two nodes against one, each node limited to the same share of a CPU (needs root and control groups).
//   FJ_DIR=published-server PROXY_DIR=published-proxy node postgres.mjs [--reps 2] [--rounds 40] [--share 0.35] [--only-two]
// PostgreSQL shares CPU 1 with mock and generator, so its own work is not counted as the server's.
import { spawn, spawnSync, execFileSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { adapters, BENCH_KEY } from './adapters.mjs';
import { call as rawCall, agent } from './lib/http.mjs';
import { med, r2, sleep } from './lib/proc.mjs';

const arg = (n, d) => { const i = process.argv.indexOf('--' + n); return i > 0 ? process.argv[i + 1] : d; };
const here = new URL('.', import.meta.url).pathname, rounds = +arg('rounds', 40);
const home = fs.mkdtempSync(path.join(os.tmpdir(), 'fj-bench-pg-')), children = [], groups = [];
const asPostgres = (cmd, args) => process.getuid() === 0 ? ['runuser', ['-u', 'postgres', '--', cmd, ...args]] : [cmd, args];
const bin = fs.readdirSync('/usr/lib/postgresql').sort((a, b) => b - a).map(v => `/usr/lib/postgresql/${v}/bin`).find(d => fs.existsSync(d + '/initdb'));
if (!bin) throw new Error('PostgreSQL is not installed: apt-get install postgresql');

function startPostgres() {
  if (process.getuid() === 0) execFileSync('chown', ['postgres', home]);
  const run = (cmd, args) => { const [c, a] = asPostgres(`${bin}/${cmd}`, args); const r = spawnSync(c, a, { cwd: '/', stdio: ['ignore', 'ignore', 'pipe'] }); if (r.status) throw new Error(`${cmd}: ${r.stderr}`); };
  run('initdb', ['-D', `${home}/data`, '-U', 'postgres', '-E', 'UTF8', '--locale=C', '--auth=trust']);
  const port = 20000 + Math.floor(Math.random() * 12000);
  // Durable as delivered: fsync is on.
  run('pg_ctl', ['-D', `${home}/data`, '-w', '-l', `${home}/log`, '-o', `-p ${port} -k ${home} -c listen_addresses=127.0.0.1 -c max_connections=200`, 'start']);
  for (const pid of [fs.readFileSync(`${home}/data/postmaster.pid`, 'utf8').split('\n')[0]]) execFileSync('taskset', ['-a', '-p', '-c', '1', pid], { stdio: 'ignore' });
  return name => { run('psql', ['-h', '127.0.0.1', '-p', String(port), '-U', 'postgres', '-c', `CREATE DATABASE ${name}`]); return `Host=127.0.0.1;Port=${port};Username=postgres;Database=${name}`; };
}
function stopAll() {
  for (const c of children) try { c.kill('SIGKILL'); } catch {}
  const [c, a] = asPostgres(`${bin}/pg_ctl`, ['-D', `${home}/data`, '-m', 'immediate', '-w', 'stop']);
  spawnSync(c, a, { cwd: '/', stdio: 'ignore' });
  for (const group of groups) try { fs.rmdirSync(group); } catch {}
  fs.rmSync(home, { recursive: true, force: true });
}
process.on('SIGINT', () => { stopAll(); process.exit(1); });

// A control group with a share of a CPU, version 1 or 2.
function limit(pid, name, share) {
  const v1 = '/sys/fs/cgroup/cpu', period = 20000;
  const isV1 = fs.existsSync(v1 + '/cpu.cfs_quota_us'), dir = path.join(isV1 ? v1 : '/sys/fs/cgroup', name);
  if (!isV1) fs.writeFileSync('/sys/fs/cgroup/cgroup.subtree_control', '+cpu');
  fs.mkdirSync(dir, { recursive: true });
  groups.push(dir);
  if (dir.startsWith(v1)) { fs.writeFileSync(dir + '/cpu.cfs_period_us', String(period)); fs.writeFileSync(dir + '/cpu.cfs_quota_us', String(Math.round(share * period))); }
  else fs.writeFileSync(dir + '/cpu.max', `${Math.round(share * period)} ${period}`);
  fs.writeFileSync(dir + '/cgroup.procs', String(pid));
}

async function startNode(port, database, data) {
  children.push(spawn('dotnet', [path.join(process.env.FJ_DIR, 'Flapjack.Server.dll')], { stdio: 'ignore', env: { ...process.env, ASPNETCORE_URLS: `http://127.0.0.1:${port}`, DataDirectory: data,
    ConnectionStrings__Flapjack: database, Bootstrap__ApiKey: BENCH_KEY, Limits__RequestsPerMinute: '0', Limits__MessagesPerMinute: '0',
    Providers__mock__Kind: 'openai_compatible', Providers__mock__BaseUrl: 'http://127.0.0.1:18080/v1', Providers__mock__ApiKey: 'sk-mock', Providers__mock__Models__0__Id: 'mock' } }));
  const base = `http://127.0.0.1:${port}`;
  for (let i = 0; ; i++) { try { if ((await rawCall(base, { path: '/readyz' })).status === 200) return base; } catch { if (i > 600) throw new Error('node not ready'); } await sleep(50); }
}

// Arrival time of every event by its number, from the moment of asking; ends by itself at the end of the stream.
function listen(base, request) {
  const asked = performance.now(), seen = new Map();
  let first;
  const whole = new Promise((resolve, reject) => {
    const u = new URL(base + request.path), body = request.body && JSON.stringify(request.body);
    const req = http.request({ host: u.hostname, port: u.port, path: u.pathname, method: request.method ?? 'GET', headers: { authorization: `Bearer ${BENCH_KEY}`, ...(body && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }) } }, res => {
      let rest = '';
      res.on('data', d => {
        const now = performance.now(); first ??= now - asked; rest += d;
        const frames = rest.split('\n\n'); rest = frames.pop();
        for (const f of frames) { const id = /^id: \S+:(\d+)$/m.exec(f); if (id) seen.set(+id[1], now); }
      });
      res.on('end', () => resolve({ status: res.statusCode, first, seen })); res.on('error', reject);
    });
    req.on('error', reject); req.end(body);
  });
  return { whole, seen };
}

async function attachThroughTheOther(create) {
  const database = create('nodes'), data = path.join(home, 'nodes');
  fs.mkdirSync(data);
  const a = await startNode(13001, database, data), b = await startNode(13002, database, data);
  const auth = { authorization: `Bearer ${BENCH_KEY}` };
  const agentId = (await rawCall(a, { method: 'POST', path: '/api/agents', headers: auth, body: { name: 'Nodes', defaultModel: 'flapjack-offline' } })).json.id;
  const firsts = { owner: [], other: [] }, tokens = [];
  for (let i = 0; i < rounds; i++) {
    const thread = (await rawCall(a, { method: 'POST', path: '/api/threads', headers: auth, body: { agentId } })).json.id;
    const sent = listen(a, { method: 'POST', path: `/api/threads/${thread}/messages`, body: { content: '/count 30 20' } });
    while (sent.seen.size < 3) await sleep(5);
    const stream = { path: `/api/threads/${thread}/stream` };
    const [own, other] = i % 2 ? [listen(a, stream), listen(b, stream)] : (([y, x]) => [x, y])([listen(b, stream), listen(a, stream)]);
    const before = Math.max(...sent.seen.keys());
    const [s, x, y] = await Promise.all([sent.whole, own.whole, other.whole]);
    firsts.owner.push(x.first); firsts.other.push(y.first);
    // Only what was said once both had long attached.
    for (const [id, at] of x.seen) if (id > before + 5 && y.seen.has(id)) tokens.push(y.seen.get(id) - at);
    if (x.seen.size !== s.seen.size || y.seen.size !== s.seen.size) throw new Error(`events differ: ${s.seen.size} sent, ${x.seen.size} at the owner, ${y.seen.size} at the other node`);
  }
  console.table([{ 'first event at the owner, ms': r2(med(firsts.owner)), 'at the other node': r2(med(firsts.other)), 'added to the first event': r2(med(firsts.other) - med(firsts.owner)), 'added to a live token': r2(med(tokens)), tokens: tokens.length }]);
}

// Streams a second over some nodes: each worker makes a thread, sends a message and reads the answer to its end.
async function throughput(bases, workers, ms) {
  let ok = 0, failed = 0, stop = false;
  const setup = await adapters.flapjack.setup(o => rawCall(bases[0], o));
  const work = async base => {
    while (!stop) {
      try {
        const thread = await adapters.flapjack.createThread(o => rawCall(base, o), setup);
        const { path: at, body } = adapters.flapjack.message(setup, thread, 'hello');
        if ((await listen(base, { method: 'POST', path: at, body }).whole).status !== 200) throw new Error('refused');
        ok++;
      } catch { failed++; await sleep(5); }
    }
  };
  const all = Array.from({ length: workers }, (_, i) => work(bases[i % bases.length]));
  await sleep(2000); ok = failed = 0;
  const began = performance.now(); await sleep(ms);
  const perSecond = ok / (performance.now() - began) * 1000, faults = failed;
  stop = true; await Promise.all(all);
  if (faults) throw new Error(`${faults} streams failed`);
  return perSecond;
}

async function twoNodes(create) {
  const share = +arg('share', 0.35), database = create('pair'), data = path.join(home, 'pair');
  fs.mkdirSync(data);
  children.push(spawn('taskset', ['-c', '1', process.execPath, here + 'mock-llm.mjs'], { stdio: 'ignore' }));
  const nodes = [await startNode(13001, database, data), await startNode(13002, database, data)];
  try { children.slice(-2).forEach((c, i) => { execFileSync('taskset', ['-a', '-p', '-c', '0', String(c.pid)], { stdio: 'ignore' }); limit(c.pid, 'flapjack-bench-' + i, share); }); }
  catch (e) { console.log(`two nodes: not measured, a share of a CPU cannot be set here (${e.message})`); process.exitCode = 1; return; }
  for (const node of nodes) await throughput([node], 16, 3000);
  const one = [], two = [];
  for (let i = 0; i < +arg('reps', 2); i++) { one.push(await throughput([nodes[i % 2]], 64, 10000)); two.push(await throughput(nodes, 64, 10000)); }
  console.table([{ 'share of a CPU each': share, 'one node, streams a second': r2(med(one)), 'two nodes': r2(med(two)), 'two against one': r2(med(two) / med(one)) }]);
}

try {
  const create = startPostgres();
  if (process.argv.includes('--only-two')) { await twoNodes(create); agent.destroy(); stopAll(); process.exit(); }
  const result = path.join(home, 'result.json');
  const run = spawnSync(process.execPath, [here + 'bench.mjs', '--sys', 'kestrel,flapjack,flapjack-postgres', '--scen', 'thru', '--reps', arg('reps', '2'), '--out', result], { stdio: 'inherit', env: { ...process.env, FJ_POSTGRES: create('bench') } });
  if (run.status) throw new Error('the throughput run failed');
  spawnSync(process.execPath, [here + 'summarize.mjs', result], { stdio: 'inherit' });
  await attachThroughTheOther(create);
  while (children.length) children.pop().kill('SIGKILL');
  await twoNodes(create);
  agent.destroy(); stopAll();
} catch (e) { console.error(e); stopAll(); process.exit(1); }
