/** The entry of the `kumiai` program. */
import { KumiaiError } from "@kumiai/params";
import { reportError } from "./errors.js";
import { processIo } from "./io.js";
import { runCli } from "./program.js";

const io = processIo();

/** Whoever reads has gone, as `head` does. That ends no work: what counts is in files. */
const READER_GONE: readonly unknown[] = ["EPIPE", "ERR_STREAM_DESTROYED"];

process.stdout.on("error", (cause: NodeJS.ErrnoException) => {
  if (READER_GONE.includes(cause.code)) return;
  const message = `standard output: cannot write (${cause.message}); free some space or send it elsewhere`;
  process.exit(reportError(new KumiaiError("WRITE_FAILED", message, {}, cause), io));
});
// Nobody is left to be told; progress is dispensable.
process.stderr.on("error", () => undefined);

process.exitCode = await runCli(process.argv.slice(2), io);
