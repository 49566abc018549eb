// Changes the frames of a gateway, for example to simulate one that observes others.

/** Returns the WebSocket class of a simulated gateway that also lists the entries that `observed` returns. */
export function observingWebSocket(gateway, observed) {
  return changingWebSocket(gateway, (text) => JSON.stringify(withRows(JSON.parse(text), observed())));
}

/** Returns the WebSocket class of a gateway whose frames `change` changes. */
export function changingWebSocket(gateway, change) {
  return class extends gateway.WebSocket {
    constructor() {
      super();
      let listener = null;
      Object.defineProperty(this, "onmessage", {
        get: () => listener && ((message) => listener({ data: change(message.data) })),
        set: (other) => (listener = other),
      });
    }
  };
}

/** Returns the frame with these rows at the end of its list. */
function withRows(frame, rows) {
  const { payload } = frame;
  if (Array.isArray(payload)) payload.push(...rows);
  const list = payload?.presence ?? payload?.snapshot?.presence;
  if (Array.isArray(list)) list.push(...rows);
  return frame;
}
