// Collect what is wrong with a bundle, and where (section 11).

/** The bundle cannot be read as one; verification stops. */
export class Malformed extends Error {
  constructor(message, file = null, index = null) {
    super(message);
    this.file = file;
    this.index = index;
  }
}

/** What the person gave besides the bundle cannot be used: exit code 4, and nothing is said of the bundle. */
export class Unusable extends Error {
  constructor(message, file = null) {
    super(message);
    this.file = file;
  }
}

export function require(condition, message, file) {
  if (!condition) throw new Malformed(message, file);
}

const OF_ENTRIES = ['TAMPERED', 'REORDERED', 'NONCANONICAL', 'TIME_OUT_OF_BRACKET', 'MISSING_OPENING'];
const FAULTS = new Set([...OF_ENTRIES, 'MISSING', 'FORK']);

export class Faults {
  constructor() {
    this.all = [];
    this.ofIndex = new Map();
  }

  add(verdict, message, { file = null, index = null, record = null, record_id = null } = {}) {
    this.all.push({ verdict, message, file, index, record, record_id });
    if (index === null) return;
    if (!this.ofIndex.has(index)) this.ofIndex.set(index, new Set());
    this.ofIndex.get(index).add(verdict);
  }

  has(verdict, index) {
    return this.ofIndex.get(index)?.has(verdict) ?? false;
  }

  worst(index) {
    return OF_ENTRIES.find((verdict) => this.has(verdict, index));
  }

  exit() {
    const verdicts = this.all.map((fault) => fault.verdict);
    if (verdicts.includes('MALFORMED')) return 2;
    if (verdicts.some((verdict) => FAULTS.has(verdict))) return 1;
    return verdicts.length > 0 ? 3 : 0;
  }
}
