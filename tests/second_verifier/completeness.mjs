// Check that the claimed records are complete, by the sealed heads (section 8).
import { sha256, unhex, utf8 } from './bytes.mjs';
import { write } from './canonical.mjs';
import { hashOfLeaf, isIncluded } from './merkle.mjs';
import { keyOf } from './records.mjs';

const FILE = 'completeness.json';

export function headKey(record, id) {
  return sha256(utf8(`gmp-audit/head/v1\0${utf8(record).length}:${record}:${id}`));
}

/** The first k bits of the key, k at most 32. */
const bucketOf = (key, buckets) => Math.floor(key.readUInt32BE(0) / (2 ** 32 / buckets));

/** Report seals that contradict the log. */
export function reportSeals({ entries, documents, faults }) {
  const placed = new Map(entries.filter(({ isPlaced }) => isPlaced).map((entry) => [entry.index, entry]));
  for (const { index, document } of documents.seal) {
    const next = placed.get(document.tree_size);
    if (document.tree_size > index) faults.add('TAMPERED', 'it seals entries after itself', { index });
    else if (next && next.previous !== document.chain) faults.add('TAMPERED', 'it seals another chain', { index });
    const present = documents.key.filter((key) => key.index < document.tree_size).length;
    if (present < document.keys) faults.add('MISSING', 'documents about keys are not here', { index });
    else if (present > document.keys) faults.add('TAMPERED', 'it seals fewer documents about keys', { index });
  }
}

function isProven({ bucket, heads, proof }, seal) {
  if (bucket >= seal.buckets) return false;
  const keys = heads.map(({ record, id }) => headKey(record, id));
  const isOrdered = keys.every((key, i) => i === 0 || Buffer.compare(keys[i - 1], key) < 0);
  const areHere = keys.every((key) => bucketOf(key, seal.buckets) === bucket);
  const areBefore = heads.every(({ index }) => index < seal.tree_size);
  const leaf = hashOfLeaf(utf8(write(heads)));
  const root = unhex(seal.root);
  return isOrdered && areHere && areBefore && isIncluded({ leaf, index: bucket, size: seal.buckets, proof, root });
}

function provenBuckets({ buckets }, seal, faults) {
  const proven = new Map();
  for (const each of buckets) {
    if (isProven(each, seal)) proven.set(each.bucket, each.heads);
    else faults.add('TAMPERED', `bucket ${each.bucket} is not what was sealed`, { file: FILE });
  }
  return proven;
}

function compare({ place, own, head, faults }) {
  const last = own.at(-1);
  if (!head) {
    if (last) faults.add('TAMPERED', 'the seal knows no such record', place);
    return;
  }
  const isWhole = own.length === head.entries;
  const { body } = last ?? {};
  const isLast =
    last && last.digest === head.digest && last.index === head.index && body.op === head.op && body.record_seq === head.seq;
  if (isWhole && isLast) return;
  const isShort = own.length < head.entries || last.index < head.index;
  if (isShort) faults.add('MISSING', `entry ${head.seq} of the record is not here`, place);
  else faults.add('TAMPERED', 'the seal says something else of the record', place);
}

/** Say of which records nothing is left out: those that no fault names and that have entries below the seal. */
function noteWhole({ bundle, walks, seal, faults, notesOfRun }) {
  const named = new Set(faults.all.filter(({ record }) => record !== null).map(({ record, record_id: id }) => keyOf(record, id)));
  const sure = bundle.subject.records.map(({ record, record_id: id }) => keyOf(record, id)).filter((key) => !named.has(key));
  const whole = sure.filter((key) => walks.get(key)?.some(({ index }) => index < seal.tree_size));
  notesOfRun.push(
    whole.length > 0
      ? `records shown complete as of tree size ${seal.tree_size}: ${whole.length}`
      : 'no history of a record is shown complete: nothing is said of what may be left out',
  );
}

/** Report claimed records that are not shown to be whole. */
export function check({ bundle, walks, seals, faults, notesOfRun }) {
  const { completeness, subject } = bundle;
  const named = seals.find(({ index }) => index === completeness.seal && !faults.has('TAMPERED', index));
  const seal = named?.document;
  const proven = seal ? provenBuckets(completeness, seal, faults) : new Map();
  for (const { record, record_id } of subject.records) {
    const heads = seal && proven.get(bucketOf(headKey(record, record_id), seal.buckets));
    if (!heads) {
      faults.add('MISSING', 'nothing shows that the record is whole', { file: FILE, record, record_id });
      continue;
    }
    const own = (walks.get(keyOf(record, record_id)) ?? []).filter(({ index }) => index < seal.tree_size);
    const head = heads.find((each) => each.record === record && each.id === record_id);
    compare({ place: { record, record_id }, own, head, faults });
  }
  noteWhole({ bundle, walks, seal, faults, notesOfRun });
}
