// Check every entry alone, its chain and the claimed range (sections 4 and 5).
import { strictText } from './bytes.mjs';
import * as canonical from './canonical.mjs';
import { isUnrepeated } from './commitments.mjs';
import * as merkle from './merkle.mjs';
import { exactly, hasExactly, isHex32, isInteger, isObject, isString, isText, isTime, oneOf, orNull } from './shape.mjs';

const ACT = {
  acted_at: isTime,
  action: isString,
  actor: isString,
  actor_id: isString,
  id: isString,
  reason: isString,
  role: isString,
  source: isString,
};
const BODY = {
  act: (value) => hasExactly(value, ACT),
  after: orNull(isHex32),
  at: isTime,
  log: isString,
  new: (value) => isObject(value) && !Object.values(value).some(isUnrepeated),
  old: isObject,
  op: oneOf('insert', 'update', 'delete'),
  prev: orNull(isHex32),
  record: isText,
  record_id: isText,
  record_seq: (value) => isInteger(value) && value >= 1,
  v: exactly(2),
};
const columns = (values) => Object.keys(values).sort();
const isContinued = (body) => body.record_seq >= 2 && body.prev !== null;
const OPERATIONS = {
  insert: (body) =>
    body.record_seq === 1 && body.prev === null && body.after === null && columns(body.old).length === 0,
  update: (body) =>
    isContinued(body) &&
    body.after !== null &&
    columns(body.new).length > 0 &&
    canonical.write(columns(body.new)) === canonical.write(columns(body.old)),
  delete: (body) => isContinued(body) && body.after === null && columns(body.new).length === 0,
};

/** Return the body, or null when it is not canonical JSON of the form of section 5. */
function bodyOf(bytes) {
  try {
    const body = canonical.parseBytes(bytes);
    return hasExactly(body, BODY) && OPERATIONS[body.op](body) ? body : null;
  } catch (error) {
    if (error instanceof canonical.NotCanonical) return null;
    throw error;
  }
}

function checked(line, { origin, treeSize, root }) {
  const isWhole = merkle.entryDigest(line.body) === line.digest;
  const leaf = merkle.leafOfEntry({ origin, ...line });
  const isPlaced = isWhole && merkle.isIncluded({ ...line, leaf, size: treeSize, root });
  const body = bodyOf(line.body);
  return { ...line, leaf, isWhole, isPlaced, body, isSound: isPlaced && body !== null && body.log === origin };
}

/** Say whether this entry's digest belongs to the place of a neighbour among the misplaced. */
function isOfNeighbour(entry, neighbour, { origin, treeSize, root }) {
  if (!neighbour) return false;
  const leaf = merkle.leafOfEntry({ origin, index: neighbour.index, digest: entry.digest, previous: neighbour.previous });
  return merkle.isIncluded({ leaf, index: neighbour.index, size: treeSize, proof: neighbour.proof, root });
}

function reportEach(entries, bundle, faults) {
  const misplaced = entries.filter((entry) => entry.isWhole && !entry.isPlaced);
  misplaced.forEach((entry, i) => {
    const isSwapped = [misplaced[i - 1], misplaced[i + 1]].some((other) => isOfNeighbour(entry, other, bundle));
    faults.add(isSwapped ? 'REORDERED' : 'TAMPERED', 'the entry is not at its place in the tree', { index: entry.index });
  });
  for (const { index, isWhole, isPlaced, body, isSound } of entries) {
    if (!isWhole) faults.add('TAMPERED', 'the body has another digest', { index });
    else if (isPlaced && !body) faults.add('NONCANONICAL', 'the body has not the form of an entry', { index });
    else if (isPlaced && !isSound) faults.add('TAMPERED', 'the entry is of another log', { index });
  }
}

function reportChain(entries, origin, faults) {
  entries.forEach((entry, i) => {
    if (!entry.isPlaced) return;
    const before = entries[i - 1];
    const start = entry.index === 0 ? merkle.chainStart(origin) : null;
    const follows = before?.isPlaced && before.index + 1 === entry.index;
    const head = follows ? merkle.chainNext(before.previous, before.leaf) : start;
    if (head !== null && head !== entry.previous) {
      faults.add('REORDERED', 'the chain does not lead here', { index: entry.index });
    }
  });
}

function reportRange(entries, range, faults) {
  let wanted = range.first;
  for (const { index } of [...entries, { index: range.last + 1 }]) {
    if (index < wanted || index > range.last + 1) continue;
    if (index > wanted) faults.add('MISSING', 'entries of the range are not here', { index: wanted });
    wanted = index + 1;
  }
}

/** Return the entries with what was found of each, and report what is wrong. */
export function check(bundle, faults) {
  const entries = bundle.entries.map((line) => checked(line, bundle));
  reportEach(entries, bundle, faults);
  reportChain(entries, bundle.origin, faults);
  if (bundle.subject.range) reportRange(entries, bundle.subject.range, faults);
  return entries;
}
