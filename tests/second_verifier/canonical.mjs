// Read and write canonical JSON (profile JCS-GMP/1, section 1), refusing every other form.
import { strictText } from './bytes.mjs';

export class NotCanonical extends Error {}

const DEEPEST = 64;
const KEY = /"([A-Za-z0-9_.-]+)":/y;
const NUMBER = /-?(?:0|[1-9][0-9]{0,15})(?![0-9.eE])/y;
const LONE = /\p{Surrogate}/u;
const WORD = /null|true|false/y;
// U+0008, 9, a, c and d have short escapes, which are the only ones allowed for them.
const ESCAPE = /\\(?:["\\bfnrt]|u00(?:0[0-7be-f]|1[0-9a-f]))/y;
const SHORT = { '"': '"', '\\': '\\', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };
const WORDS = { null: null, true: true, false: false };

class Reader {
  constructor(text) {
    this.text = text;
    this.at = 0;
  }

  refuse() {
    throw new NotCanonical(`not canonical JSON at character ${this.at}`);
  }

  match(expression) {
    expression.lastIndex = this.at;
    const found = expression.exec(this.text);
    if (found) this.at = expression.lastIndex;
    return found;
  }

  take(character) {
    if (this.text[this.at] !== character) return false;
    this.at += 1;
    return true;
  }

  value(depth) {
    const next = this.text[this.at];
    if (next === '{') return this.object(depth + 1);
    if (next === '[') return this.array(depth + 1);
    if (next === '"') return this.string();
    const word = this.match(WORD);
    return word ? WORDS[word[0]] : this.number();
  }

  number() {
    const found = this.match(NUMBER) ?? this.refuse();
    const value = Number(found[0]);
    if (Object.is(value, -0) || !Number.isSafeInteger(value)) this.refuse();
    return value;
  }

  string() {
    const pieces = [];
    let from = (this.at += 1);
    for (;;) {
      const code = this.text.charCodeAt(this.at);
      if (!(code >= 0x20)) this.refuse(); // a control character, or the end
      if (code !== 0x22 && code !== 0x5c) {
        this.at += 1;
        continue;
      }
      pieces.push(this.text.slice(from, this.at));
      if (code === 0x22) break;
      pieces.push(this.escape());
      from = this.at;
    }
    this.at += 1;
    return pieces.join('');
  }

  escape() {
    const found = (this.match(ESCAPE) ?? this.refuse())[0];
    return found[1] === 'u' ? String.fromCharCode(parseInt(found.slice(2), 16)) : SHORT[found[1]];
  }

  array(depth) {
    if (depth > DEEPEST) this.refuse();
    const values = [];
    this.at += 1;
    if (this.take(']')) return values;
    do values.push(this.value(depth));
    while (this.take(','));
    return this.take(']') ? values : this.refuse();
  }

  object(depth) {
    if (depth > DEEPEST) this.refuse();
    const members = Object.create(null); // so that `__proto__` is a key like any other
    this.at += 1;
    if (this.take('}')) return members;
    let before = '';
    do {
      const key = (this.match(KEY) ?? this.refuse())[1];
      if (key <= before) this.refuse(); // ASCII only: JavaScript's order is that of code points
      members[key] = this.value(depth);
      before = key;
    } while (this.take(','));
    return this.take('}') ? members : this.refuse();
  }
}

export function parse(text) {
  const reader = new Reader(text);
  if (LONE.test(text)) reader.refuse();
  const value = reader.value(0);
  return reader.at === text.length ? value : reader.refuse();
}

export function parseBytes(bytes) {
  const text = strictText(bytes);
  if (text === null) throw new NotCanonical('not UTF-8');
  return parse(text);
}

// JSON.stringify escapes strings as RFC 8785 does (3.2.2.2), lone surrogates apart.
export function write(value) {
  if (Array.isArray(value)) return `[${value.map(write).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const members = Object.keys(value).sort();
  return `{${members.map((key) => `${JSON.stringify(key)}:${write(value[key])}`).join(',')}}`;
}
