// Read X.509 certificates and build chains to a trusted root (RFC 5280, no revocation).
import { strictBase64 } from './bytes.mjs';
import * as der from './der.mjs';

const BEGIN = '-----BEGIN CERTIFICATE-----';
const END = '-----END CERTIFICATE-----';

const TIME_STAMPING = '1.3.6.1.5.5.7.3.8';
const KEY_USAGE = '2.5.29.15';
const BASIC_CONSTRAINTS = '2.5.29.19';
const EXTENDED_KEY_USAGE = '2.5.29.37';
// Critical extensions that are understood or harmless here; any other critical one refuses the certificate.
const UNDERSTOOD = new Set([KEY_USAGE, BASIC_CONSTRAINTS, EXTENDED_KEY_USAGE]);
const DIGITAL_SIGNATURE = 0x80;
const NON_REPUDIATION = 0x40;
const CERTIFICATE_SIGN = 0x04;
const DEEPEST = 8;

function extensionsOf(tbs) {
  const found = new Map();
  const explicit = tbs.left.find((element) => element.tag === der.context(3));
  if (!explicit) return found;
  const list = new der.Members(der.whole(explicit.content));
  while (list.left.length > 0) {
    const extension = new der.Members(list.take());
    const name = der.oid(extension.take());
    const critical = extension.optional(der.BOOLEAN)?.content[0] === 0xff;
    if (found.has(name)) throw new der.NotDer('an extension is there twice');
    found.set(name, { critical, value: der.whole(extension.take(der.OCTETS).content) });
  }
  return found;
}

function bits(extension) {
  return extension ? (extension.value.content[1] ?? 0) : null; // the first byte says how many bits are unused
}

function basicConstraints(extension) {
  if (!extension) return { isAuthority: false, pathLength: null };
  const members = new der.Members(extension.value);
  const isAuthority = members.optional(der.BOOLEAN)?.content[0] === 0xff;
  const length = members.optional(der.INTEGER);
  return { isAuthority, pathLength: length ? length.content.readUIntBE(0, Math.min(length.content.length, 4)) : null };
}

/** Return bytes that have the outermost form of a certificate (RFC 5280 4.1), or throw. */
function outermost(base64) {
  const bytes = strictBase64(base64);
  if (!bytes) throw new der.NotDer('a certificate is no base64');
  const members = new der.Members(der.whole(bytes));
  for (const tag of [der.SEQUENCE, der.SEQUENCE, der.BITS]) members.take(tag);
  members.done();
  return bytes;
}

/** Return the DER of the certificates of a PEM file (section 1); throws when it is none. */
export function fromPem(bytes) {
  const found = [];
  let block = null;
  for (const line of bytes.toString('latin1').replaceAll('\r\n', '\n').split('\n')) {
    if (block === null && line === BEGIN) block = '';
    else if (block !== null && line === END) {
      found.push(outermost(block));
      block = null;
    } else if (line.startsWith('-----')) throw new der.NotDer('a line of PEM is where it does not belong');
    else if (block !== null) block += line;
  }
  if (block !== null) throw new der.NotDer('the last certificate is cut off');
  if (found.length === 0) throw new der.NotDer('no certificate is in it');
  return found;
}

/** Read what is needed of an X509Certificate of node:crypto. */
export function read(certificate) {
  const tbs = new der.Members(new der.Members(der.whole(certificate.raw)).take());
  tbs.optional(der.context(0));
  const serial = tbs.take(der.INTEGER).content;
  tbs.take(der.SEQUENCE);
  const issuer = tbs.take(der.SEQUENCE).bytes;
  const validity = new der.Members(tbs.take());
  const [from, to] = [der.moment(validity.take()), der.moment(validity.take())];
  const subject = tbs.take(der.SEQUENCE).bytes;
  const extensions = extensionsOf(tbs);
  return {
    certificate, serial, issuer, subject, from, to, extensions,
    usage: bits(extensions.get(KEY_USAGE)),
    ...basicConstraints(extensions.get(BASIC_CONSTRAINTS)),
    isUnderstood: [...extensions].every(([name, { critical }]) => !critical || UNDERSTOOD.has(name)),
  };
}

/** Say whether the certificate is for time-stamping alone, and critically so (RFC 3161 2.3). */
export function isForTimeStamping({ extensions, usage }) {
  const extension = extensions.get(EXTENDED_KEY_USAGE);
  if (!extension?.critical) return false;
  const purposes = new der.Members(extension.value).left.map(der.oid);
  const signs = usage === null || (usage & (DIGITAL_SIGNATURE | NON_REPUDIATION)) !== 0;
  return purposes.length === 1 && purposes[0] === TIME_STAMPING && signs;
}

const isValidAt = ({ from, to, isUnderstood }, at) => isUnderstood && from <= at && at <= to;

function isIssuedBy(child, parent, below) {
  const mayIssue =
    parent.isAuthority &&
    (parent.usage === null || (parent.usage & CERTIFICATE_SIGN) !== 0) &&
    (parent.pathLength === null || below <= parent.pathLength);
  return mayIssue && child.issuer.equals(parent.subject) && child.certificate.verify(parent.certificate.publicKey);
}

/** Say whether a chain leads from the certificate to a root, every member valid at the moment. */
export function leadsTo({ leaf, intermediates, roots, at }) {
  const climb = (child, below, path) => {
    if (!isValidAt(child, at) || path.length > DEEPEST) return false;
    if (roots.some((root) => isValidAt(root, at) && isIssuedBy(child, root, below))) return true;
    return intermediates.some(
      (parent) => !path.includes(parent) && isIssuedBy(child, parent, below) && climb(parent, below + 1, [...path, parent]),
    );
  };
  return climb(leaf, 0, [leaf]);
}
