declare const PACKAGE_VERSION: string;

/** The version of this package; the build inserts that of package.json. */
export const VERSION: string = PACKAGE_VERSION;
