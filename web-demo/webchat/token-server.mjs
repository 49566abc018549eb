// Sends the gateway's address and token to signed-in users only; no source and no bundle contains the token. In the page:
//   const response = await fetch("/presence", { method: "POST" });
//   const client = new PresenceClient(await response.json());
import { createServer } from "node:http";

/** `isSignedIn(request)` is the app's check, for example of a session cookie. */
export const tokenServer = (isSignedIn, { url, token }) =>
  createServer((request, response) => {
    const answer = (status, body) =>
      response.writeHead(status, { "content-type": "application/json", "cache-control": "no-store" }).end(JSON.stringify(body));
    if (request.method !== "POST" || request.url !== "/presence") return answer(404, { error: "not found" });
    if (!isSignedIn(request)) return answer(401, { error: "sign in first" });
    answer(200, { url, token });
  });

// tokenServer(isSignedIn, { url: "wss://gateway.example", token: process.env.OPENCLAW_GATEWAY_TOKEN }).listen(8080);
