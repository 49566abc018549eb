/** A simulated client: its address and its callbacks. */
export interface SimulatedClient {
  /** Its address. @default "192.0.2.1" */
  ip?: string;
  /** The Origin of its page. */
  origin?: string;
  /** The id of the person behind it, as a trusted proxy states it. */
  user?: string;
  /** Called with each text frame. */
  ontext?: (text: string) => void;
  /** Called for each ping; pings are answered automatically, see {@link SimulatedSocket.isResponsive}. */
  onping?: () => void;
  /** Called when the gateway closes the connection. */
  onclose?: (code: number, reason: string) => void;
}

/** The client's end of a connection to a simulated gateway. */
export interface SimulatedSocket {
  /** Whether pings are answered; `false` simulates a machine that sleeps. */
  isResponsive: boolean;
  /** Whether reading is paused. */
  isPaused: boolean;
  /** Whether neither side closed the connection. */
  readonly isOpen: boolean;
  /** Sends a text frame. */
  send(text: string): void;
  /** Answers a ping manually. */
  pong(): void;
  /** Closes the connection. To the gateway, a close frame and a lost network are equal. */
  close(): void;
}
