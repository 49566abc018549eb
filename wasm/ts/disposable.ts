/// <reference lib="esnext.disposable" preserve="true" />
/**
 * `Symbol.dispose`, where the platform has it: `using` works. Elsewhere it is a symbol that nothing asks
 * for, so that classes can be written the same.
 */
export const DISPOSE: typeof Symbol.dispose = Symbol.dispose ?? (Symbol("Symbol.dispose") as typeof Symbol.dispose);
