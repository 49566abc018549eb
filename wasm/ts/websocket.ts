/**
 * The part of a WebSocket that a client uses. It fits the platform's class, classes derived from it, and that of
 * the npm package `ws`. Their event types differ, so none is declared: `onmessage` reads `data`, `onclose` reads
 * `code` and `reason`.
 */
export interface WebSocketLike {
  onopen: ((event: any) => void) | null;
  onmessage: ((event: any) => void) | null;
  onerror: ((event: any) => void) | null;
  onclose: ((event: any) => void) | null;
  send(text: string): void;
  close(code?: number, reason?: string): void;
}

/** A WebSocket class. */
export interface WebSocketConstructor {
  new (url: string): WebSocketLike;
}
