// A host of static files that serves the page from a folder, without a gateway.

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";

import { atEnd } from "./ends.mjs";
import { PAGE } from "./gateway.mjs";

const TYPES = {
  ".html": "text/html", ".js": "text/javascript", ".css": "text/css",
  ".svg": "image/svg+xml", ".json": "application/json", ".wasm": "application/wasm",
};
const FOLDER = "/some/folder/";

/** Serves the page below a folder and returns its address. `lacks` selects files that are missing. */
export async function startStaticHost(t, { lacks = () => false } = {}) {
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, "http://host");
    const name = pathname === FOLDER ? "index.html" : normalize(pathname.slice(FOLDER.length));
    try {
      if (!pathname.startsWith(FOLDER) || name.startsWith("..") || lacks(name)) throw new Error("not here");
      const body = await readFile(join(PAGE, name));
      response.writeHead(200, { "content-type": TYPES[extname(name)] ?? "application/octet-stream" }).end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  atEnd(t, () => new Promise((resolve) => server.close(resolve).closeAllConnections()));
  return `http://127.0.0.1:${server.address().port}${FOLDER}`;
}
