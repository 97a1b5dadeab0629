// Read the files that say whom to trust: roots of time-stamping authorities, keys, policies (section 6).
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { strictText } from './bytes.mjs';
import * as certificates from './certificates.mjs';
import { Unusable } from './faults.mjs';
import * as keys from './keys.mjs';

const LOG_TYPES = [keys.ED25519, keys.ML_DSA_44];
const WITNESS_TYPES = [keys.COSIGNATURE, keys.ML_DSA_44];
const MOST_BYTES = 1_000_000; // of a policy
const NUMBER = /^[1-9][0-9]{0,8}$/;

const latin = (word) => strictText(Buffer.from(word, 'latin1')) ?? '';

class Policy {
  constructor() {
    this.logs = [];
    this.members = new Map(); // name → a witness {key} or a group {threshold, names}
    this.used = new Set();
    this.quorum = null;
  }

  log([vkey, ...more]) {
    const key = vkey !== undefined && more.length <= 1 ? keys.parse(latin(vkey), LOG_TYPES) : null;
    if (!key || this.has(key)) return false;
    this.logs.push(key);
    return true;
  }

  witness([name, vkey, ...more]) {
    const key = vkey !== undefined && more.length <= 1 ? keys.parse(latin(vkey), WITNESS_TYPES) : null;
    if (!key || this.has(key)) return false;
    return this.name(name, { key });
  }

  group([name, threshold, ...names]) {
    const most = names.length;
    const least = { any: 1, all: most }[threshold] ?? (NUMBER.test(threshold) ? Number(threshold) : 0);
    if (most < 1 || least < 1 || least > most) return false;
    for (const member of names) {
      if (!this.members.has(member) || this.used.has(member)) return false;
      this.used.add(member);
    }
    return this.name(name, { threshold: least, names });
  }

  decide([name, ...more]) {
    if (this.quorum !== null || more.length > 0) return false;
    if (name !== 'none' && !this.members.has(name)) return false;
    this.quorum = name;
    return true;
  }

  /** Say whether a key is here already: as a log and as a witness it would vouch for itself. */
  has(key) {
    const known = [...this.logs, ...this.witnesses()];
    return known.some((other) => other.material.equals(key.material) || keys.isSameSigner(other, key));
  }

  name(name, member) {
    if (name === 'none' || this.members.has(name)) return false;
    this.members.set(name, member);
    return true;
  }

  witnesses() {
    return [...this.members.values()].filter((member) => member.key).map((member) => member.key);
  }

  /** Say whether the quorum is met when `signed` says which witness cosigned. */
  isMet(signed, name = this.quorum) {
    if (name === 'none') return true;
    const member = this.members.get(name);
    if (member.key) return signed(member.key);
    return member.names.filter((each) => this.isMet(signed, each)).length >= member.threshold;
  }
}

function policy(bytes) {
  if (bytes.length > MOST_BYTES) return null;
  if (bytes.at(-1) !== 0x0a) return null; // every line ends in a newline, so a file cut short is seen
  if (bytes.some((byte) => (byte < 0x20 && byte !== 9 && byte !== 10) || byte === 0x7f)) return null;
  const found = new Policy();
  const kinds = { log: 'log', witness: 'witness', group: 'group', quorum: 'decide' };
  for (const line of bytes.toString('latin1').split('\n')) {
    const [kind, ...words] = line.split(/[ \t]+/).filter(Boolean);
    if (kind === undefined || kind.startsWith('#')) continue;
    if (!Object.hasOwn(kinds, kind) || !found[kinds[kind]](words)) return null;
  }
  return found.quorum === null ? null : found;
}

function keyFile(text) {
  const lines = text.split('\n').map((line) => line.replace(/^[ \t\r]+|[ \t\r]+$/g, ''));
  const words = lines.filter((line) => line !== '' && !line.startsWith('#'));
  return words.length > 0 && words.every((word) => !/\p{White_Space}/u.test(word)) ? words : null;
}

function readInto(trust, path) {
  const bytes = readFileSync(path);
  if (bytes.includes('-----BEGIN CERTIFICATE-----')) {
    trust.roots.push(...certificates.fromPem(bytes).map((each) => new X509Certificate(each)));
    return;
  }
  const lines = keyFile(strictText(bytes) ?? '');
  if (lines) {
    const found = lines.map((line) => keys.parse(line, LOG_TYPES));
    if (found.includes(null)) throw new Error('a line is no key of a log');
    trust.keys.push(...found);
    return;
  }
  const found = policy(bytes);
  if (!found) throw new Error('it is neither certificates, keys nor a policy');
  trust.keys.push(...found.logs);
  trust.policies.push(found);
}

/** Read the trust files into {roots, keys, policies}; one that cannot be used is exit code 4. */
export function read(paths) {
  const trust = { roots: [], keys: [], policies: [] };
  for (const path of paths) {
    try {
      readInto(trust, path);
    } catch (error) {
      throw new Unusable(error.message, path);
    }
  }
  return trust;
}

/** Return what the trust says of a log of this origin: pinned keys, policies, roots. */
export function about(trust, origin) {
  const pinned = [];
  for (const key of trust.keys.filter(({ name }) => name === origin)) {
    if (!pinned.some((other) => keys.isSameSigner(other, key))) pinned.push(key);
  }
  const policies = trust.policies.filter(({ logs }) => logs.some(({ name }) => name === origin));
  return { pinned, policies, roots: trust.roots };
}
