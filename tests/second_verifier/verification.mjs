// Verify a bundle by the specification alone and return its JSON answer (sections 11 and 12).
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import * as anchoring from './anchoring.mjs';
import * as bundles from './bundle.mjs';
import * as commitments from './commitments.mjs';
import * as completeness from './completeness.mjs';
import * as container from './container.mjs';
import * as documentsOf from './documents.mjs';
import * as entriesOf from './entries.mjs';
import { Faults, Malformed, Unusable } from './faults.mjs';
import * as histories from './history.mjs';
import * as notes from './notes.mjs';
import * as records from './records.mjs';
import * as trusts from './trust.mjs';

const MOST_SECONDS = 1_000_000_000;

function bytesOf(path) {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new Unusable(error.message, path);
  }
}

function heldNotes(paths) {
  return paths.map((path) => {
    const note = notes.parse(bytesOf(path));
    if (!note) throw new Unusable('it is no note of a checkpoint', path);
    return { file: basename(path), note };
  });
}

function verdictsOf({ entries, redacted, isAnchored, faults }) {
  const verdict = (index) => {
    if (faults.worst(index)) return faults.worst(index);
    if (!isAnchored) return 'UNANCHORED';
    return redacted.has(index) ? 'REDACTED_AUTHORISED' : 'VALID';
  };
  return Object.fromEntries(entries.map(({ index }) => [String(index), verdict(index)]));
}

function examine(bundle, { trust, held, tolerance, faults, notesOfRun }) {
  const { pinned, policies, roots } = trusts.about(trust, bundle.origin);
  const entries = entriesOf.check(bundle, faults);
  const documents = documentsOf.read(entries, faults);
  const witnesses = policies.flatMap((policy) => policy.witnesses());
  const history = histories.build({ origin: bundle.origin, pinned, witnesses, documents: documents.key, faults });
  const verified = anchoring.tokens(bundle, roots, { faults, notesOfRun });
  anchoring.reportConsistency(bundle, faults);
  const isAnchored = anchoring.check({ bundle, history, policies, verified, faults });
  for (const each of held) anchoring.compare({ ...each, bundle, history, policies, faults });
  anchoring.reportTimes({ entries, verified, documents: documents.timestamp, tolerance, faults });
  const opened = commitments.open(bundle, entries, faults);
  const redacted = commitments.check({ entries, opened, documents, faults });
  const walks = records.check({ bundle, entries, opened, documents, faults });
  completeness.reportSeals({ entries, documents, faults });
  completeness.check({ bundle, walks, seals: documents.seal, faults, notesOfRun });
  return { isAnchored, verdicts: verdictsOf({ entries, redacted, isAnchored, faults }) };
}

function refusal(error) {
  const { message, file = null, index = null } = error;
  const verdict = error instanceof Unusable ? 'UNUSABLE' : 'MALFORMED';
  return { verdict, message, file, index, record: null, record_id: null };
}

/** Return the answer of section 12, with `notes` on what was not checked. */
export function verify({ bundle: path, trust: trustPaths = [], checkpoints = [], tolerance = 300 }) {
  const faults = new Faults();
  const notesOfRun = [
    'report.html and README.txt: their SHA-256 only (sections 13 and 14)',
    'certificates: revocation NOT CHECKED',
  ];
  const answer = { v: 1, exit: 2, origin: null, tree_size: null, anchored: false, entries: {}, problems: [], notes: notesOfRun };
  try {
    const isTolerance = Number.isSafeInteger(tolerance) && tolerance >= 0 && tolerance <= MOST_SECONDS;
    if (!isTolerance) throw new Unusable('the tolerance is no number of seconds');
    const trust = trusts.read(trustPaths);
    const held = heldNotes(checkpoints); // before the bundle: a fault in them says nothing of it
    const bundle = bundles.read(container.read(path));
    Object.assign(answer, { origin: bundle.origin, tree_size: bundle.treeSize });
    const { isAnchored, verdicts } = examine(bundle, { trust, held, tolerance, faults, notesOfRun });
    return { ...answer, exit: faults.exit(), anchored: isAnchored, entries: verdicts, problems: faults.all };
  } catch (error) {
    // An error of the file system means that the bundle could not be read: exit code 2, too.
    const isKnown = error instanceof Malformed || error instanceof Unusable || error.syscall !== undefined;
    if (!isKnown) throw error;
    return { ...answer, exit: error instanceof Unusable ? 4 : 2, problems: [refusal(error)] };
  }
}
