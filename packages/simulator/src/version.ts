/** Version that results are stamped with; equal to the one in package.json (a test compares them). */
export const KUMIAI_VERSION = "0.1.0";
