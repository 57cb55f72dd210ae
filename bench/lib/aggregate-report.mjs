/** What `npm run bench -- aggregate` prints for people. */

const BARS = { memory: 3, files: 8, extraBytes: 64 * 2 ** 20, scaleBytes: 512 * 2 ** 20 };

export function printReport(report) {
  const { machine, paperScale, threads, commit } = report;
  line(
    `${machine.cpu}, ${machine.cores} cores, Node ${machine.node}, ${threads} thread(s)${commit === undefined ? "" : `, commit ${commit}`}; seconds are medians`,
  );
  if (report.isQuick) line("--quick: far too small to say anything about speed");
  line(header());
  const { clientCount, encoderSize, decoderSize } = paperScale;
  for (const kind of ["memory", "files"]) {
    line(row({ kind, clientCount, encoderSize, decoderSize, ...paperScale[kind] }, "paper"));
  }
  for (const each of report.sweep) line(row(each, "sweep"));
  line("");
  for (const sentence of sentencesOf(report)) line(sentence);
  if (machine.loads.some((load) => load > machine.cores + 1)) {
    line(`the machine was busy (load ${machine.loads.map((load) => load.toFixed(1))}): run it again when it is quiet`);
  }
  if (machine.filesInMemory) line("the files lay in memory (tmpfs): give --dir on a disk");
}

function line(text) {
  process.stdout.write(`${text}\n`);
}

const COLUMNS = [6, 7, 8, 10, 9, 17, 7, 8, 17, 9, 8];

function header() {
  const names = ["", "where", "clients", "encoder", "seconds", "", "GB/s", "memcpy", "ratio", "extra", "fsync"];
  return columns(names);
}

function row(each, name) {
  const { seconds, ratioToMemcpy } = each.spread;
  return columns([
    name,
    each.kind,
    `${each.clientCount}`,
    `${Number((each.encoderSize / 1e6).toPrecision(3))} M`,
    short(each.seconds),
    `(${short(seconds.min)} to ${short(seconds.max)})`,
    (each.bytesToMove / 1e9 / each.seconds).toFixed(1),
    short(each.memcpySeconds),
    `${each.ratioToMemcpy.toFixed(1)} (${ratioToMemcpy.min.toFixed(1)} to ${ratioToMemcpy.max.toFixed(1)})`,
    megabytes(each.extraPeakBytes),
    each.flushSeconds === undefined ? "" : short(each.flushSeconds),
  ]);
}

function columns(texts) {
  return texts
    .map((text, i) => (i < 2 ? text.padEnd(COLUMNS[i]) : text.padStart(COLUMNS[i])))
    .join(" ")
    .trimEnd();
}

function sentencesOf({ paperScale: { memory, files }, torch, growth, scale }) {
  const verdict = (value, bar) => `${value.toFixed(1)} × a memcpy (bar ${bar}: ${value <= bar ? "met" : "missed"})`;
  const extra = Math.max(memory.extraPeakBytes, files.extraPeakBytes);
  const sentences = [
    `At the paper's scale a round takes ${verdict(memory.ratioToMemcpy, BARS.memory)} in memory and ${verdict(files.ratioToMemcpy, BARS.files)} from files, fsync apart.`,
    `It needs at most ${megabytes(extra)} beyond inputs and outputs (bar ${megabytes(BARS.extraBytes)}: ${extra <= BARS.extraBytes ? "met" : "missed"})${growthOf(growth)}.`,
    torch.skipped === undefined
      ? `PyTorch ${torch.results.map((each) => `${each.torch} takes ${short(each.seconds)} s, ${each.timesOurs.toFixed(1)} × our time, and ${megabytes(each.extraPeakBytes)} more memory`).join("; ")}.`
      : `PyTorch was not measured: ${torch.skipped}.`,
  ];
  if (scale !== undefined) sentences.push(scaleSentence(scale));
  return sentences;
}

function growthOf(growth) {
  const { params, clients } = growth?.memory ?? {};
  if (params === undefined || clients === undefined) return "";
  return `; in memory, time grows as params^${params.secondsExponent.toFixed(2)} and clients^${clients.secondsExponent.toFixed(2)}, extra memory as params^${params.extraPeakExponent.toFixed(2)} and clients^${clients.extraPeakExponent.toFixed(2)}`;
}

function scaleSentence({ clientCount, encoderSize, peakBytes, rounds, inputDiskBytes, outputDiskBytes }) {
  const { seconds, parts } = rounds.at(-1);
  const verdict = peakBytes <= BARS.scaleBytes ? "met" : "missed";
  return [
    `${clientCount} clients × ${encoderSize / 1e6} M params from sparse files (${megabytes(inputDiskBytes)} on the disk, outputs ${megabytes(outputDiskBytes)}), with sketches:`,
    `${megabytes(peakBytes)} resident at most, all counted (bar ${megabytes(BARS.scaleBytes)}: ${verdict});`,
    `${short(seconds)} s, of these measuring ${short(parts.measure)}, solving ${short(parts.solve)}, mixing ${short(parts.mix)}, reading headers ${short(parts.rest)}; fsync ${short(parts.flush)} s.`,
  ].join(" ");
}

function short(seconds) {
  return seconds >= 100 ? seconds.toFixed(0) : seconds.toPrecision(3);
}

function megabytes(bytes) {
  return `${(bytes / 2 ** 20).toFixed(0)} MiB`;
}
