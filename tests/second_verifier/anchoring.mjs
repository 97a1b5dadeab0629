// Decide which checkpoints are accepted and whether the bundle is anchored (sections 6, 7 and 10).
import { hex, sha256 } from './bytes.mjs';
import * as keys from './keys.mjs';
import { isConsistent } from './merkle.mjs';
import { microseconds } from './shape.mjs';
import * as timestamp from './timestamp.mjs';

/** Return the times, in microseconds, at which witnesses of the policies cosigned the note. */
function cosignatureTimes(note, policies) {
  return policies
    .flatMap((policy) => policy.witnesses())
    .map((key) => keys.signatureOf(note, key))
    .filter(({ state, time }) => state === 'good' && time !== 0n)
    .map(({ time }) => time * 1_000_000n);
}

export function reportConsistency({ checkpoints, consistency, treeSize, root }, faults) {
  for (const [size, proof] of consistency) {
    const firstRoot = checkpoints.get(size).note.checkpoint.root;
    if (!isConsistent({ first: size, second: treeSize, firstRoot, secondRoot: root, proof })) {
      faults.add('TAMPERED', `the checkpoint of size ${size} is not continued`, { file: 'consistency.json' });
    }
  }
}

/** Return the verified tokens: {size, genTime, sha256, note}. */
export function tokens(bundle, roots, { faults, notesOfRun }) {
  if (roots.length === 0) {
    if (bundle.timestamps.size > 0) notesOfRun.push('time-stamp tokens NOT CHECKED: no trusted root was given');
    return [];
  }
  return [...bundle.timestamps].flatMap(([size, { file, response, bytes, note }]) => {
    try {
      const genTime = timestamp.verify({ response, imprint: sha256(bytes), roots, others: bundle.authorities });
      return [{ size, genTime, sha256: hex(sha256(response)), note }];
    } catch (error) {
      if (!(error instanceof timestamp.NotVerified)) throw error;
      faults.add('TAMPERED', `the time-stamp does not verify: ${error.message}`, { file });
      return [];
    }
  });
}

function isQuorumMet(note, { policies, file, faults }) {
  const signed = (key) => {
    const { state, time } = keys.signatureOf(note, key);
    return state === 'good' && time !== 0n;
  };
  const isMet = policies.every((policy) => policy.isMet(signed));
  if (!isMet) faults.add('UNANCHORED', 'the quorum of witnesses is not met', { file });
  return isMet;
}

/** Report what is wrong with each checkpoint; return whether the bundle is anchored. */
export function check({ bundle, history, policies, verified, faults }) {
  let isAccepted = false;
  for (const [size, { file, note }] of bundle.checkpoints) {
    const stamps = verified.filter((token) => token.size === size && history.isSigned(token.note));
    const times = [...cosignatureTimes(note, policies), ...stamps.map(({ genTime }) => genTime)];
    const wrong = history.judge(note, times);
    if (wrong) faults.add(wrong.verdict, wrong.message, { file });
    else if (size === bundle.treeSize) isAccepted = true;
  }
  const { file, note } = bundle.checkpoints.get(bundle.treeSize);
  return isAccepted && isQuorumMet(note, { policies, file, faults });
}

/** Compare the bundle with a checkpoint that somebody else holds (section 10). */
export function compare({ file, note, bundle, history, policies, faults }) {
  const { origin, size, root } = note.checkpoint;
  if (origin !== bundle.origin) {
    faults.add('NOT_COMPARABLE', 'it is of another log', { file });
    return;
  }
  const wrong = history.records.length > 0 ? history.judge(note, cosignatureTimes(note, policies)) : null;
  if (wrong) {
    faults.add(wrong.verdict, wrong.message, { file });
    return;
  }
  const same = [...bundle.checkpoints.values()].find((held) => held.note.checkpoint.size === size);
  if (!same) faults.add('NOT_COMPARABLE', 'the bundle has no checkpoint of its size', { file });
  else if (!same.note.checkpoint.root.equals(root)) faults.add('FORK', 'the log has two trees of this size', { file });
}

/** Report sound entries whose time lies outside what the tokens allow (section 7). */
export function reportTimes({ entries, verified, documents, tolerance, faults }) {
  const back = documents.flatMap(({ index, document }) => {
    const token = verified.find(({ size, sha256: hash }) => size === document.size && hash === document.token_sha256);
    return token ? [{ index, genTime: token.genTime }] : [];
  });
  const slack = BigInt(tolerance) * 1_000_000n;
  for (const { index, isSound, body } of entries) {
    if (!isSound) continue;
    const at = microseconds(body.at);
    const isLate = verified.some(({ size, genTime }) => size > index && at > genTime + slack);
    const isEarly = back.some((document) => document.index < index && at < document.genTime - slack);
    if (isLate || isEarly) {
      faults.add('TIME_OUT_OF_BRACKET', 'the time is not between the time-stamps around', { index });
    }
  }
}
