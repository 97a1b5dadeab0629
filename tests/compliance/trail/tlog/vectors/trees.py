"""Verdicts on proofs of transparency-dev/merkle: whole trees and subtrees."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from compliance.trail.tlog import merkle, subtrees, tiles
from compliance.trail.tlog.subtrees import Subtree
from tests.compliance.trail.tlog.vectors.verdicts import Verdict, accepts, family


@family("Merkle inclusion", least=48)
def inclusion(vectors: Path) -> Iterator[Verdict]:
    for name, one in _published(vectors, "inclusion"):
        proven = _bytes(one, "leafHash"), one["leafIdx"], one["treeSize"]
        got = accepts(
            merkle.ProofInvalid, merkle.verify_inclusion, *proven, _proof(one), _bytes(one, "root")
        )
        yield Verdict(name, not one["wantErr"], got)


@family("Merkle consistency", least=40)
def consistency(vectors: Path) -> Iterator[Verdict]:
    for name, one in _published(vectors, "consistency"):
        sizes, roots = (one["size1"], one["size2"]), (_bytes(one, "root1"), _bytes(one, "root2"))
        got = accepts(merkle.ProofInvalid, merkle.verify_consistency, *sizes, _proof(one), *roots)
        yield Verdict(name, not one["wantErr"], got)


@family("Merkle subtree inclusion", least=94)
def subtree_inclusion(vectors: Path) -> Iterator[Verdict]:
    def check(one: dict[str, Any]) -> None:
        subtree = Subtree(one["start"], one["end"], _bytes(one, "root"))
        subtrees.verify_inclusion(_bytes(one, "leafHash"), one["leafIdx"], _proof(one), subtree)

    for name, one in _published(vectors, "subtreeinclusion"):
        yield Verdict(name, not one["wantErr"], accepts(merkle.ProofInvalid, check, one))


@family("Merkle subtree consistency", least=57)
def subtree_consistency(vectors: Path) -> Iterator[Verdict]:
    def check(one: dict[str, Any]) -> None:
        subtree = Subtree(one["start"], one["end"], _bytes(one, "root1"))
        subtrees.verify_consistency(subtree, one["size"], _proof(one), _bytes(one, "root2"))

    for name, one in _published(vectors, "subtreeconsistency"):
        yield Verdict(name, not one["wantErr"], accepts(merkle.ProofInvalid, check, one))


@family("Merkle reference tree of 8 leaves", least=24)
def reference_tree(vectors: Path) -> Iterator[Verdict]:
    tree = json.loads((vectors / "merkle" / "reference_tree_8.json").read_bytes())
    leaves = [merkle.leaf_hash(bytes.fromhex(data)) for data in tree["leaf_inputs_hex"]]
    reader = tiles.Leaves(leaves)
    for size, root in enumerate(tree["roots_by_size_hex"]):
        got = {merkle.root_of(leaves[:size]).hex(), merkle.root_at(size, reader).hex()}
        yield Verdict(f"root of {size}", True, got == {root})
    for level, nodes in enumerate(tree["node_hashes_by_level_hex"]):
        for position, node in enumerate(nodes[: len(leaves) >> level]):
            got_node = reader.hash_at(level, position).hex()
            yield Verdict(f"node {position} at level {level}", True, got_node == node)


def _published(vectors: Path, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    folder = vectors / "merkle" / kind
    for file in sorted(folder.rglob("*.json")):
        yield str(file.relative_to(folder)), json.loads(file.read_bytes())


def _bytes(vector: dict[str, Any], key: str) -> bytes:
    return base64.b64decode(vector[key] or "")


def _proof(vector: dict[str, Any]) -> list[bytes]:
    return [base64.b64decode(step) for step in vector["proof"] or []]
