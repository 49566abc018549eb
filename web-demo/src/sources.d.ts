/** The text of a file of this folder; see the plugin in build.mjs. */
declare module "source:*" {
  const text: string;
  export default text;
}

/** Where the file is, from the page on. */
declare module "*.wasm" {
  const path: string;
  export default path;
}

/** What the build knows. */
declare const WEBCHAT_PAGE: string;
