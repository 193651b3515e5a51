// Stands between a client and the server, and breaks connections: on order, or after a number of bytes.
import { createServer, connect } from "node:net";

export async function startRelay(url) {
  let target = new URL(url);
  let cuts = [];
  let cut = 0;
  const open = new Set();
  const listener = createServer(client => {
    const server = connect(Number(target.port), target.hostname);
    const sockets = [client, server];
    const end = () => sockets.forEach(socket => socket.destroy());
    // The next number of the plan is how many bytes this connection may bring back.
    let left = cuts.length > 0 ? cuts.shift() : Infinity;
    for (const socket of sockets) {
      open.add(socket);
      socket.on("error", end).on("close", () => (open.delete(socket), end()));
    }
    client.pipe(server);
    server.on("data", bytes => {
      const passed = bytes.subarray(0, left);
      left -= passed.length;
      if (left > 0) return client.write(passed);
      cut++;
      client.write(passed, end);
    });
  });
  await new Promise(resolve => listener.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${listener.address().port}`,
    get cut() { return cut; },
    /** New connections break after so many bytes each; those after the last number stay. */
    plan(bytes) { [cuts, cut] = [bytes, 0]; },
    cutAll() { open.forEach(socket => socket.destroy()); },
    retarget(other) {
      target = new URL(other);
      this.cutAll();
    },
    stop() {
      listener.close();
      this.cutAll();
    },
  };
}

/** Numbers that look random and are the same each time. */
export function numbers(seed) {
  return (from, to) => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return from + seed % (to - from);
  };
}
