// Read the files of a bundle into what they say, refusing every other form (sections 2, 4, 6, 7, 8, 9).
import { byBytes, hex, sha256, strictBase64, strictText, utf8 } from './bytes.mjs';
import * as canonical from './canonical.mjs';
import * as certificates from './certificates.mjs';
import { NotDer } from './der.mjs';
import { Malformed, require } from './faults.mjs';
import * as notes from './notes.mjs';
import * as shape from './shape.mjs';
import { ascends, exactly, hasExactly, isArray, isHex32, isIndex, isInteger, isObject, isProof, isString, isText, oneOf, orNull } from './shape.mjs';

const isOfRange = (value) => hasExactly(value, { first: isIndex, last: isIndex }) && value.first <= value.last;
const isOfRecord = (value) => hasExactly(value, { record: isText, record_id: isText });
const byRecord = (a, b) => byBytes(a.record, b.record) || byBytes(a.record_id, b.record_id);
const byNumber = (a, b) => a - b;

const SUBJECT = {
  kind: oneOf('record', 'batch', 'period', 'person', 'act'),
  title: isString,
  description: isString,
  records: (value) => isArray(value) && value.every(isOfRecord) && ascends(value, byRecord),
  range: orNull(isOfRange),
};
const isOfSubject = (value) =>
  hasExactly(value, SUBJECT) &&
  (value.range !== null) === (value.kind === 'period') &&
  (value.records.length > 0 || !['record', 'batch'].includes(value.kind));
const MANIFEST = {
  v: exactly(1),
  form: exactly('gmp-audit/evidence-bundle'),
  origin: isText,
  tree_size: (value) => isIndex(value) && value >= 1,
  created_at: shape.isTime,
  subject: isOfSubject,
  files: isArray,
};
const LISTED = { name: isString, sha256: isHex32, size: isInteger };
const LINE = { digest: isHex32, index: isIndex, previous: isHex32, proof: isProof };
const HEAD = {
  digest: isHex32,
  entries: (value) => isIndex(value) && value >= 1,
  id: isText,
  index: isIndex,
  op: oneOf('insert', 'update', 'delete'),
  record: isText,
  seq: (value) => isIndex(value) && value >= 1,
};
const isOfHead = (value) => hasExactly(value, HEAD);
const BUCKET = { bucket: isIndex, heads: (value) => isArray(value) && value.every(isOfHead), proof: isProof };
const COMPLETENESS = {
  v: exactly(1),
  seal: orNull(isIndex),
  buckets: (value) =>
    isArray(value) && value.every((each) => hasExactly(each, BUCKET)) && ascends(value, (a, b) => byNumber(a.bucket, b.bucket)),
};
const OPENING = { index: isIndex, path: isString, salt: isHex32, value: isString };
const byOpening = (a, b) => byNumber(a.index, b.index) || byBytes(a.path, b.path) || byBytes(a.salt, b.salt);

function json(text, file) {
  try {
    return typeof text === 'string' ? canonical.parse(text) : canonical.parseBytes(text);
  } catch (error) {
    if (!(error instanceof canonical.NotCanonical)) throw error;
    throw new Malformed(error.message, file);
  }
}

function manifest(files) {
  const file = 'manifest.json';
  const found = json(files.get(file), file);
  require(hasExactly(found, MANIFEST), 'its form is wrong', file);
  const { range } = found.subject;
  require(range === null || range.last < found.tree_size, 'its range goes beyond the tree', file);
  const names = [...files.keys()].filter((name) => name !== file);
  require(found.files.every((each) => hasExactly(each, LISTED)), 'its list of files is wrong', file);
  const listed = found.files.map(({ name }) => name);
  require(canonical.write(listed) === canonical.write(names), 'it lists other files than are here', file);
  for (const { name, sha256: wanted, size } of found.files) {
    const content = files.get(name);
    require(content.length === size && hex(sha256(content)) === wanted, 'the manifest says something else of it', name);
  }
  return found;
}

function bodyOf(line, file) {
  if ('body' in line) return utf8(line.body);
  const bytes = strictBase64(line.body_base64);
  require(bytes, 'a body is no base64', file);
  require(strictText(bytes) === null, 'a body is UTF-8 and yet base64', file);
  return bytes;
}

function entries(files, treeSize) {
  const file = 'entries.jsonl';
  const text = strictText(files.get(file));
  require(text !== null && (text === '' || text.endsWith('\n')), 'it is no lines of UTF-8', file);
  const lines = text.split('\n').slice(0, -1).map((line) => json(line, file));
  for (const line of lines) {
    const isLine = hasExactly(line, { ...LINE, body: isString }) || hasExactly(line, { ...LINE, body_base64: isString });
    require(isLine && line.index < treeSize, 'a line has a wrong form', file);
  }
  require(ascends(lines, (a, b) => byNumber(a.index, b.index)), 'its lines do not ascend', file);
  return lines.map((line) => ({ ...line, body: bodyOf(line, file) }));
}

function checkpoints(files, { origin, tree_size: treeSize }) {
  const found = new Map();
  for (const [file, bytes] of files) {
    if (!file.startsWith('checkpoints/')) continue;
    const size = Number(file.slice(12, -5));
    const note = notes.parse(bytes);
    require(note && note.checkpoint.origin === origin, 'it is no checkpoint of this log', file);
    require(note.checkpoint.size === BigInt(size) && size <= treeSize, 'it is of another size', file);
    found.set(size, { file, bytes, note });
  }
  require(found.has(treeSize), 'the checkpoint of the tree is not here');
  return new Map([...found].sort(([a], [b]) => a - b));
}

function consistency(files, held, treeSize) {
  const file = 'consistency.json';
  const found = json(files.get(file), file);
  const wanted = [...held.keys()].filter((size) => size < treeSize).map(String);
  require(isObject(found) && Object.keys(found).length === wanted.length, 'it is not of the checkpoints', file);
  require(wanted.every((size) => isProof(found[size])), 'it is not of the checkpoints', file);
  return new Map(wanted.map((size) => [Number(size), found[size]]));
}

function timestamps(files, held) {
  const found = new Map();
  for (const [file, response] of files) {
    if (!file.startsWith('timestamps/')) continue;
    const size = Number(file.slice(11).split('.')[0]);
    require(files.has(`timestamps/${size}.tsr`), 'there is no token for it', file);
    require(held.has(size), 'there is no checkpoint for it', file);
    if (!file.endsWith('.tsr')) continue;
    const { bytes: own, note } = held.get(size);
    const stamped = files.get(`timestamps/${size}.note`);
    const stampedNote = stamped ? notes.parse(stamped) : note;
    require(stampedNote && stampedNote.text === note.text, 'it is not of the checkpoint', `timestamps/${size}.note`);
    found.set(size, { file, response, bytes: stamped ?? own, note: stampedNote });
  }
  return found;
}

function completeness(files) {
  const file = 'completeness.json';
  const found = json(files.get(file), file);
  require(hasExactly(found, COMPLETENESS), 'its form is wrong', file);
  require(found.seal !== null || found.buckets.length === 0, 'there are buckets without a seal', file);
  return found;
}

function openings(files) {
  const file = 'openings.json';
  const found = json(files.get(file), file);
  require(isArray(found) && found.every((each) => hasExactly(each, OPENING)) && ascends(found, byOpening), 'its form is wrong', file);
  return found;
}

function authorities(files) {
  const file = 'tsa.pem';
  try {
    return files.has(file) ? certificates.fromPem(files.get(file)) : [];
  } catch (error) {
    if (!(error instanceof NotDer)) throw error;
    throw new Malformed(error.message, file);
  }
}

/** Return what the bundle says; throws Malformed. */
export function read(files) {
  const about = manifest(files);
  const held = checkpoints(files, about);
  return {
    origin: about.origin,
    treeSize: about.tree_size,
    subject: about.subject,
    checkpoints: held,
    root: held.get(about.tree_size).note.checkpoint.root,
    consistency: consistency(files, held, about.tree_size),
    timestamps: timestamps(files, held),
    entries: entries(files, about.tree_size),
    completeness: completeness(files),
    openings: openings(files),
    authorities: authorities(files),
  };
}
