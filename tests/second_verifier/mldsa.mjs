// Verify ML-DSA-44 signatures (FIPS 204, algorithm 3), which OpenSSL before 3.5 lacks; nothing secret is here.
import { createHash } from 'node:crypto';

const Q = 8380417;
const N = 256;
const [K, L] = [4, 4];
const TAU = 39;
const OMEGA = 80;
const GAMMA1 = 2 ** 17;
const GAMMA2 = (Q - 1) / 88;
const BETA = TAU * 2;
const D = 13;
const SEED = 32;
export const KEY_BYTES = SEED + K * 320;
export const SIGNATURE_BYTES = 32 + L * 576 + OMEGA + K;

const modulo = (value) => ((value % Q) + Q) % Q;

function shake(name, length, ...parts) {
  const hash = createHash(name, { outputLength: length });
  for (const part of parts) hash.update(part);
  return hash.digest();
}

// zetas[i] = 1753 ^ (bits of i reversed) mod q (FIPS 204, appendix B)
const ZETAS = Array.from({ length: N }, (_, i) => {
  let [power, base] = [1, 1753];
  for (let bit = 7; bit >= 0; bit -= 1) {
    if ((i >> bit) & 1) power = (power * base) % Q;
    base = (base * base) % Q;
  }
  return power;
});

function ntt(polynomial) {
  const w = polynomial.map(modulo);
  let m = 0;
  for (let half = 128; half >= 1; half /= 2) {
    for (let start = 0; start < N; start += 2 * half) {
      const zeta = ZETAS[(m += 1)];
      for (let j = start; j < start + half; j += 1) {
        const t = (zeta * w[j + half]) % Q; // below 2^46: exact
        w[j + half] = modulo(w[j] - t);
        w[j] = modulo(w[j] + t);
      }
    }
  }
  return w;
}

function inverseNtt(transformed) {
  const w = [...transformed];
  let m = N;
  for (let half = 1; half <= 128; half *= 2) {
    for (let start = 0; start < N; start += 2 * half) {
      const zeta = Q - ZETAS[(m -= 1)];
      for (let j = start; j < start + half; j += 1) {
        const t = w[j];
        w[j] = modulo(t + w[j + half]);
        w[j + half] = (zeta * modulo(t - w[j + half])) % Q;
      }
    }
  }
  return w.map((value) => (value * 8347681) % Q); // 256^-1
}

const times = (a, b) => a.map((value, i) => (value * b[i]) % Q);
const plus = (a, b) => a.map((value, i) => modulo(value + b[i]));
const minus = (a, b) => a.map((value, i) => modulo(value - b[i]));

/** Read `count` integers of `bits` bits each, the lowest first. */
function unpack(bytes, bits, count) {
  const read = (i) => {
    let value = 0;
    for (let bit = 0; bit < bits; bit += 1) {
      const at = i * bits + bit;
      value |= ((bytes[at >> 3] >> (at & 7)) & 1) << bit;
    }
    return value;
  };
  return Array.from({ length: count }, (_, i) => read(i));
}

function pack(values, bits) {
  const bytes = Buffer.alloc((values.length * bits) / 8);
  values.forEach((value, i) => {
    for (let bit = 0; bit < bits; bit += 1) {
      const at = i * bits + bit;
      bytes[at >> 3] |= ((value >> bit) & 1) << (at & 7);
    }
  });
  return bytes;
}

/** RejNTTPoly: 1,792 bytes make 597 tries for 256 values below q, each of which fails once in 1,000. */
function uniform(seed, column, row) {
  const found = [];
  for (let length = 1792; found.length < N; length *= 2) {
    found.length = 0;
    const stream = shake('shake128', length, seed, Buffer.of(column, row));
    for (let at = 0; at + 3 <= length && found.length < N; at += 3) {
      const value = stream[at] | (stream[at + 1] << 8) | ((stream[at + 2] & 0x7f) << 16);
      if (value < Q) found.push(value);
    }
  }
  return found;
}

function inBall(seed) {
  for (let length = 512; ; length *= 2) {
    const stream = shake('shake256', length, seed);
    const signs = unpack(stream, 1, 64);
    const c = new Array(N).fill(0);
    let [at, i] = [8, N - TAU];
    for (; i < N && at < length; at += 1) {
      const j = stream[at];
      if (j > i) continue;
      c[i] = c[j];
      c[j] = signs[i + TAU - N] ? -1 : 1;
      i += 1;
    }
    if (i === N) return c;
  }
}

/** HintBitUnpack: one form only, or null. */
function hints(bytes) {
  const found = Array.from({ length: K }, () => new Array(N).fill(0));
  let at = 0;
  for (let i = 0; i < K; i += 1) {
    const end = bytes[OMEGA + i];
    if (end < at || end > OMEGA) return null;
    for (const first = at; at < end; at += 1) {
      if (at > first && bytes[at - 1] >= bytes[at]) return null;
      found[i][bytes[at]] = 1;
    }
  }
  return bytes.subarray(at, OMEGA).every((byte) => byte === 0) ? found : null;
}

function useHint(hint, r) {
  const buckets = (Q - 1) / (2 * GAMMA2);
  let low = r % (2 * GAMMA2);
  if (low > GAMMA2) low -= 2 * GAMMA2;
  const isTop = r - low === Q - 1;
  const high = isTop ? 0 : (r - low) / (2 * GAMMA2);
  if (isTop) low -= 1;
  if (!hint) return high;
  return (high + (low > 0 ? 1 : buckets - 1)) % buckets;
}

const range = (count) => Array.from({ length: count }, (_, i) => i);

/** Say whether the signature of the message, with the empty context, is the key's. */
export function verify({ key, message, signature }) {
  if (key.length !== KEY_BYTES || signature.length !== SIGNATURE_BYTES) return false;
  const seed = key.subarray(0, SEED);
  const t1 = range(K).map((i) => unpack(key.subarray(SEED + i * 320), 10, N));
  const challenge = signature.subarray(0, 32);
  const z = range(L).map((i) => unpack(signature.subarray(32 + i * 576), 18, N).map((value) => GAMMA1 - value));
  const hint = hints(signature.subarray(32 + L * 576));
  if (!hint || z.some((each) => each.some((value) => Math.abs(value) >= GAMMA1 - BETA))) return false;
  const mu = shake('shake256', 64, shake('shake256', 64, key), Buffer.of(0, 0), message);
  const [c, transformed] = [ntt(inBall(challenge)), z.map(ntt)];
  const w1 = range(K).map((row) => {
    const product = range(L).map((column) => times(uniform(seed, column, row), transformed[column])).reduce(plus);
    const shifted = ntt(t1[row].map((value) => value * 2 ** D));
    return inverseNtt(minus(product, times(c, shifted))).map((value, i) => useHint(hint[row][i], value));
  });
  return shake('shake256', 32, mu, ...w1.map((each) => pack(each, 6))).equals(challenge);
}
