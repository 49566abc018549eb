// A headless Firefox for one test file, driven by WebDriver BiDi, which Firefox implements itself.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const PLACES = [
  "/usr/bin/firefox-esr", "/usr/bin/firefox", "/snap/bin/firefox",
  "/Applications/Firefox.app/Contents/MacOS/firefox",
];

/** Path of the browser: `FIREFOX` if it is set, else the first of `PLACES` that exists, else undefined. */
export const firefoxPath = () => process.env.FIREFOX ?? PLACES.find((path) => existsSync(path));

/** Starts Firefox, which is stopped when the test ends. */
export async function startFirefox(t) {
  const profile = mkdtempSync(join(tmpdir(), "presence-firefox-"));
  const args = ["--headless", "--no-remote", "--remote-debugging-port", "0", "--profile", profile, "about:blank"];
  const child = spawn(firefoxPath(), args, { stdio: ["ignore", "ignore", "pipe"] });
  const exited = once(child, "exit");
  t.after(async () => {
    child.kill("SIGTERM");
    await exited;
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  });
  const url = await new Promise((resolve, reject) => {
    let log = "";
    child.stderr.setEncoding("utf8").on("data", (text) => {
      log += text;
      const found = /WebDriver BiDi listening on (ws:\/\/\S+)/.exec(log)?.[1];
      if (found) resolve(`${found}/session`);
    });
    void exited.then(() => reject(new Error(`Firefox ended before it listened\n${log}`)));
  });
  const firefox = new BiDi(new WebSocket(url));
  await firefox.opened;
  t.after(() => firefox.close());
  await firefox.send("session.new", { capabilities: {} });
  return firefox;
}

/** A session of WebDriver BiDi. */
class BiDi {
  #socket;
  #calls = 0;
  #waiting = new Map();

  constructor(socket) {
    this.#socket = socket;
    this.opened = new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = () => reject(new Error("no connection to Firefox"));
    });
    socket.onmessage = ({ data }) => {
      const { id, type, result, error, message } = JSON.parse(data);
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (type === "error") waiting?.reject(new Error(`${error}: ${message}`));
      else waiting?.resolve(result);
    };
    socket.onclose = () => {
      for (const { reject } of this.#waiting.values()) reject(new Error("Firefox closed the connection"));
    };
  }

  send(method, params) {
    const id = (this.#calls += 1);
    const answer = new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    this.#socket.send(JSON.stringify({ id, method, params }));
    return answer;
  }

  /** Opens a tab. Its `evaluate` runs a function with an argument in the page; both are sent as text. */
  async open(url) {
    const { context } = await this.send("browsingContext.create", { type: "tab" });
    await this.send("browsingContext.navigate", { context, url, wait: "complete" });
    return {
      evaluate: async (run, given) => {
        const expression = `(async () => JSON.stringify(await (${run})(${JSON.stringify(given)})))()`;
        const answer = await this.send("script.evaluate", { expression, target: { context }, awaitPromise: true });
        if (answer.type === "exception") throw new Error(answer.exceptionDetails.text);
        return answer.result.value === undefined ? undefined : JSON.parse(answer.result.value);
      },
    };
  }

  close() {
    this.#socket.close();
  }
}
