/** What a client uses of a WebSocket. The platform's fits, and that of the npm package `ws`. */
export interface WebSocketLike {
  onopen: ((event: any) => void) | null;
  onmessage: ((event: { readonly data: any }) => void) | null;
  onerror: ((event: any) => void) | null;
  onclose: ((event: { readonly code: number; readonly reason: string }) => void) | null;
  send(text: string): void;
  close(code?: number, reason?: string): void;
}

/** A WebSocket class. */
export interface WebSocketConstructor {
  new (url: string): WebSocketLike;
}
