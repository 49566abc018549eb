/// <reference lib="esnext.disposable" preserve="true" />
/**
 * `Symbol.dispose` where the platform has it, so that `using` works. Elsewhere an unused symbol, so that classes need
 * no second form.
 */
export const DISPOSE: typeof Symbol.dispose = Symbol.dispose ?? (Symbol("Symbol.dispose") as typeof Symbol.dispose);
