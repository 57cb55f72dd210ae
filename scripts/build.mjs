/** `npm run build`: installs what is missing, then builds every package. */
import { ensure, script } from "./lib/ensure.mjs";

await script(async () => {
  await ensure();
  return 0;
});
