// Check RFC 6962 proofs (RFC 9162 2.1.3.2 and 2.1.4.2) and hash the log's leaves (section 3).
import { hex, sha256, unhex, utf8 } from './bytes.mjs';
import { write } from './canonical.mjs';

const LEAF = Buffer.of(0);
const NODE = Buffer.of(1);
const CHAIN = Buffer.of(2);

export const EMPTY_ROOT = sha256();
export const hashOfLeaf = (data) => sha256(LEAF, data);
export const hashOfNode = (left, right) => sha256(NODE, left, right);
export const entryDigest = (body) => hex(sha256(utf8('gmp-audit/entry/v1\0'), body));
export const chainStart = (origin) => hex(sha256(utf8(`gmp-audit/chain/v1\0${origin}`)));
export const chainNext = (head, leaf) => hex(sha256(CHAIN, unhex(head), leaf));

export function leafOfEntry({ origin, index, digest, previous }) {
  return hashOfLeaf(utf8(write({ d: digest, i: index, log: origin, p: previous, v: 1 })));
}

/** Say whether the leaf is at the index of the tree; sizes reach 2^53, so no 32-bit operators. */
export function isIncluded({ leaf, index, size, proof, root }) {
  if (index >= size) return false;
  let fn = BigInt(index);
  let sn = BigInt(size) - 1n;
  let hash = leaf;
  for (const step of proof.map(unhex)) {
    if (sn === 0n) return false;
    if (fn & 1n || fn === sn) {
      hash = hashOfNode(step, hash);
      while (!(fn & 1n) && fn !== 0n) [fn, sn] = [fn >> 1n, sn >> 1n];
    } else {
      hash = hashOfNode(hash, step);
    }
    [fn, sn] = [fn >> 1n, sn >> 1n];
  }
  return sn === 0n && hash.equals(root);
}

const isPowerOfTwo = (value) => (value & (value - 1n)) === 0n;

/** Say whether the smaller tree is the beginning of the larger one. */
export function isConsistent({ first, second, firstRoot, secondRoot, proof }) {
  if (first === 0) return proof.length === 0;
  const path = proof.map(unhex);
  if (isPowerOfTwo(BigInt(first))) path.unshift(firstRoot);
  else if (path.length === 0) return false;
  let fn = BigInt(first) - 1n;
  let sn = BigInt(second) - 1n;
  while (fn & 1n) [fn, sn] = [fn >> 1n, sn >> 1n];
  if (path.length === 0) return false;
  let [fr, sr] = [path[0], path[0]];
  for (const step of path.slice(1)) {
    if (sn === 0n) return false;
    if (fn & 1n || fn === sn) {
      [fr, sr] = [hashOfNode(step, fr), hashOfNode(step, sr)];
      while (!(fn & 1n) && fn !== 0n) [fn, sn] = [fn >> 1n, sn >> 1n];
    } else {
      sr = hashOfNode(sr, step);
    }
    [fn, sn] = [fn >> 1n, sn >> 1n];
  }
  return sn === 0n && fr.equals(firstRoot) && sr.equals(secondRoot);
}
