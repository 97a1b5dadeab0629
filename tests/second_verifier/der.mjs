// Read DER (X.690): definite shortest lengths, low tag numbers, nothing left over.

export class NotDer extends Error {}

export const SEQUENCE = 0x30;
export const SET = 0x31;
export const INTEGER = 0x02;
export const BITS = 0x03;
export const OCTETS = 0x04;
export const OID = 0x06;
export const TIME = 0x18;
export const UTC_TIME = 0x17;
export const BOOLEAN = 0x01;
export const context = (number) => 0xa0 + number;

/** Read the element at an offset: {tag, bytes (all of it), content}. */
function elementAt(bytes, at) {
  const refuse = () => {
    throw new NotDer(`no DER at offset ${at}`);
  };
  if (at + 2 > bytes.length || (bytes[at] & 0x1f) === 0x1f) refuse();
  let [length, start] = [bytes[at + 1], at + 2];
  if (length >= 0x80) {
    const count = length & 0x7f;
    if (count < 1 || count > 4 || start + count > bytes.length) refuse();
    length = bytes.readUIntBE(start, count);
    if (length < 0x80 || length < 2 ** (8 * (count - 1))) refuse();
    start += count;
  }
  if (start + length > bytes.length) refuse();
  return { tag: bytes[at], bytes: bytes.subarray(at, start + length), content: bytes.subarray(start, start + length) };
}

function elements(bytes) {
  const found = [];
  for (let at = 0; at < bytes.length; at += found.at(-1).bytes.length) found.push(elementAt(bytes, at));
  return found;
}

/** Read bytes that are one element and nothing else. */
export function whole(bytes) {
  const element = elementAt(bytes, 0);
  if (element.bytes.length !== bytes.length) throw new NotDer('something stands behind it');
  return element;
}

/** Walk through the members of a constructed element in order. */
export class Members {
  constructor(element, tag = SEQUENCE) {
    if (!element || element.tag !== tag) throw new NotDer(`tag ${tag} was expected`);
    this.left = elements(element.content);
  }

  take(tag) {
    const next = this.left.shift();
    if (!next || (tag !== undefined && next.tag !== tag)) throw new NotDer(`tag ${tag} was expected`);
    return next;
  }

  optional(tag) {
    return this.left[0]?.tag === tag ? this.left.shift() : null;
  }

  done() {
    if (this.left.length > 0) throw new NotDer('there are members too many');
  }
}

export function oid(element) {
  if (element.tag !== OID || element.content.length === 0) throw new NotDer('no object identifier');
  const arcs = [];
  let arc = 0n;
  for (const byte of element.content) {
    arc = (arc << 7n) | BigInt(byte & 0x7f);
    if (byte & 0x80) continue;
    arcs.push(arc);
    arc = 0n;
  }
  const top = arcs[0] < 80n ? arcs[0] / 40n : 2n;
  return [top, arcs[0] - top * 40n, ...arcs.slice(1)].join('.');
}

const CLOCK = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\.(\d*[1-9]))?Z$/;

/** Return the microseconds since 1970 of a GeneralizedTime or UTCTime (RFC 3161 2.4.2, RFC 5280 4.1.2.5). */
export function moment(element) {
  let text = element.content.toString('latin1');
  if (element.tag === UTC_TIME) text = (Number(text.slice(0, 2)) < 50 ? '20' : '19') + text;
  else if (element.tag !== TIME) throw new NotDer('no time');
  const found = CLOCK.exec(text);
  if (!found) throw new NotDer(`${text} is no time`);
  const [year, month, day, hour, minute, second] = found.slice(1, 7).map(Number);
  const date = new Date(Date.UTC(year, month - 1, day, hour, minute, second));
  if (date.getUTCDate() !== day || date.getUTCMonth() !== month - 1 || hour > 23 || minute > 59 || second > 59) {
    throw new NotDer(`${text} is no moment`);
  }
  return BigInt(date.getTime()) * 1000n + BigInt((found[7] ?? '').padEnd(6, '0').slice(0, 6));
}
