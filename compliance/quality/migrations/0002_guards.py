"""Hold the rules of quality's records in the database too (21 CFR 211.192; Annex 11, 9)."""

from django.db import migrations

# While the trail writes rows back after a loss, its capture is off on the table and nobody acts:
# rows come in their last state, in no order that a rule between states could follow.
HELPERS = """
CREATE FUNCTION public.quality_is_recovering(relation oid) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM pg_catalog.pg_trigger WHERE tgrelid = relation
        AND tgname = 'zz_capture' AND tgenabled = 'D')
$$;
CREATE FUNCTION public.quality_refuse(message text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%', message USING ERRCODE = 'check_violation';
END $$;

-- Arguments: the moves, the states that are ends, and the first state.
CREATE FUNCTION public.quality_keep_states() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF public.quality_is_recovering(TG_RELID) THEN
        RETURN NEW;
    ELSIF TG_OP = 'INSERT' THEN
        IF NEW.state <> TG_ARGV[2] THEN
            PERFORM public.quality_refuse(TG_TABLE_NAME || ' begins as ' || TG_ARGV[2]);
        END IF;
    ELSIF OLD.state = ANY (string_to_array(TG_ARGV[1], ',')) THEN
        PERFORM public.quality_refuse(TG_TABLE_NAME || ' ' || OLD.id || ' is ' || OLD.state
            || ' and is never changed again');
    ELSIF NEW.state <> OLD.state
        AND NOT (OLD.state || '>' || NEW.state) = ANY (string_to_array(TG_ARGV[0], ',')) THEN
        PERFORM public.quality_refuse(TG_TABLE_NAME || ' does not go from ' || OLD.state
            || ' to ' || NEW.state);
    END IF;
    RETURN NEW;
END $$;

-- Arguments: columns that keep their first value.
CREATE FUNCTION public.quality_keep_identity() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY TG_ARGV LOOP
        IF to_jsonb(OLD) -> name IS DISTINCT FROM to_jsonb(NEW) -> name
            AND NOT public.quality_is_recovering(TG_RELID) THEN
            PERFORM public.quality_refuse(TG_TABLE_NAME || '.' || name || ' is never changed');
        END IF;
    END LOOP;
    RETURN NEW;
END $$;

-- Arguments: the parent's table, the column that names it, and the states in which it takes rows.
CREATE FUNCTION public.quality_keep_parent() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    found text;
BEGIN
    IF public.quality_is_recovering(TG_RELID) THEN
        RETURN NEW;
    END IF;
    -- The lock makes whoever ends the parent and whoever adds to it see each other.
    EXECUTE format('SELECT state FROM public.%I WHERE id = $1 FOR SHARE', TG_ARGV[0])
        INTO found USING (to_jsonb(NEW) ->> TG_ARGV[1])::bigint;
    IF NOT found = ANY (string_to_array(TG_ARGV[2], ',')) THEN
        PERFORM public.quality_refuse(TG_ARGV[0] || ' is ' || found || ': ' || TG_TABLE_NAME
            || ' takes no more rows of it');
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION public.quality_is_signed(of_table text, of_id bigint, meanings text[], not_by bigint)
RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM public.signatures_signature WHERE record = of_table
        AND record_id = of_id::text AND meaning = ANY (meanings)
        AND signer_id IS DISTINCT FROM not_by)
$$;
"""

GATES = """
CREATE FUNCTION public.quality_keep_closure() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state = OLD.state OR public.quality_is_recovering(TG_RELID) THEN
        RETURN NEW;
    END IF;
    IF NEW.state = 'cancelled' AND (NEW.duplicate_of_id = NEW.id OR EXISTS (
        SELECT FROM public.quality_deviation WHERE id = NEW.duplicate_of_id AND state = 'cancelled'
    )) THEN
        PERFORM public.quality_refuse(NEW.number || ' names no original that stands');
    END IF;
    IF NEW.state <> 'closed' THEN
        RETURN NEW;
    END IF;
    IF NOT EXISTS (SELECT FROM public.quality_classification WHERE deviation_id = NEW.id) THEN
        PERFORM public.quality_refuse(NEW.number || ' is not classified');
    ELSIF EXISTS (SELECT FROM public.quality_neighbour WHERE deviation_id = NEW.id AND effect = '')
    THEN
        PERFORM public.quality_refuse(NEW.number || ' has neighbours that nobody considered');
    ELSIF NEW.root_cause_category = 'human-error' AND 2 > (
        SELECT count(DISTINCT category) FROM public.quality_causeconsidered
        WHERE deviation_id = NEW.id AND finding = 'ruled-out' AND category IN ('method', 'system')
    ) THEN
        PERFORM public.quality_refuse(NEW.number || ' blames a person with nothing ruled out');
    ELSIF NOT EXISTS (  -- 21 CFR 211.192: closed by another person than the one who investigated
        SELECT FROM public.signatures_signature closing JOIN public.signatures_signature found
            ON found.record = closing.record AND found.record_id = closing.record_id
            AND found.meaning = 'investigated' AND found.signer_id <> closing.signer_id
        WHERE closing.record = 'quality_deviation' AND closing.record_id = NEW.id::text
            AND closing.meaning = 'closed'
    ) THEN
        PERFORM public.quality_refuse(NEW.number || ' lacks the signatures of two people');
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION public.quality_keep_severity() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.severity <> OLD.severity AND NOT public.quality_is_recovering(TG_RELID)
        AND NEW.severity IS DISTINCT FROM (
            SELECT severity FROM public.quality_classification WHERE deviation_id = NEW.id
            ORDER BY id DESC LIMIT 1) THEN
        PERFORM public.quality_refuse(NEW.number || ' gets a severity by a classification only');
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION public.quality_keep_capa() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF public.quality_is_recovering(TG_RELID) THEN
        RETURN NEW;
    ELSIF OLD.state <> 'draft' AND (NEW.criterion, NEW.problem, NEW.owner_id)
        IS DISTINCT FROM (OLD.criterion, OLD.problem, OLD.owner_id) THEN
        PERFORM public.quality_refuse(NEW.number || ' is approved: its plan is not changed');
    ELSIF NEW.state = OLD.state THEN
        RETURN NEW;
    ELSIF NEW.state = 'approved' AND NOT public.quality_is_signed(
        'quality_capa', NEW.id, ARRAY['approved'], NEW.owner_id) THEN
        PERFORM public.quality_refuse(NEW.number || ' is not signed by somebody else than its owner');
    ELSIF NEW.state = 'implemented' AND EXISTS (
        SELECT FROM public.quality_capaaction WHERE capa_id = NEW.id AND done_at IS NULL) THEN
        PERFORM public.quality_refuse(NEW.number || ' has actions that are not done');
    ELSIF NEW.state IN ('effective', 'ineffective') AND (NEW.state = 'effective') IS DISTINCT FROM (
        SELECT is_effective FROM public.quality_effectivenesscheck WHERE capa_id = NEW.id
        ORDER BY id DESC LIMIT 1) THEN
        PERFORM public.quality_refuse(NEW.number || ' has no check that says so');
    ELSIF NEW.state = 'closed' AND NOT public.quality_is_signed(
        'quality_capa', NEW.id, ARRAY['closed'], NEW.owner_id) THEN
        PERFORM public.quality_refuse(NEW.number || ' is not signed by somebody else than its owner');
    ELSIF NEW.state = 'closed' AND OLD.state = 'ineffective' AND NOT EXISTS (
        SELECT FROM public.quality_capa
        WHERE follows_id = NEW.id AND state NOT IN ('draft', 'cancelled')) THEN
        PERFORM public.quality_refuse(NEW.number || ' did not help, and none follows it');
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION public.quality_keep_checker_apart() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT public.quality_is_recovering(TG_RELID) AND (EXISTS (
        SELECT FROM public.quality_capa WHERE id = NEW.capa_id AND owner_id = NEW.checked_by_id
    ) OR EXISTS (
        SELECT FROM public.quality_capaaction
        WHERE capa_id = NEW.capa_id AND owner_id = NEW.checked_by_id
    )) THEN
        PERFORM public.quality_refuse('who did the work does not check its effect');
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION public.quality_keep_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    needed text[] := CASE NEW.classification WHEN 'minor' THEN ARRAY['quality']
        WHEN 'major' THEN ARRAY['production', 'quality']
        ELSE ARRAY['production', 'quality', 'qualified-person'] END;
BEGIN
    IF public.quality_is_recovering(TG_RELID) THEN
        RETURN NEW;
    ELSIF OLD.state NOT IN ('requested') AND (NEW.classification, NEW.description)
        IS DISTINCT FROM (OLD.classification, OLD.description) THEN
        PERFORM public.quality_refuse(NEW.number || ' is assessed: what it is does not change');
    ELSIF NEW.state = OLD.state THEN
        RETURN NEW;
    ELSIF NEW.state = 'assessed' AND 7 > (
        SELECT count(DISTINCT kind) FROM public.quality_impact WHERE change_id = NEW.id) THEN
        PERFORM public.quality_refuse(NEW.number || ' is not assessed for every kind of impact');
    ELSIF NEW.state = 'approved' AND NOT needed <@ (
        SELECT coalesce(array_agg(approval.function::text), '{}')
        FROM public.quality_approval approval
        WHERE change_id = NEW.id AND EXISTS (
            SELECT FROM public.signatures_signature
            WHERE record = 'quality_change' AND record_id = NEW.id::text
                AND meaning = 'approved' AND signer_id = approval.approved_by_id)) THEN
        PERFORM public.quality_refuse(NEW.number || ' lacks a signed approval');
    ELSIF NEW.state = 'implemented' AND EXISTS (
        SELECT FROM public.quality_changetask WHERE change_id = NEW.id AND done_at IS NULL) THEN
        PERFORM public.quality_refuse(NEW.number || ' has tasks that are not done');
    ELSIF NEW.state = 'reviewed' AND NEW.reviewed_by_id = NEW.requester_id THEN
        PERFORM public.quality_refuse(NEW.number || ' is not reviewed by who asked for it');
    ELSIF NEW.state = 'closed' AND NOT public.quality_is_signed(
        'quality_change', NEW.id, ARRAY['closed'], NEW.requester_id) THEN
        PERFORM public.quality_refuse(NEW.number || ' is not signed for its closure');
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION public.quality_keep_approver_apart() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT public.quality_is_recovering(TG_RELID) AND EXISTS (
        SELECT FROM public.quality_change
        WHERE id = NEW.change_id AND requester_id = NEW.approved_by_id) THEN
        PERFORM public.quality_refuse('who asks for a change does not agree to it');
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION public.quality_keep_risk() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state = OLD.state OR public.quality_is_recovering(TG_RELID) THEN
        RETURN NEW;
    ELSIF NEW.state IN ('accepted', 'to-mitigate') AND EXISTS (
        SELECT FROM public.quality_failuremode mode WHERE mode.risk_id = NEW.id AND 2 > (
            SELECT count(*) FROM public.quality_rating
            WHERE mode_id = mode.id AND round = NEW.round)) THEN
        PERFORM public.quality_refuse(NEW.number || ' is not rated by two people');
    ELSIF NEW.state = 'accepted' AND EXISTS (
        SELECT FROM public.quality_rating rating
        JOIN public.quality_failuremode mode ON mode.id = rating.mode_id
        JOIN public.quality_scale scale ON scale.id = NEW.scale_id
        WHERE mode.risk_id = NEW.id AND rating.round = NEW.round
            AND rating.severity >= scale.severe_from) THEN
        PERFORM public.quality_refuse(NEW.number || ' is too severe to be accepted');
    END IF;
    RETURN NEW;
END $$;

-- Annex 11 draft 2025, 12: a reviewer is not directly involved in what is reviewed.
CREATE FUNCTION public.quality_keep_reviewer_apart() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT public.quality_is_recovering(TG_RELID) AND (
        SELECT username FROM public.access_user WHERE id = NEW.reviewer_id
    ) = ANY (string_to_array(NEW.actors, E'\\n')) THEN
        PERFORM public.quality_refuse(NEW.number || ': the reviewer made entries in the scope');
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION public.quality_keep_review() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF public.quality_is_recovering(TG_RELID) THEN
        RETURN NEW;
    ELSIF (NEW.reviewer_id, NEW.actors, NEW.seed, NEW.wanted, NEW.tree_size, NEW.entries_digest,
            NEW.entry_count)
        IS DISTINCT FROM (OLD.reviewer_id, OLD.actors, OLD.seed, OLD.wanted, OLD.tree_size,
            OLD.entries_digest, OLD.entry_count) THEN
        PERFORM public.quality_refuse(NEW.number || ': what is reviewed does not change');
    ELSIF NEW.state = 'concluded' AND OLD.state <> 'concluded' THEN
        IF EXISTS (SELECT FROM public.quality_sampledentry
            WHERE review_id = NEW.id AND outcome = '') THEN
            PERFORM public.quality_refuse(NEW.number || ' has entries that nobody assessed');
        ELSIF NOT EXISTS (SELECT FROM public.signatures_signature
            WHERE record = 'quality_trailreview' AND record_id = NEW.id::text
                AND meaning = 'reviewed' AND signer_id = NEW.reviewer_id) THEN
            PERFORM public.quality_refuse(NEW.number || ' is not signed by its reviewer');
        END IF;
    END IF;
    RETURN NEW;
END $$;
"""

# (table, trigger, when, function with arguments)
MACHINES = {
    "quality_deviation": (
        "open>cancelled,open>under-investigation,under-investigation>cancelled,"
        "under-investigation>closed",
        "closed,cancelled", "open",
    ),
    "quality_capa": (
        "approved>implemented,draft>approved,draft>cancelled,effective>closed,"
        "implemented>effective,implemented>ineffective,ineffective>closed",
        "closed,cancelled", "draft",
    ),
    "quality_change": (
        "approved>implemented,assessed>approved,assessed>cancelled,assessed>rejected,"
        "implemented>reviewed,requested>assessed,requested>cancelled,requested>rejected,"
        "reviewed>closed",
        "closed,rejected,cancelled", "requested",
    ),
    "quality_risk": (
        "accepted>rating,accepted>retired,rating>accepted,rating>to-mitigate,"
        "to-mitigate>rating,to-mitigate>retired",
        "retired", "rating",
    ),
    "quality_trailreview": (
        "open>abandoned,open>concluded", "concluded,abandoned", "open",
    ),
    "quality_periodicreview": ("open>concluded", "concluded", "open"),
}  # fmt: skip
CHANGED = "BEFORE UPDATE"
WRITTEN = "BEFORE INSERT OR UPDATE"
_IN_WORK = "'quality_deviation', 'deviation_id', 'open,under-investigation'"
_CHANGE_OPEN = "'quality_change', 'change_id', 'requested,assessed,approved'"
TRIGGERS = [
    *(
        (table, "keep_states", WRITTEN, f"quality_keep_states('{moves}', '{ends}', '{first}')")
        for table, (moves, ends, first) in MACHINES.items()
    ),
    ("quality_deviation", "keep_closure", CHANGED, "quality_keep_closure()"),
    ("quality_deviation", "keep_severity", CHANGED, "quality_keep_severity()"),
    *(
        (f"quality_{name}", "keep_parent_open", WRITTEN, f"quality_keep_parent({_IN_WORK})")
        for name in (
            "deviationnote", "classification", "causeconsidered", "neighbour", "recurrenceanswer",
            "extension",
        )
    ),
    (
        "quality_neighbour", "keep_identity", CHANGED,
        "quality_keep_identity('deviation_id', 'rule', 'kind', 'name', 'because', 'suggested_at')",
    ),
    (
        "quality_extension", "keep_identity", CHANGED,
        "quality_keep_identity('deviation_id', 'due_before', 'due_after', 'reason', "
        "'requested_by_id', 'requested_at')",
    ),
    ("quality_capa", "keep_gates", CHANGED, "quality_keep_capa()"),
    (
        "quality_capaaction", "keep_capa_open", WRITTEN,
        "quality_keep_parent('quality_capa', 'capa_id', 'draft,approved')",
    ),
    (
        "quality_effectivenesscheck", "keep_checker_apart", "BEFORE INSERT",
        "quality_keep_checker_apart()",
    ),
    ("quality_change", "keep_gates", CHANGED, "quality_keep_change()"),
    (
        "quality_impact", "keep_change_unapproved", WRITTEN,
        "quality_keep_parent('quality_change', 'change_id', 'requested')",
    ),
    ("quality_approval", "keep_approver_apart", "BEFORE INSERT", "quality_keep_approver_apart()"),
    ("quality_changetask", "keep_change_open", WRITTEN, f"quality_keep_parent({_CHANGE_OPEN})"),
    ("quality_risk", "keep_gates", CHANGED, "quality_keep_risk()"),
    (
        "quality_failuremode", "keep_risk_open", "BEFORE INSERT",
        "quality_keep_parent('quality_risk', 'risk_id', 'rating')",
    ),
    ("quality_trailreview", "keep_gates", CHANGED, "quality_keep_review()"),
    ("quality_trailreview", "keep_reviewer_apart", WRITTEN, "quality_keep_reviewer_apart()"),
    (
        "quality_sampledentry", "keep_review_open", WRITTEN,
        "quality_keep_parent('quality_trailreview', 'review_id', 'open')",
    ),
    (
        "quality_sampledentry", "keep_identity", CHANGED,
        "quality_keep_identity('review_id', 'entry', 'reasons')",
    ),
]  # fmt: skip
RATINGS = """
CREATE FUNCTION public.quality_keep_ratings() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    found record;
BEGIN
    IF public.quality_is_recovering(TG_RELID) THEN
        RETURN NEW;
    END IF;
    SELECT risk.state, risk.round, scale.highest INTO found
        FROM public.quality_failuremode mode
        JOIN public.quality_risk risk ON risk.id = mode.risk_id
        JOIN public.quality_scale scale ON scale.id = risk.scale_id
        WHERE mode.id = NEW.mode_id FOR SHARE OF risk;
    IF found.state <> 'rating' OR found.round <> NEW.round
        OR found.highest < greatest(NEW.severity, NEW.occurrence, NEW.detection) THEN
        PERFORM public.quality_refuse('no rating of this round, or beyond the scale');
    END IF;
    RETURN NEW;
END $$;
"""
TRIGGERS.append(("quality_rating", "keep_risk_open", "BEFORE INSERT", "quality_keep_ratings()"))
CREATE = "\n".join(
    f"CREATE TRIGGER {name} {when} ON public.{table} FOR EACH ROW EXECUTE FUNCTION public.{call};\n"
    f"ALTER TABLE public.{table} ENABLE ALWAYS TRIGGER {name};"
    for table, name, when, call in TRIGGERS
)
DROP = "\n".join(f"DROP TRIGGER {name} ON public.{table};" for table, name, _, _ in TRIGGERS)
FUNCTIONS = (
    "quality_keep_states()", "quality_keep_identity()", "quality_keep_parent()",
    "quality_keep_closure()", "quality_keep_severity()", "quality_keep_capa()",
    "quality_keep_checker_apart()", "quality_keep_change()", "quality_keep_approver_apart()",
    "quality_keep_risk()", "quality_keep_ratings()", "quality_keep_reviewer_apart()",
    "quality_keep_review()", "quality_is_signed(text, bigint, text[], bigint)",
    "quality_refuse(text)", "quality_is_recovering(oid)",
)  # fmt: skip
DROP_FUNCTIONS = "\n".join(f"DROP FUNCTION public.{one};" for one in FUNCTIONS)


class Migration(migrations.Migration):
    dependencies = [
        ("quality", "0001_initial"),
        ("signatures", "0001_initial"),
        ("access", "0002_segregation"),
    ]
    operations = [
        migrations.RunSQL(HELPERS + GATES + RATINGS, DROP_FUNCTIONS),
        migrations.RunSQL(CREATE, DROP),
    ]
