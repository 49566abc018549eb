/** One place of the page. */
export interface View {
  readonly element: HTMLElement;
  /** It comes into sight, with what stands behind the question mark of its address. */
  show?(query: string): void;
  /** Another place is shown now. */
  hide?(): void;
}
