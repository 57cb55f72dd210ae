/** One word of a POSIX shell, on one line: `'press 1.csv'`. Words that need no quotes stay as they are. */
export function shellQuoted(text: string): string {
  // A leading dash would be read as an option.
  const word = text.startsWith("-") ? `./${text}` : text;
  if (/^[\p{L}\p{N}_@%+=:,./-]+$/u.test(word)) return word;
  if (!/\p{Cc}/u.test(word)) return `'${word.replaceAll("'", "'\\''")}'`;
  return `$'${word.replace(/[\\']/g, "\\$&").replace(/\p{Cc}/gu, toOctal)}'`;
}

function toOctal(control: string): string {
  // Bytes of UTF-8, as that is what the shell puts together.
  return [...new TextEncoder().encode(control)].map((byte) => `\\${byte.toString(8).padStart(3, "0")}`).join("");
}
