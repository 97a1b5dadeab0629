// Keep the history of the log's keys and judge notes by it (section 6).
import { sha256, strictBase64, utf8 } from './bytes.mjs';
import * as canonical from './canonical.mjs';
import * as keys from './keys.mjs';
import { hashOfLeaf } from './merkle.mjs';
import * as notes from './notes.mjs';
import { exactly, hasExactly, isIndex, isString, isTime, microseconds, oneOf, orNull } from './shape.mjs';

const TYPES = [keys.ED25519, keys.COSIGNATURE, keys.ML_DSA_44];
const LOG_TYPES = [keys.ED25519, keys.ML_DSA_44];
const FORM = {
  v: exactly(1),
  event: oneOf('begin', 'rotate', 'retire', 'compromise'),
  vkey: isString,
  from_size: orNull(isIndex),
  to_size: orNull(isIndex),
  compromised_at: orNull(isTime),
  signed_by: isString,
  signature: isString,
};
// event → the members that must be there; the others must be null.
const NEEDS = {
  begin: ['from_size'],
  rotate: ['from_size', 'to_size'],
  retire: ['to_size'],
  compromise: ['to_size', 'compromised_at'],
};

const isSameKey = (a, b) => keys.isSameSigner(a, b) || a.material.equals(b.material);
const ifNot = (condition, message) => {
  if (!condition) throw new Refused(message);
};

class Refused extends Error {}

function parseDocument(text) {
  try {
    return canonical.parse(text);
  } catch (error) {
    if (error instanceof canonical.NotCanonical) return null;
    throw error;
  }
}

function formOf(text) {
  const document = parseDocument(text);
  ifNot(hasExactly(document, FORM), 'its form is wrong');
  for (const member of ['from_size', 'to_size', 'compromised_at']) {
    const needed = NEEDS[document.event].includes(member);
    ifNot((document[member] !== null) === needed, `${member} does not go with ${document.event}`);
  }
  const [key, signer] = [document.vkey, document.signed_by].map((vkey) => keys.parse(vkey, TYPES));
  ifNot(key && signer, 'a key of it is no verifier key');
  return { document, key, signer };
}

function checkSignature(document, signer, origin) {
  const { signature, ...rest } = document;
  const data = utf8(canonical.write(rest));
  const note = notes.parse(strictBase64(signature) ?? Buffer.alloc(0));
  const root = hashOfLeaf(data).toString('base64');
  const text = `${origin}/key/${sha256(data).toString('hex')}\n1\n${root}\n`;
  ifNot(note && note.text === text, 'its signature is on something else');
  ifNot(note.signatures.length === 1, 'somebody else signed it too');
  ifNot(keys.signatureOf(note, signer).state === 'good', 'its signature does not verify');
}

export class History {
  constructor(origin, pinned, witnesses) {
    this.origin = origin;
    this.witnesses = witnesses;
    this.records = pinned.map((key) => ({ key, from: 0, to: null, compromisedAt: null }));
  }

  record(key) {
    return this.records.find((record) => record.key.vkey === key.vkey);
  }

  /** Apply a key document; throws Refused. */
  apply(text) {
    const { document, key, signer } = formOf(text);
    checkSignature(document, signer, this.origin);
    const by = this.record(signer);
    ifNot(by, 'it is signed by an unknown key');
    const ofItself = document.event === 'compromise' && signer.vkey === key.vkey;
    ifNot(by.to === null || ofItself, 'it is signed by a key that has ended');
    ifNot(by.from <= (document.from_size ?? document.to_size), 'its key was not in force yet');
    if (document.from_size !== null) this.begin(document, key, by);
    else this.end(document, key);
  }

  begin(document, key, by) {
    ifNot(key.name === this.origin && LOG_TYPES.includes(key.type), 'the key is none that signs for this log');
    ifNot(!this.records.some((record) => isSameKey(record.key, key)), 'the key was there before');
    const last = Math.max(1, ...this.records.map((record) => record.from));
    ifNot(document.from_size >= last, 'it begins before another one');
    if (document.event === 'rotate') {
      ifNot(document.to_size === document.from_size + 1, 'the keys do not overlap by one');
      ifNot(by.key.type === key.type, 'the keys are of different types');
      ifNot(document.to_size > by.from, 'the key ends before it begins');
      by.to = document.to_size;
    }
    this.records.push({ key, from: document.from_size, to: null, compromisedAt: null });
  }

  end(document, key) {
    const record = this.record(key);
    ifNot(record, 'it ends an unknown key');
    ifNot(document.event !== 'retire' || record.to === null, 'the key has an end');
    ifNot(document.to_size > record.from, 'the key ends before it begins');
    if (document.event === 'compromise') {
      const at = microseconds(document.compromised_at);
      ifNot(record.compromisedAt === null || at < record.compromisedAt, 'an earlier compromise is known');
      record.compromisedAt = at;
    }
    record.to = Math.min(record.to ?? Infinity, document.to_size);
  }

  inForce(size) {
    return this.records.filter(({ from, to }) => from <= size && (to === null || size < to));
  }

  /** Say whether every key in force signed the note. */
  isSigned(note) {
    const needed = this.inForce(note.checkpoint.size);
    return needed.length > 0 && needed.every(({ key }) => keys.signatureOf(note, key).state === 'good');
  }

  /** Return null when the note is accepted, else {verdict, message}; `times` prove when it was there. */
  judge(note, times) {
    if (this.records.length === 0) return { verdict: 'UNANCHORED', message: 'no key of the log was given' };
    const needed = this.inForce(note.checkpoint.size);
    if (needed.length === 0) return { verdict: 'UNANCHORED', message: 'no key is in force at this size' };
    const named = ({ key }) => note.signatures.some((signature) => keys.isSameSigner(signature, key));
    const states = needed.map(({ key }) => keys.signatureOf(note, key).state);
    const tampered = (message) => ({ verdict: 'TAMPERED', message });
    if (states.includes('wrong')) return tampered('a signature of the log is wrong');
    if (this.witnesses.some((key) => keys.signatureOf(note, key).state === 'wrong')) {
      return tampered('the signature of a witness is wrong');
    }
    if (this.records.some((record) => !needed.includes(record) && named(record))) {
      return tampered('a key signed that is not in force at this size');
    }
    if (states.includes('missing')) return { verdict: 'UNANCHORED', message: 'a signature of the log is missing' };
    const late = needed.some(
      ({ compromisedAt }) => compromisedAt !== null && !times.some((time) => time < compromisedAt),
    );
    return late ? tampered('a key was compromised, and nothing proves that it signed before') : null;
  }
}

/** Apply the key documents in order; the first that is refused ends the history. */
export function build({ origin, pinned, witnesses, documents, faults }) {
  const history = new History(origin, pinned, witnesses);
  if (pinned.length === 0) return history;
  for (const { index, text } of documents) {
    try {
      history.apply(text);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      faults.add('TAMPERED', `key document: ${error.message}`, { index });
      break;
    }
  }
  return history;
}
