// Read what the log says about itself (sections 5, 7, 8 and 9).
import { byBytes } from './bytes.mjs';
import * as canonical from './canonical.mjs';
import { ascends, exactly, has, isArray, isHex32, isIndex, isInteger, isObject, isString, isText } from './shape.mjs';

const isBucketCount = (value) =>
  isInteger(value) && value >= 1 && value <= 2 ** 32 && Number.isInteger(Math.log2(value));

const FORMS = {
  timestamp: { v: exactly(1), size: isIndex, token_sha256: isHex32 },
  redactable: {
    v: exactly(1),
    paths: (value) => isArray(value) && value.every(isString) && ascends(value, byBytes),
  },
  redaction: {
    v: exactly(1),
    index: isIndex,
    path: isString,
    legal_basis: isText,
    persons: (value) => isArray(value) && value.length === 2 && value.every(isText) && value[0] !== value[1],
  },
  seal: {
    v: exactly(1),
    tree_size: isIndex,
    buckets: isBucketCount,
    records: isIndex,
    keys: isIndex,
    root: isHex32,
    chain: isHex32,
    xmin: isString,
    clock: isObject,
  },
  origin: { v: exactly(1), old_origin: isText, closed_size: isIndex, closed_root: isHex32, closed_chain: isHex32 },
};

function documentOf(kind, text) {
  try {
    const found = canonical.parse(text);
    return has(found, FORMS[kind]) ? found : null;
  } catch (error) {
    if (error instanceof canonical.NotCanonical) return null;
    throw error;
  }
}

/** Return the documents of each kind, ascending: {index, document}, for `key` {index, text}. */
export function read(entries, faults) {
  const found = { key: [], timestamp: [], redactable: [], redaction: [], seal: [], origin: [] };
  for (const { index, isSound, body } of entries) {
    if (!isSound || body.record !== 'trail_logevent') continue;
    const { kind, document: text } = body.new;
    if (body.op !== 'insert' || !isString(kind) || !isString(text)) {
      faults.add('NONCANONICAL', 'the log says nothing about itself in this way', { index });
      continue;
    }
    if (!Object.hasOwn(found, kind)) continue;
    if (kind === 'key') {
      found.key.push({ index, text });
      continue;
    }
    const document = documentOf(kind, text);
    if (document) found[kind].push({ index, document });
    else faults.add('NONCANONICAL', `the document has not the form of a ${kind}`, { index });
  }
  return found;
}
