// The suite sends no credentials: this door in front of the server puts the API key on every request and changes nothing else, the name of the host least of all.
import { createServer, request } from "node:http";

export async function openDoor(target, key) {
  const { hostname, port } = new URL(target);
  const door = createServer((asked, answered) => {
    const passed = request({ hostname, port, method: asked.method, path: asked.url, headers: { ...asked.headers, authorization: `Bearer ${key}` } });
    passed.on("response", response => {
      answered.writeHead(response.statusCode, response.headers);
      response.pipe(answered);
    });
    passed.on("error", () => answered.destroy());
    answered.on("close", () => passed.destroy());
    asked.pipe(passed);
  });
  await new Promise((resolve, reject) => door.once("error", reject).listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${door.address().port}`,
    stop: () => new Promise(resolve => (door.close(resolve), door.closeAllConnections())),
  };
}
