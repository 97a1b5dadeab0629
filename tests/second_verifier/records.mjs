// Walk the entries of every record and fold their values (section 8).
import { write } from './canonical.mjs';
import { isCommitment, isUnrepeated } from './commitments.mjs';

export const keyOf = (record, id) => JSON.stringify([record, id]);

/** Return the entries of every record in order, of all that have a body of the form. */
export function walks(entries) {
  const found = new Map();
  for (const entry of entries.filter(({ body }) => body)) {
    const key = keyOf(entry.body.record, entry.body.record_id);
    if (!found.has(key)) found.set(key, []);
    found.get(key).push(entry);
  }
  return found;
}

/** How an entry follows the one before: `good`, `gap`, `TAMPERED` or `REORDERED`. */
function step(before, { index, body }, { isStrict, continuedTo }) {
  const isAlive = before && before.body.op !== 'delete';
  if (body.op === 'insert') return isAlive ? 'gap' : 'good';
  if (!before && index < continuedTo) return 'good'; // the entry before is in the log that this one continues
  if (!isAlive) return 'gap';
  const expected = before.body.record_seq + 1;
  if (body.record_seq === expected && body.prev === before.digest) return 'good';
  if (!isStrict || body.record_seq > expected) return 'gap'; // whole lives may be outside of the bundle
  return body.record_seq < expected ? 'REORDERED' : 'TAMPERED';
}

class State {
  constructor(opened) {
    this.opened = opened;
    this.columns = new Map(); // column → {value, index of the entry it is from}
  }

  forget(columns = [...this.columns.keys()]) {
    for (const column of columns) this.columns.delete(column);
  }

  learn({ index, body }) {
    for (const [column, value] of Object.entries(body.new)) this.columns.set(column, { value, index });
  }

  isSame(known, value, { index, body }, column) {
    const [a, b] = [known.value, value];
    if (isUnrepeated(b)) return a === null || isCommitment(a); // and as nothing else, itself included
    if (write(a) === write(b)) return true;
    if (!isCommitment(a) || !isCommitment(b)) return false;
    const path = `${body.record}.${column}`;
    const [first, second] = [this.opened.value(known.index, path, a.c), this.opened.value(index, path, b.c)];
    return first === undefined || second === undefined || first === second;
  }

  /** Say whether the entry's old values are those that are known. */
  agrees(entry) {
    return Object.entries(entry.body.old).every(([column, value]) => {
      const known = this.columns.get(column);
      return known === undefined || this.isSame(known, value, entry, column);
    });
  }
}

function fold(state, entry, faults) {
  const { op } = entry.body;
  if (op === 'insert') state.forget();
  if (!entry.isPlaced) {
    state.forget(op === 'delete' ? undefined : Object.keys(entry.body.new));
    return;
  }
  if (op !== 'insert' && !state.agrees(entry)) {
    faults.add('TAMPERED', 'the values before are not those of the entries before', { index: entry.index });
  }
  if (op === 'delete') state.forget();
  else state.learn(entry);
}

function walk(entries, isStrictStep, { opened, faults, continuedTo }) {
  const state = new State(opened);
  entries.forEach((entry, i) => {
    const before = entries[i - 1];
    const { index, body } = entry;
    const isStrict = isStrictStep(before, entry);
    const how = step(before, entry, { isStrict, continuedTo });
    const { record, record_id } = body;
    if (how === 'gap' && isStrict) {
      const first = before ? before.body.record_seq + 1 : 1;
      faults.add('MISSING', `entry ${first} of the record is not here`, { index, record, record_id });
    }
    if (how === 'TAMPERED' || how === 'REORDERED') {
      faults.add(how, 'the entry does not follow the one before', { index, record, record_id });
    }
    if (how === 'gap' || how === 'REORDERED') state.forget();
    fold(state, entry, faults);
  });
}

/** Report what does not follow within the records; return the walks. */
export function check({ bundle, entries, opened, documents, faults }) {
  const claimed = new Set(bundle.subject.records.map(({ record, record_id: id }) => keyOf(record, id)));
  const { range } = bundle.subject;
  const isInRange = (entry) => range !== null && range.first <= entry.index && entry.index <= range.last;
  const found = walks(entries);
  const seal = documents.seal.find(({ index }) => index === bundle.completeness.seal);
  const isContinued = documents.origin.some(({ index }) => index === 0);
  const continuedTo = seal && isContinued ? seal.document.tree_size : 0;
  for (const [key, own] of found) {
    const isStrictStep = (before, entry) => claimed.has(key) || (before && isInRange(before) && isInRange(entry));
    walk(own, isStrictStep, { opened, faults, continuedTo });
  }
  return found;
}
