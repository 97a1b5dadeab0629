"""A policy is read in one way, and a quorum is met by exactly the sets that meet it."""

from itertools import chain, combinations

import pytest

from compliance.trail.tlog import merkle, note
from compliance.trail.tlog.checkpoint import Checkpoint
from compliance.trail.tlog.keys import COSIGNATURE_V1, KeyInvalid, KeyPair
from compliance.trail.tlog.policy import NotOfLog, Policy, PolicyInvalid

LOG = KeyPair.generate("example.com/log")
OTHER_LOG = KeyPair.generate("example.com/other")
NAMES = ("X1", "X2", "X3", "Y1", "Y2", "Y3")
WITNESSES = {
    name: KeyPair.generate(f"witness.example/{name}", algorithm=COSIGNATURE_V1) for name in NAMES
}
W = {name: f"witness {name} {pair.verifier.vkey}\n" for name, pair in WITNESSES.items()}
LOG_LINE = f"log {LOG.verifier.vkey}\n"
EXAMPLE = (
    LOG_LINE
    + "".join(W[name] for name in NAMES)
    + "group X-witnesses 2 X1 X2 X3\n"
    + "group Y-witnesses any Y1 Y2 Y3\n"
    + "group X-and-Y all X-witnesses Y-witnesses\nquorum X-and-Y\n"
)
TEXT = Checkpoint(origin=LOG.name, size=3, root=merkle.root_of([b"x" * 32] * 3)).text()
SIGNED = note.sign(TEXT, [LOG])


def cosigned(*names: str, at: int = 1_700_000_000, signed: str = SIGNED) -> str:
    text = note.split(signed)[0]
    return note.add(signed, [note.signature_of(text, WITNESSES[name], at=at) for name in names])


def test_the_example_of_the_specification_is_met_by_two_x_and_one_y_only() -> None:
    policy = Policy.parse(EXAMPLE)
    every = chain.from_iterable(combinations(NAMES, count) for count in range(len(NAMES) + 1))

    for names in every:
        verdict = policy.weigh(cosigned(*names))

        meets = (
            sum(name[0] == "X" for name in names) >= 2
            and sum(name[0] == "Y" for name in names) >= 1
        )
        assert verdict.is_met is meets
        assert set(verdict.cosigned) == set(names)
        assert set(verdict.missing) == set(NAMES) - set(names)
        assert (verdict.shortfall == "") is meets


def test_the_verdict_names_who_is_missing() -> None:
    verdict = Policy.parse(EXAMPLE).weigh(cosigned("X2"))

    assert verdict.missing == ("X1", "X3", "Y1", "Y2", "Y3")
    assert verdict.shortfall == (
        "group X-and-Y has 0 of 2 needed, missing X-witnesses, Y-witnesses; "
        "group X-witnesses has 1 of 2 needed, missing X1, X3; "
        "group Y-witnesses has 0 of 1 needed, missing Y1, Y2, Y3"
    )


@pytest.mark.parametrize("threshold", range(1, 7))
def test_k_of_n_needs_k(threshold: int) -> None:
    policy = Policy.parse(
        LOG_LINE + "".join(W.values()) + f"group all {threshold} {' '.join(NAMES)}\nquorum all\n"
    )

    for count in range(7):
        assert policy.weigh(cosigned(*NAMES[:count])).is_met is (count >= threshold)


def test_a_quorum_of_one_witness_is_that_witness() -> None:
    policy = Policy.parse(LOG_LINE + W["X1"] + W["X2"] + "quorum X1\n")

    assert policy.weigh(cosigned("X1")).is_met
    assert policy.weigh(cosigned("X2")).shortfall == "witness X1 did not cosign"


def test_a_quorum_of_none_is_met_by_the_log_alone() -> None:
    verdict = Policy.parse(LOG_LINE + W["X1"] + "quorum none\n").weigh(SIGNED)

    assert verdict.is_met
    assert verdict.missing == ("X1",)


def test_without_a_log_no_checkpoint_is_valid() -> None:
    with pytest.raises(NotOfLog):
        Policy.parse(W["X1"] + "quorum X1\n").weigh(cosigned("X1"))


def test_the_key_of_another_log_does_not_count() -> None:
    policy = Policy.parse(LOG_LINE + f"log {OTHER_LOG.verifier.vkey}\nquorum none\n")

    with pytest.raises(NotOfLog, match="no log of the policy"):
        policy.weigh(note.sign(TEXT, [OTHER_LOG]))


def test_a_bad_signature_of_a_known_key_spoils_the_note() -> None:
    foreign = note.signature_of(TEXT.replace("3", "4", 1), WITNESSES["X1"], at=1)

    with pytest.raises(NotOfLog, match="does not verify"):
        Policy.parse(EXAMPLE).weigh(note.add(SIGNED, [foreign]))


def test_a_cosignature_of_the_future_does_not_count() -> None:
    policy = Policy.parse(LOG_LINE + W["X1"] + "quorum X1\n")

    assert policy.weigh(cosigned("X1", at=1000), latest=1000).is_met
    assert not policy.weigh(cosigned("X1", at=1001), latest=1000).is_met


def test_spaces_tabs_comments_and_addresses_are_read() -> None:
    text = (
        f"# trusted since 2026\n\n \t \n\t log\t{LOG.verifier.vkey}   https://log.example/ \n"
        f"  # indented\nwitness  X1 {WITNESSES['X1'].verifier.vkey} https://w.example\nquorum X1\n"
    )

    policy = Policy.parse(text)

    assert policy.logs[0].url == "https://log.example/"
    assert policy.witnesses["X1"].url == "https://w.example"


def test_names_are_octets_whatever_they_look_like() -> None:
    kelvin = "\N{KELVIN SIGN}"
    w1, w2, w3 = (WITNESSES[name].verifier.vkey for name in ("X1", "X2", "X3"))

    policy = Policy.parse(
        f"{LOG_LINE}witness K {w1}\nwitness {kelvin} {w2}\n".encode()
        + b"witness \xff "
        + f"{w3}\ngroup g 3 K {kelvin} ".encode()
        + b"\xff\nquorum g\n"
    )

    assert policy.weigh(cosigned("X1", "X2", "X3")).is_met
    assert not policy.weigh(cosigned("X1", "X2")).is_met


def test_thirty_two_of_each_are_no_matter() -> None:
    pairs = [KeyPair.generate(f"w/{n}", algorithm=COSIGNATURE_V1) for n in range(32)]
    lines = [f"log {KeyPair.generate(f'l/{n}').verifier.vkey}" for n in range(32)]
    lines += [f"witness w{n} {pair.verifier.vkey}" for n, pair in enumerate(pairs)]
    lines += ["group g0 all w0", *(f"group g{n} all w{n} g{n - 1}" for n in range(1, 32))]

    policy = Policy.parse("\n".join([*lines, "quorum g31"]) + "\n")

    assert (len(policy.logs), len(policy.witnesses), len(policy.groups)) == (32, 32, 32)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "newline"),
        (LOG_LINE, "no quorum"),
        (LOG_LINE + "quorum none", "newline"),
        (LOG_LINE + "quorum none\nquorum none\n", "second quorum"),
        (LOG_LINE + "quorum X1\n" + W["X1"], "not defined above"),
        (LOG_LINE + "quorum\n", "not a line"),
        ("logs x\nquorum none\n", "not a line"),
        (LOG_LINE + LOG_LINE + "quorum none\n", "here already"),
        (W["X1"] + W["X1"].replace("X1 ", "X2 ", 1) + "quorum none\n", "here already"),
        (W["X1"] + W["X2"].replace("X2 ", "X1 ", 1) + "quorum none\n", "is taken"),
        (W["X1"].replace("X1 ", "none ", 1) + "quorum none\n", "is taken"),
        (W["X1"] + "group none any X1\nquorum none\n", "is taken"),
        (W["X1"] + "group X1 any X1\nquorum X1\n", "is taken"),
        (W["X1"] + "group g any none\nquorum g\n", "not defined"),
        (W["X1"] + "group g any g\nquorum g\n", "not defined"),
        (W["X1"] + "group g any h\ngroup h any X1\nquorum g\n", "not defined"),
        (W["X1"] + "group g any X1 X1\nquorum g\n", "member already"),
        (W["X1"] + "group g any X1\ngroup h any X1\nquorum g\n", "member already"),
        (W["X1"] + "group g any\nquorum g\n", "not a line"),
        (W["X1"] + "group g 0 X1\nquorum g\n", "1 to 1"),
        (W["X1"] + "group g 2 X1\nquorum g\n", "1 to 1"),
        (W["X1"] + "group g 01 X1\nquorum g\n", "1 to 1"),
        (W["X1"] + "group g ALL X1\nquorum g\n", "1 to 1"),
        (LOG_LINE + "quorum none\r\n", "control character"),
        (LOG_LINE + "quorum\x0cnone\n", "control character"),
        (LOG_LINE + "quorum\N{NO-BREAK SPACE}none\n", "not a line"),
        (f"log {LOG.verifier.vkey[:-4]}AAA=\nquorum none\n", "line 1"),
        (f"log {WITNESSES['X1'].verifier.vkey}\nquorum none\n", "not for this use"),
        (f"witness X {LOG.verifier.vkey}\nquorum none\n", "not for this use"),
        (f"{LOG_LINE[:-1]} a b\nquorum none\n", "not a line"),
    ],
)
def test_what_is_no_policy_is_refused(text: str, why: str) -> None:
    with pytest.raises((PolicyInvalid, KeyInvalid), match=why):
        Policy.parse(text)


def test_a_log_does_not_witness_itself() -> None:
    same = KeyPair("witness.example/own", COSIGNATURE_V1, LOG.seed)

    with pytest.raises(PolicyInvalid, match="here already"):
        Policy.parse(f"{LOG_LINE}witness own {same.verifier.vkey}\nquorum own\n")
