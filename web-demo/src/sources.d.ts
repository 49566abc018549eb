/** The text of a file in this folder; see the plugin in build.mjs. */
declare module "source:*" {
  const text: string;
  export default text;
}

/** The URL of the file, relative to the page. */
declare module "*.wasm" {
  const path: string;
  export default path;
}

/** Constants that the build defines. */
declare const WEBCHAT_PAGE: string;
