// Command line of the second verifier: one bundle, or many from standard input (section 12).
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { write } from './canonical.mjs';
import { verify } from './verification.mjs';

const USAGE = 'node verify.mjs BUNDLE [--trust FILE]... [--checkpoint FILE]... [--tolerance SECONDS] [--json] | --batch';
const OPTIONS = {
  trust: { type: 'string', multiple: true, default: [] },
  checkpoint: { type: 'string', multiple: true, default: [] },
  tolerance: { type: 'string', default: '300' },
  json: { type: 'boolean', default: false },
  batch: { type: 'boolean', default: false },
};

function people({ exit, origin, tree_size: size, anchored, entries, problems, notes }) {
  const counts = new Map();
  for (const verdict of Object.values(entries)) counts.set(verdict, (counts.get(verdict) ?? 0) + 1);
  const place = ({ file, index, record, record_id: id }) =>
    [file, index === null ? null : `entry ${index}`, record && `${record} ${id}`].filter((each) => each !== null).join(', ');
  return [
    `${origin ?? 'no bundle'}, ${size ?? 0} entries in the log, ${anchored ? 'anchored' : 'NOT anchored'}`,
    ...[...counts].sort().map(([verdict, count]) => `${count} ${verdict}`),
    ...problems.map((problem) => `${problem.verdict}: ${place(problem)}: ${problem.message}`),
    ...notes.map((note) => `note: ${note}`),
    `exit ${exit}`,
  ].join('\n');
}

/** Answer one JSON request a line ({"bundle", "trust", "checkpoints", "tolerance"}) with one line. */
async function batch() {
  for await (const line of createInterface({ input: process.stdin })) {
    process.stdout.write(`${write(verify(JSON.parse(line)))}\n`);
  }
}

function single({ values, positionals }) {
  if (positionals.length !== 1) usage('exactly one bundle is needed');
  const tolerance = /^[0-9]{1,10}$/.test(values.tolerance) ? Number(values.tolerance) : NaN;
  const answer = verify({ bundle: positionals[0], trust: values.trust, checkpoints: values.checkpoint, tolerance });
  process.stdout.write(`${values.json ? write(answer) : people(answer)}\n`);
  process.exitCode = answer.exit;
}

function usage(message) {
  process.stderr.write(`${message}\n${USAGE}\n`);
  process.exit(4);
}

function asked() {
  try {
    return parseArgs({ options: OPTIONS, allowPositionals: true });
  } catch (error) {
    return usage(error.message);
  }
}

const request = asked();
if (request.values.batch) await batch();
else single(request);
