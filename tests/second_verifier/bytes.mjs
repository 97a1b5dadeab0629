// Turn bytes into texts, hex, base64 and hashes, and back, strictly.
import { createHash } from 'node:crypto';

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export function sha256(...parts) {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

export const hex = (bytes) => Buffer.from(bytes).toString('hex');
export const unhex = (text) => Buffer.from(text, 'hex');
export const utf8 = (text) => Buffer.from(text, 'utf8');
export const byBytes = (a, b) => Buffer.compare(utf8(a), utf8(b));

export function strictText(bytes) {
  try {
    return decoder.decode(bytes);
  } catch {
    return null;
  }
}

export function strictBase64(text) {
  if (!BASE64.test(text)) return null;
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : null; // padding and unused bits as in RFC 4648
}

export function u64(value) {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}
