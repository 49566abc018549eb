/** The version of this package; `scripts/build.mjs` checks it against package.json. */
export const VERSION = "0.1.0";
