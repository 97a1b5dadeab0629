// Check openings of commitments and authorised redactions (section 9).
import { hex, sha256, unhex, utf8 } from './bytes.mjs';
import { exactly, hasExactly, isHex32 } from './shape.mjs';

const DOMAIN = utf8('gmp-audit/commit/v1\0');

export const isCommitment = (value) => hasExactly(value, { c: isHex32 });
/** {"c":null} in `old` stands for a value that is not committed to a second time (section 8). */
export const isUnrepeated = (value) => hasExactly(value, { c: exactly(null) });

function commit({ path, salt, value }) {
  const bytes = utf8(path);
  if (bytes.length > 0xffff) return null;
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return hex(sha256(DOMAIN, length, bytes, unhex(salt), utf8(value)));
}

/** Return the commitments of an entry: {path, column, c}. */
function commitmentsOf({ record, new: after, old }) {
  return [after, old].flatMap((values) =>
    Object.entries(values)
      .filter(([, value]) => isCommitment(value))
      .map(([column, { c }]) => ({ path: `${record}.${column}`, column, c })),
  );
}

const keyOf = (index, path, c) => JSON.stringify([index, path, c]);

export class Openings {
  constructor() {
    this.values = new Map();
  }

  /** Return the value of a commitment that the entry has, or undefined when nobody opened it. */
  value(index, path, c) {
    return this.values.get(keyOf(index, path, c));
  }
}

/** Return the openings that open something; the others are reported. */
export function open(bundle, entries, faults) {
  const opened = new Openings();
  const bodies = new Map(entries.filter(({ body }) => body).map(({ index, body }) => [index, body]));
  for (const opening of bundle.openings) {
    const { index, path, value } = opening;
    const c = commit(opening);
    const body = bodies.get(index);
    if (body && commitmentsOf(body).some((each) => each.path === path && each.c === c)) {
      opened.values.set(keyOf(index, path, c), value);
    } else {
      faults.add('TAMPERED', `the opening of ${path} opens nothing`, { file: 'openings.json', index });
    }
  }
  return opened;
}

/** Return the (index, path) that redactions authorise; redactions that authorise nothing are reported. */
function authorised({ redactable, redaction }, faults) {
  const found = new Set();
  for (const { index, document } of redaction) {
    const inForce = redactable.findLast((each) => each.index < document.index);
    if (index > document.index && inForce?.document.paths.includes(document.path)) {
      found.add(JSON.stringify([document.index, document.path]));
    } else {
      faults.add('TAMPERED', 'the redaction authorises nothing', { index });
    }
  }
  return found;
}

/** Report commitments that nobody opened or redacted; return the indices of redacted entries. */
export function check({ entries, opened, documents, faults }) {
  const allowed = authorised(documents, faults);
  const redacted = new Set();
  for (const { index, isSound, body } of entries) {
    if (!isSound) continue;
    const closed = commitmentsOf(body).filter(({ path, c }) => opened.value(index, path, c) === undefined);
    const unexplained = closed.filter(({ path }) => !allowed.has(JSON.stringify([index, path])));
    if (unexplained.length > 0) {
      faults.add('MISSING_OPENING', `${unexplained[0].path} is neither opened nor redacted`, { index });
    } else if (closed.length > 0) {
      redacted.add(index);
    }
  }
  return redacted;
}
