// Read verifier keys (vkeys) and check their signatures on notes (section 6).
import { createPublicKey, verify as verifySignature } from 'node:crypto';
import { hex, sha256, strictBase64, u64, utf8 } from './bytes.mjs';
import * as mldsa from './mldsa.mjs';

export const ED25519 = 1;
export const COSIGNATURE = 4;
export const ML_DSA_44 = 6;
const LENGTHS = { [ED25519]: 32, [COSIGNATURE]: 32, [ML_DSA_44]: mldsa.KEY_BYTES };
const LONGEST_NAME = 255; // bytes: one byte of what an ML-DSA-44 key signs is the length of its name
const VKEY = /^([^+\p{White_Space}\u0000-\u001f]+)\+([0-9a-f]{8})\+(\S+)$/u;
const SPKI = Buffer.from('302a300506032b6570032100', 'hex'); // RFC 8410: what stands before the 32 bytes
const P = 2n ** 255n - 19n;
// The y of the points of order 1, 2, 4 and 8 (RFC 7748's torsion subgroup), whatever the sign of x.
const SMALL_ORDER = new Set([
  1n,
  P - 1n,
  0n,
  0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd83d3d706a17c7n,
  0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826n,
]);

function isRefused(encoded) {
  const bigEndian = Buffer.from(encoded).reverse();
  bigEndian[0] &= 0x7f; // the sign of x
  const y = BigInt(`0x${hex(bigEndian)}`);
  return y >= P || SMALL_ORDER.has(y);
}

/** Return the key that a vkey says, or null. */
export function parse(vkey, types) {
  const found = VKEY.exec(vkey);
  const bytes = found && strictBase64(found[3]);
  if (!bytes || bytes.length < 1) return null;
  const [type, material] = [bytes[0], bytes.subarray(1)];
  if (!types.includes(type) || material.length !== LENGTHS[type]) return null;
  if (type === ML_DSA_44 && utf8(found[1]).length > LONGEST_NAME) return null;
  const id = hex(sha256(utf8(`${found[1]}\n`), bytes).subarray(0, 4));
  if (id !== found[2] || (type !== ML_DSA_44 && isRefused(material))) return null;
  return { vkey, name: found[1], id, type, material };
}

export const isSameSigner = (a, b) => a.name === b.name && a.id === b.id;

function ed25519(key, message, signature) {
  if (signature.length !== 64) return false;
  const spki = createPublicKey({ key: Buffer.concat([SPKI, key.material]), format: 'der', type: 'spki' });
  return verifySignature(null, message, spki, signature);
}

function opaque(text) {
  const bytes = utf8(text);
  return bytes.length >= 1 && bytes.length <= 255 ? Buffer.concat([Buffer.of(bytes.length), bytes]) : null;
}

function cosignedMessage(key, time, checkpoint) {
  const [name, origin] = [opaque(key.name), opaque(checkpoint.origin)];
  if (!name || !origin || checkpoint.hasExtensions) return null;
  return Buffer.concat([
    utf8('subtree/v1\n\0'), name, u64(time), origin, u64(0), u64(checkpoint.size), checkpoint.root,
  ]);
}

function timed(key, note, bytes) {
  if (bytes.length < 8) return null;
  const [time, signature] = [bytes.readBigUInt64BE(0), bytes.subarray(8)];
  if (time > 2n ** 63n - 1n) return null;
  if (key.type === COSIGNATURE) {
    const message = utf8(`cosignature/v1\ntime ${time}\n${note.text}`);
    return ed25519(key, message, signature) ? { time } : null;
  }
  const message = cosignedMessage(key, time, note.checkpoint);
  return message && mldsa.verify({ key: key.material, message, signature }) ? { time } : null;
}

/**
 * Return what the note says of the key: `missing`, `wrong`, or `good` with the cosignature's time.
 * Two signatures of one key are wrong, whatever they are.
 */
export function signatureOf(note, key) {
  const mine = note.signatures.filter((signature) => isSameSigner(signature, key));
  if (mine.length === 0) return { state: 'missing' };
  if (mine.length > 1) return { state: 'wrong' };
  const [{ bytes }] = mine;
  if (key.type !== ED25519) {
    const result = timed(key, note, bytes);
    return result ? { state: 'good', time: result.time } : { state: 'wrong' };
  }
  return ed25519(key, utf8(note.text), bytes) ? { state: 'good', time: 0n } : { state: 'wrong' };
}
