import { KumiaiError } from "../errors.js";

/** What a failed open or read becomes: FILE_NOT_FOUND or FILE_UNREADABLE; coded errors stay as they are. */
export function unreadable(file: string, cause: unknown): unknown {
  if (cause instanceof KumiaiError) return cause;
  const reason = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown";
  const message = cause instanceof Error ? cause.message : String(cause);
  if (reason === "ENOENT") {
    return new KumiaiError("FILE_NOT_FOUND", `${file}: expected a safetensors file, found none; check the path`, {
      file,
    });
  }
  return new KumiaiError(
    "FILE_UNREADABLE",
    `${file}: cannot read (${message}); check the path and its permissions`,
    { file, reason },
    cause,
  );
}
