// Verify RFC 3161 time-stamp responses: CMS signature, imprint, authority (section 7).
import { X509Certificate, createHash, verify as verifySignature } from 'node:crypto';
import * as certificates from './certificates.mjs';
import * as der from './der.mjs';

const SIGNED_DATA = '1.2.840.113549.1.7.2';
const TST_INFO = '1.2.840.113549.1.9.16.1.4';
const CONTENT_TYPE = '1.2.840.113549.1.9.3';
const MESSAGE_DIGEST = '1.2.840.113549.1.9.4';
const SIGNING_CERTIFICATE = '1.2.840.113549.1.9.16.2.12';
const SIGNING_CERTIFICATE_V2 = '1.2.840.113549.1.9.16.2.47';
const SHA1 = '1.3.14.3.2.26'; // only to name the certificate in the old attribute (RFC 2634), not to sign
const SHA256 = '2.16.840.1.101.3.4.2.1';
const HASHES = { [SHA256]: 'sha256', '2.16.840.1.101.3.4.2.2': 'sha384', '2.16.840.1.101.3.4.2.3': 'sha512' };
const RSA_WITH = {
  '1.2.840.113549.1.1.11': 'sha256', '1.2.840.113549.1.1.12': 'sha384', '1.2.840.113549.1.1.13': 'sha512',
};
const ECDSA_WITH = {
  '1.2.840.10045.4.3.2': 'sha256', '1.2.840.10045.4.3.3': 'sha384', '1.2.840.10045.4.3.4': 'sha512',
};
const RSA = '1.2.840.113549.1.1.1'; // the hash is that of the digest algorithm (RFC 3370 3.2)
const NULL = Buffer.of(5, 0);

/** The token does not prove what it should. */
export class NotVerified extends Error {}

function demand(condition, message) {
  if (!condition) throw new NotVerified(message);
}

const algorithm = (element) => {
  const members = new der.Members(element);
  const name = der.oid(members.take());
  const parameters = members.left.length > 0 ? members.take() : null;
  members.done();
  return { name, parameters };
};
const isVersion = (element, number) => element.content.equals(Buffer.of(number));

/** Return the name of an accepted hash; its parameters are absent or NULL (RFC 5754 2). */
function hashOf(element) {
  const { name, parameters } = algorithm(element);
  demand(HASHES[name] && (!parameters || parameters.bytes.equals(NULL)), 'a digest algorithm is not accepted');
  return HASHES[name];
}

const digest = (name, bytes) => createHash(name).update(bytes).digest();

function signedData(response) {
  const outer = new der.Members(der.whole(response));
  const status = new der.Members(outer.take()).take(der.INTEGER).content;
  demand(status.equals(Buffer.of(0)), 'the authority did not grant it');
  const info = new der.Members(outer.take());
  outer.done();
  demand(der.oid(info.take()) === SIGNED_DATA, 'the token is no CMS SignedData');
  const data = new der.Members(der.whole(info.take(der.context(0)).content));
  info.done();
  return data;
}

function parts(response) {
  const data = signedData(response);
  demand(isVersion(data.take(der.INTEGER), 3), 'its version is not 3'); // RFC 5652 5.1: for what is not id-data
  const hashes = new der.Members(data.take(der.SET), der.SET).left.map(hashOf);
  const encapsulated = new der.Members(data.take());
  demand(der.oid(encapsulated.take()) === TST_INFO, 'the content is no TSTInfo');
  const octets = der.whole(encapsulated.take(der.context(0)).content);
  demand(octets.tag === der.OCTETS, 'the content is no octet string');
  const content = der.whole(octets.content);
  const inside = data.optional(der.context(0));
  data.optional(der.context(1));
  const signers = new der.Members(data.take(der.SET), der.SET);
  data.done();
  demand(signers.left.length === 1, 'there is not exactly one signer');
  const certs = inside ? new der.Members(inside, der.context(0)).left : [];
  const signer = signerInfo(signers.take());
  demand(hashes.includes(signer.hash), 'its signer uses a hash that is not announced');
  return { content, certs: certs.map(({ bytes }) => bytes), signer };
}

function signerInfo(element) {
  const members = new der.Members(element);
  const version = members.take(der.INTEGER);
  const id = members.take(der.SEQUENCE); // issuer and serial number
  demand(isVersion(version, 1), 'the version of its signer is wrong');
  const hash = hashOf(members.take());
  const signed = members.take(der.context(0));
  const method = algorithm(members.take());
  const signature = members.take(der.OCTETS).content;
  members.optional(der.context(1));
  members.done();
  return { id, hash, signed, attributes: attributesOf(signed), method, signature };
}

function attributesOf(signed) {
  const found = new Map();
  const all = new der.Members(signed, der.context(0)).left;
  const isOrdered = all.every(({ bytes }, i) => i === 0 || Buffer.compare(all[i - 1].bytes, bytes) <= 0);
  demand(isOrdered, 'the signed attributes are not in the order of DER'); // RFC 5652 5.3
  for (const element of all) {
    const members = new der.Members(element);
    const name = der.oid(members.take());
    const values = new der.Members(members.take(der.SET), der.SET).left;
    members.done();
    demand(!found.has(name) && values.length === 1, 'a signed attribute is there twice, or has not one value');
    found.set(name, values[0]);
  }
  return (name) => found.get(name) ?? null;
}

function isSigner({ id }, { issuer, serial }) {
  const members = new der.Members(id);
  return members.take().bytes.equals(issuer) && members.take(der.INTEGER).content.equals(serial);
}

/** Check the attribute that binds the certificate (RFC 3161 2.4.1, RFC 5035 4). */
function namesCertificate(attributes, raw) {
  const v2 = attributes(SIGNING_CERTIFICATE_V2);
  const v1 = attributes(SIGNING_CERTIFICATE);
  if (!v2 && !v1) return false;
  return [[v2, SHA256], [v1, SHA1]].every(([attribute, usual]) => {
    if (!attribute) return true;
    const first = new der.Members(new der.Members(new der.Members(attribute).take()).take());
    const named = usual === SHA256 ? first.optional(der.SEQUENCE) : null;
    const hash = usual === SHA1 ? 'sha1' : HASHES[named ? algorithm(named).name : usual];
    return hash !== undefined && digest(hash, raw).equals(first.take(der.OCTETS).content);
  });
}

/** Return whether the algorithm goes with the digest and the key; parameters are as RFC 5754 3.2 and 3.3 say. */
function isFitting({ method: { name, parameters }, hash }, key) {
  if (key.asymmetricKeyType === 'ec') return ECDSA_WITH[name] === hash && parameters === null;
  const isPlain = parameters === null || parameters.bytes.equals(NULL);
  return key.asymmetricKeyType === 'rsa' && isPlain && (name === RSA || RSA_WITH[name] === hash);
}

function checkSignature(signer, key) {
  const { hash, signed, signature } = signer;
  if (!isFitting(signer, key)) return false;
  // RFC 5652 5.4: what is signed is the SET OF, not the implicit tag that stands in the message.
  const message = Buffer.concat([Buffer.of(der.SET), signed.bytes.subarray(1)]);
  return verifySignature(hash, message, key, signature);
}

function timeOf(content, imprint) {
  const info = new der.Members(content);
  demand(isVersion(info.take(der.INTEGER), 1), 'its version is not 1');
  info.take(der.OID);
  const imprinted = new der.Members(info.take());
  demand(algorithm(imprinted.take()).name === SHA256, 'its imprint is no SHA-256');
  demand(imprinted.take(der.OCTETS).content.equals(imprint), 'it is over something else');
  info.take(der.INTEGER);
  return der.moment(info.take(der.TIME));
}

function readAll(list) {
  return list.flatMap((certificate) => {
    try {
      return [certificates.read(certificate instanceof X509Certificate ? certificate : new X509Certificate(certificate))];
    } catch {
      return []; // a certificate that cannot be read serves no chain
    }
  });
}

function check({ response, imprint, roots, others }) {
  const { content, certs, signer } = parts(response);
  const at = timeOf(content, imprint);
  const own = readAll(certs);
  demand(own.length === certs.length, 'a certificate of it cannot be read');
  const known = [...own, ...readAll(others)];
  const [leaf, ...more] = own.filter((each) => isSigner(signer, each));
  demand(leaf && more.length === 0, 'the certificate of its signer is not in it, or more than once');
  demand(der.oid(signer.attributes(CONTENT_TYPE) ?? {}) === TST_INFO, 'it signs another kind of content');
  const said = signer.attributes(MESSAGE_DIGEST);
  demand(said?.tag === der.OCTETS && said.content.equals(digest(signer.hash, content.bytes)), 'its content was changed');
  demand(namesCertificate(signer.attributes, leaf.certificate.raw), 'it names another certificate');
  demand(checkSignature(signer, leaf.certificate.publicKey), 'its signature is wrong');
  demand(certificates.isForTimeStamping(leaf), 'its signer is not for time-stamping alone');
  demand(
    certificates.leadsTo({ leaf, intermediates: known, roots: readAll(roots), at }),
    'its authority does not lead to a trusted root',
  );
  return at;
}

/** Return the genTime in microseconds; throws NotVerified. */
export function verify(request) {
  try {
    return check(request);
  } catch (error) {
    if (error instanceof NotVerified) throw error;
    throw new NotVerified(`it cannot be read: ${error.message}`);
  }
}
