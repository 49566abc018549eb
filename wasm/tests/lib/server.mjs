// Serves files to the browser, over http on loopback.

import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

import { WORK } from "./work.mjs";

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));

/** Folders by the first segment of the path. */
const FOLDERS = {
  dist: path("../../dist"),
  tests: path(".."),
  npm: path("../../../node_modules"),
  vectors: path("../../../tests/vectors"),
  simulation: join(WORK, "simulation"),
};

const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".json": "application/json",
  ".wasm": "application/wasm",
};

/** Serves until the test ends; resolves with the address. `pages` adds responses by path: `{ body, headers }`. */
export async function serve(t, pages = {}) {
  const server = createServer(async ({ url }, response) => {
    const { pathname } = new URL(url, "http://127.0.0.1");
    const page = pages[pathname];
    if (page) return response.writeHead(200, { "content-type": TYPES[".html"], ...page.headers }).end(page.body);
    const [, first, ...rest] = normalize(pathname).split("/");
    const file = FOLDERS[first] && join(FOLDERS[first], ...rest);
    const isFile = file && (await stat(file).then((found) => found.isFile(), () => false));
    if (!isFile) return response.writeHead(404).end();
    response.writeHead(200, { "content-type": TYPES[extname(file)] ?? "application/octet-stream" });
    createReadStream(file).pipe(response);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${server.address().port}`;
}
