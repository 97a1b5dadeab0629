// Read C2SP signed notes whose text is a C2SP checkpoint (section 6).
import { hex, strictBase64, strictText } from './bytes.mjs';
import { EMPTY_ROOT } from './merkle.mjs';

const MOST_BYTES = 1_000_000;
const MOST_SIGNATURES = 100;
const SIGNATURE = /^— ([^+\p{White_Space}]+) (\S+)$/u;
const CONTROL = /[\u0000-\u0009\u000b-\u001f]/;
const MOST_LEAVES = 2n ** 63n - 1n;
const SIZE = /^(?:0|[1-9][0-9]{0,18})$/;

function signatureLine(line) {
  const found = SIGNATURE.exec(line);
  const bytes = found && strictBase64(found[2]);
  if (!bytes || bytes.length < 5) return null;
  return { name: found[1], id: hex(bytes.subarray(0, 4)), bytes: bytes.subarray(4) };
}

/** Read the text of a checkpoint, or return null; sizes go up to 2^63-1, so they are BigInt. */
export function parseCheckpoint(text) {
  const lines = text.split('\n');
  if (lines.pop() !== '' || lines.length < 3 || lines.includes('')) return null;
  const root = strictBase64(lines[2]);
  if (!SIZE.test(lines[1]) || BigInt(lines[1]) > MOST_LEAVES || !root || root.length !== 32) return null;
  if (lines[1] === '0' && !root.equals(EMPTY_ROOT)) return null;
  return { origin: lines[0], size: BigInt(lines[1]), root, hasExtensions: lines.length > 3 };
}

/** Return {text, signatures, checkpoint}, or null when the bytes are no note of a checkpoint. */
export function parse(bytes) {
  const whole = bytes.length <= MOST_BYTES ? strictText(bytes) : null;
  if (whole === null || CONTROL.test(whole) || !whole.endsWith('\n')) return null;
  const end = whole.lastIndexOf('\n\n');
  if (end < 0) return null;
  const text = whole.slice(0, end + 1);
  const lines = whole.slice(end + 2, -1).split('\n');
  if (lines.length > MOST_SIGNATURES) return null;
  const signatures = lines.map(signatureLine);
  const checkpoint = parseCheckpoint(text);
  return checkpoint && !signatures.includes(null) ? { text, signatures, checkpoint } : null;
}
