// Read the files of a bundle from its one ZIP form, or from a folder (section 1).
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Malformed, require } from './faults.mjs';

const NAME =
  /^(?:README\.txt|checkpoints\/(0|[1-9][0-9]{0,15})\.note|completeness\.json|consistency\.json|entries\.jsonl|manifest\.json|openings\.json|policy\.txt|report\.html|timestamps\/(0|[1-9][0-9]{0,15})\.(?:note|tsr)|tsa\.pem|verifier\.pyz)$/;
const NEEDED = ['README.txt', 'completeness.json', 'consistency.json', 'entries.jsonl', 'manifest.json', 'openings.json', 'report.html'];
const MOST_FILES = 65534;
const MOST_BYTES = 4294967295;
const LOCAL = 0x04034b50;
const PLAIN = Buffer.from('0a000000000000002100', 'hex'); // version, flags, method, time, date

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  for (let bit = 0; bit < 8; bit += 1) n = n & 1 ? (n >>> 1) ^ 0xedb88320 : n >>> 1;
  return n;
});

/** node:zlib has crc32 only since 20.15, and a verifier is run on what is there. */
function crc32(bytes) {
  let value = 0xffffffff;
  for (const byte of bytes) value = TABLE[(value ^ byte) & 0xff] ^ (value >>> 8);
  return (value ^ 0xffffffff) >>> 0;
}

function integers(...pairs) {
  return Buffer.concat(
    pairs.map(([value, length]) => {
      const bytes = Buffer.alloc(length);
      bytes.writeUIntLE(value, 0, length);
      return bytes;
    }),
  );
}

function zipped(files) {
  const locals = [];
  const centrals = [];
  let offset = 0;
  for (const [name, content] of files) {
    const ascii = Buffer.from(name, 'latin1');
    const common = [PLAIN, integers([crc32(content), 4], [content.length, 4], [content.length, 4], [ascii.length, 2], [0, 2])];
    locals.push(Buffer.from('504b0304', 'hex'), ...common, ascii, content);
    centrals.push(Buffer.from('504b01021400', 'hex'), ...common, Buffer.alloc(10), integers([offset, 4]), ascii);
    offset += 30 + ascii.length + content.length;
  }
  const central = Buffer.concat(centrals);
  const end = integers([files.size, 2], [files.size, 2], [central.length, 4], [offset, 4], [0, 2]);
  return Buffer.concat([...locals, central, Buffer.from('504b050600000000', 'hex'), end]);
}

function unzipped(bytes) {
  require(bytes.length <= MOST_BYTES, 'larger than a bundle may be');
  const files = new Map();
  let at = 0;
  while (at + 30 <= bytes.length && bytes.readUInt32LE(at) === LOCAL) {
    const length = bytes.readUInt32LE(at + 18);
    const start = at + 30 + bytes.readUInt16LE(at + 26);
    require(start + length <= bytes.length, `a file is cut off at offset ${at}`);
    const name = bytes.subarray(at + 30, start).toString('latin1');
    require(!files.has(name), `the name ${JSON.stringify(name)} is there twice`);
    files.set(name, bytes.subarray(start, start + length)); // a view: nothing is copied
    at = start + length;
    require(files.size <= MOST_FILES, 'more files than a bundle may have');
  }
  checkNames([...files.keys()]);
  const again = zipped(files);
  if (!again.equals(bytes)) throw new Malformed('the ZIP file is not in its one form');
  return files;
}

function folder(path) {
  const names = [];
  const walk = (inner) => {
    const found = readdirSync(join(path, inner), { withFileTypes: true });
    require(found.length > 0, `the folder ${inner} is empty`);
    for (const each of found) {
      const name = inner + each.name;
      if (each.isDirectory() && inner === '' && ['checkpoints', 'timestamps'].includes(name)) walk(`${name}/`);
      else names.push([name, each.isFile()]);
    }
  };
  walk('');
  for (const [name, isFile] of names) require(isFile, `${JSON.stringify(name)} is no regular file`);
  const sorted = names.map(([name]) => name).sort();
  checkNames(sorted);
  const files = new Map(sorted.map((name) => [name, readFileSync(join(path, name))]));
  const packed = [...files].reduce((total, [name, content]) => total + 76 + 2 * name.length + content.length, 22);
  require(files.size <= MOST_FILES && packed <= MOST_BYTES, 'larger than a bundle may be');
  return files;
}

function checkNames(names) {
  require(names.length > 0, 'there is no file in it');
  names.forEach((name, i) => {
    const found = NAME.exec(name);
    const sizes = found ? found.slice(1).filter(Boolean) : [];
    if (!found || !sizes.every((size) => Number.isSafeInteger(Number(size)))) {
      throw new Malformed(`${JSON.stringify(name)} is no name of a file of a bundle`);
    }
    require(i === 0 || names[i - 1] < name, 'the names are not in ascending order', name);
  });
}

/** Return the files of a bundle by name. */
export function read(path) {
  const what = statSync(path, { throwIfNoEntry: false });
  require(what && (what.isDirectory() || what.isFile()), 'there is no such bundle');
  const files = what.isDirectory() ? folder(path) : unzipped(readFileSync(path));
  for (const name of NEEDED) require(files.has(name), 'a file that must be there is absent', name);
  return files;
}
