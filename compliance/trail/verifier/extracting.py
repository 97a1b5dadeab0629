"""Write what is in a bundle as files that other tools read (C2SP tlog-proof)."""

from pathlib import Path

from compliance.trail.tlog.proof_file import SUFFIX, ProofFile
from compliance.trail.verifier.contents import Contents


def extract(contents: Contents, folder: Path) -> int:
    """Write body, leaf and proof of every entry into a folder; return how many entries."""
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint = contents.checkpoints[contents.tree_size].note.decode()
    for entry in contents.entries:
        proof = ProofFile(index=entry.index, steps=entry.proof, checkpoint=checkpoint)
        (folder / f"{entry.index}{SUFFIX}").write_bytes(proof.text().encode())
        (folder / f"{entry.index}.leaf").write_bytes(entry.leaf(contents.origin).data)
        (folder / f"{entry.index}.json").write_bytes(entry.body)
    return len(contents.entries)
