"""Say which tests are the attacks that the verifier must answer; the list is never complete."""

from dataclasses import dataclass

HERE = "tests/attacks"
TRAIL = "tests/compliance/trail"


@dataclass(frozen=True, slots=True)
class Attack:
    """An attack of the design, the verdict it must get, and the tests that carry it out."""

    number: int
    what: str
    verdict: str
    tests: tuple[str, ...]


def _attack(number: int, what: str, verdict: str, *tests: str) -> Attack:
    return Attack(number, what, verdict, tests)


SEALED = f"{HERE}/test_sealed_log.py"
BUNDLE = f"{HERE}/test_sealed_log_bundle.py"
REWRITTEN = f"{HERE}/test_sealed_log_rewritten.py"
KILLED = f"{HERE}/test_sealed_log_killed.py"
SUPERUSER = f"{HERE}/test_trail_as_superuser.py"
LOAD = f"{HERE}/test_trail_under_load.py"
ISOLATION = f"{HERE}/test_trail_under_isolation.py"

# fmt: off
ATTACKS = (
    _attack(1, "one bit flipped in the body of a sealed entry", "TAMPERED there, others VALID",
            f"{SEALED}::test_a_flipped_bit_accuses_its_entry_and_no_other",
            f"{SUPERUSER}::test_one_flipped_bit_in_a_body_is_named"),
    _attack(2, "the same, signed again with the real key", "FORK",
            f"{REWRITTEN}::test_signed_again_it_contradicts_the_published_checkpoints",
            f"{REWRITTEN}::test_published_again_it_contradicts_the_memory_of_the_signer",
            f"{REWRITTEN}::test_signed_and_published_again_it_contradicts_what_others_said_of_it",
            f"{REWRITTEN}::test_signed_again_it_contradicts_the_witnesses",
            f"{REWRITTEN}::test_signed_again_it_contradicts_the_export",
            f"{REWRITTEN}::test_signed_again_it_contradicts_a_checkpoint_that_somebody_holds",
            f"{REWRITTEN}::test_a_token_over_the_note_before_is_none_for_the_note_signed_again"),
    _attack(3, "only the search columns changed", "PROJECTION_MISMATCH",
            f"{SEALED}::test_a_change_of_the_search_columns_alone_is_a_projection_mismatch",
            f"{SUPERUSER}::test_an_entry_hidden_from_search_is_a_projection_mismatch"),
    _attack(4, "a body that is not canonical", "refused at append; NONCANONICAL when planted",
            f"{TRAIL}/capture/test_profile.py::test_what_has_no_form_is_refused_in_every_way_of_writing",
            f"{SEALED}::test_a_planted_body_that_is_not_canonical_is_named"),
    _attack(5, "a middle entry deleted", "MISSING",
            f"{SEALED}::test_a_middle_entry_deleted_is_missing"),
    _attack(6, "two neighbouring leaves exchanged", "REORDERED",
            f"{SEALED}::test_two_neighbouring_leaves_exchanged_are_reordered"),
    _attack(7, "a back-dated entry, between sealed ones or at the end", "FORK; TIME_OUT_OF_BRACKET",
            f"{SEALED}::test_an_entry_back_dated_between_two_sealed_ones_contradicts_the_checkpoints",
            f"{SEALED}::test_an_entry_of_a_clock_set_by_an_hour_is_out_of_the_bracket_of_time_stamps"),
    _attack(8, "an entry replayed into another tenant's log", "TAMPERED: another origin",
            f"{TRAIL}/life/test_logs.py::test_an_entry_replayed_into_another_tenants_log_does_not_fit_there",
            f"{SUPERUSER}::test_an_entry_of_another_log_is_named"),
    _attack(9, "the unsealed end cut off", "TAMPERED: rows name entries that are not there",
            f"{SEALED}::test_an_unsealed_end_cut_off_leaves_rows_without_their_entries"),
    _attack(10, "the last entry of a record left out of a bundle", "MISSING",
            f"{BUNDLE}::test_an_entry_left_out_of_the_bundle_is_missing",
            f"{TRAIL}/verifier/test_damage.py::test_every_single_entry_of_a_claimed_record_is_missed_when_left_out"),
    _attack(11, "a commit out of the order of the sequence", "one leaf an entry",
            f"{LOAD}::test_an_entry_committed_late_gets_its_leaf_late"),
    _attack(12, "sequencer, signer and PostgreSQL killed at each step", "no loss, no fork",
            f"{KILLED}::test_killed_at_a_step_it_goes_on_without_loss_or_fork",
            f"{KILLED}::test_with_the_database_killed_at_a_step_it_goes_on_without_loss_or_fork",
            f"{LOAD}::test_a_sequencer_killed_again_and_again_leaves_a_whole_log",
            f"{TRAIL}/signer/test_core.py::test_killed_at_any_moment_it_never_signs_one_size_twice"),
    _attack(13, "retries, savepoints and roll-backs", "one entry a committed change",
            f"{ISOLATION}::test_what_a_savepoint_undoes_has_no_entry_and_what_stays_has_one",
            f"{TRAIL}/test_capture_commits.py::test_a_failed_act_leaves_neither_row_nor_entry"),
    _attack(14, "failing over to a standby that is behind", "no checkpoint ahead of it, no fork",
            f"{HERE}/test_failing_over.py::test_no_checkpoint_is_ahead_of_the_standby_that_takes_over",
            f"{SUPERUSER}::test_a_log_rolled_back_is_not_signed_again",
            f"{TRAIL}/life/test_restoring.py::test_a_restored_log_is_refused_by_the_signer_and_described"),
    _attack(15, "writers in REPEATABLE READ or SERIALIZABLE", "no fork of a record",
            f"{ISOLATION}::test_writers_of_one_row_fork_nothing_and_every_retry_is_one_entry",
            f"{LOAD}::test_four_writers_and_two_sequencers_lose_and_double_nothing"),
    _attack(16, "session_replication_role = replica", "the triggers fire",
            f"{SUPERUSER}::test_replication_role_does_not_silence_the_capture"),
    _attack(17, "a row edited under the database, a table restored alone", "TAMPERED, MISSING",
            f"{HERE}/test_sealed_log_on_disk.py::test_an_edited_page_with_a_right_checksum_is_named",
            f"{HERE}/test_sealed_log_on_disk.py::test_an_edited_page_with_a_wrong_checksum_is_never_intact",
            f"{SEALED}::test_one_table_restored_from_an_older_copy_is_named_row_by_row",
            f"{SEALED}::test_the_entries_restored_from_an_older_copy_are_missing",
            f"{SUPERUSER}::test_a_row_changed_with_its_triggers_off_is_named_with_its_column"),
    _attack(18, "an inclusion proof with a step more, less or other", "refused",
            f"{TRAIL}/tlog/test_merkle.py::test_an_inclusion_proof_with_anything_changed_is_refused",
            f"{TRAIL}/tlog/test_merkle_forgeries.py::test_a_proof_with_any_step_changed_moved_or_of_another_length_is_refused",
            f"{BUNDLE}::test_a_damaged_proof_of_the_bundle_is_refused"),
    _attack(19, "an inner node shown as an entry", "refused",
            f"{TRAIL}/tlog/test_merkle.py::test_inner_nodes_cannot_be_shown_as_leaves",
            f"{TRAIL}/tlog/test_merkle_forgeries.py::test_the_bytes_below_an_inner_node_are_no_entry_at_any_size"),
    _attack(20, "chain and tree that disagree", "TAMPERED",
            f"{TRAIL}/verification/test_ranges.py::test_a_chain_broken_between_two_leaves_is_named",
            f"{BUNDLE}::test_a_damaged_proof_of_the_bundle_is_refused"),
    _attack(21, "two checkpoints of one size", "FORK with both",
            f"{SEALED}::test_two_checkpoints_of_one_size_are_a_fork_with_both_as_evidence",
            f"{TRAIL}/outside/test_witnessing.py::test_a_fork_of_the_same_size_is_contradicted"),
    _attack(22, "an older database restored, and the log goes on", "refused; ROLLED_BACK",
            f"{TRAIL}/life/test_restoring.py::test_a_restored_log_is_refused_by_the_signer_and_described",
            f"{SEALED}::test_database_and_signer_restored_together_are_known_to_witnesses_and_export"),
    _attack(23, "two requests to a witness at once", "it never goes back",
            f"{TRAIL}/outside/test_witness.py::test_concurrent_requests_never_lead_back"),
    _attack(24, "the clock set back or forward", "TIME_OUT_OF_BRACKET; the signer refuses",
            f"{SEALED}::test_an_entry_of_a_clock_set_by_a_day_is_out_of_its_bracket",
            f"{TRAIL}/signer/test_core.py::test_a_clock_set_back_is_refused_and_a_trimmed_one_is_not"),
    _attack(25, "no time-stamping authority for a day", "sealing goes on, and it is reported",
            f"{TRAIL}/outside/test_timestamping.py::test_an_outage_stops_no_sealing_and_the_bracket_says_how_wide_it_is"),
    _attack(26, "a checkpoint signed by a retired key", "refused",
            f"{TRAIL}/tlog/test_key_history.py::test_a_retired_key_alone_signs_nothing_beyond_its_range",
            f"{TRAIL}/signer/test_process.py::test_a_checkpoint_signed_by_the_old_key_alone_is_a_fault_after_the_exchange"),
    _attack(27, "a stolen key that back-dates", "UNANCHORED without proof from before",
            f"{TRAIL}/tlog/test_key_history.py::test_a_compromised_key_needs_proof_from_before",
            f"{TRAIL}/verifier/test_anchoring.py::test_a_stolen_key_counts_for_what_was_seen_before"),
    _attack(28, "Ed25519 signatures and keys of second forms", "as pinned",
            f"{TRAIL}/tlog/test_vectors.py::test_every_published_verdict_is_met",
            f"{TRAIL}/tlog/test_keys.py::test_a_key_of_small_order_or_in_a_second_spelling_is_refused"),
    _attack(29, "an opening deleted", "MISSING_OPENING; REDACTED_AUTHORISED with a redaction",
            f"{SEALED}::test_an_opening_deleted_without_a_redaction_is_missing",
            f"{SEALED}::test_an_opening_erased_by_two_persons_is_redacted_and_nothing_else"),
    _attack(30, "a value redacted that was never erasable", "TAMPERED",
            f"{SEALED}::test_a_redaction_that_the_log_does_not_allow_is_named"),
    _attack(31, "an archive removed, or two exchanged", "named; later entries stay VALID",
            f"{TRAIL}/life/test_archiving.py::test_a_removed_file_is_named",
            f"{TRAIL}/life/test_archiving.py::test_two_swapped_files_are_both_named"),
)
# fmt: on
