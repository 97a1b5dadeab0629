/*
 * Runs the generated capture functions of controlled tables as machine code.
 *
 * What is captured, and how, is said by the functions that compliance/trail/capture_sql.py
 * generates: they stay in the catalogue, and whoever verifies compares them with what is declared.
 * A server that has this library does what they say without interpreting them. It writes the same
 * bytes, and only where all of this holds:
 *
 * - the function says by itself that it may be run so ("-- native/1", then record, key and columns);
 * - its text is the generated one: the digest beside that line is of all that follows it;
 * - the table has the columns that are named, with their types, and the log is as it is made.
 *
 * Whatever else there is to do, the SQL does: deletions, refusals, first entries of old rows. A
 * function that somebody altered is run as it is altered.
 *
 * The unit is one statement: its triggers learn in ExecutorStart that they are run from here.
 */
#include "gmp_capture.h"

#include "access/htup_details.h"
#include "catalog/pg_type_d.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

PG_MODULE_MAGIC;

void		_PG_init(void);

static bool is_on = true;
static char *version = VERSION;
static ExecutorStart_hook_type earlier_start = NULL;
static ExecutorEnd_hook_type earlier_end = NULL;

static Datum capture_row(PG_FUNCTION_ARGS);
static Datum capture_inserted(PG_FUNCTION_ARGS);

/* --- A statement begins and ends */

static int
attribute_named(TupleDesc columns, const char *name, Oid type)
{
	for (int i = 0; i < columns->natts; i++)
	{
		Form_pg_attribute one = TupleDescAttr(columns, i);

		if (!one->attisdropped && strcmp(NameStr(one->attname), name) == 0)
			return one->atttypid == type && one->attgenerated == '\0' ? i : -1;
	}
	return -1;
}

/* Prepare a statement on a table; null when the table is not as the function says. */
static Statement *
statement_on(Relation table, Known *function)
{
	TupleDesc	columns = RelationGetDescr(table);
	Description *description = function->description;
	Statement  *one = palloc0(sizeof(Statement));

	one->description = description;
	one->owner = function->owner;
	one->attributes = palloc(sizeof(int) * description->count);
	one->pk = -1;
	for (int i = 0; i < description->count; i++)
	{
		Column	   *column = &description->columns[i];

		one->attributes[i] = attribute_named(columns, column->name, column->type);
		if (one->attributes[i] < 0)
			return NULL;
		if (strcmp(column->name, description->pk) == 0)
			one->pk = i;
	}
	one->seq = attribute_named(columns, "audit_seq", INT8OID);
	one->head = attribute_named(columns, "audit_head", BYTEAOID);
	if (one->seq < 0 || one->head < 0 || one->pk < 0)
		return NULL;
	one->function = function->function;
	one->values = palloc(sizeof(Datum) * columns->natts);
	one->nulls = palloc(sizeof(bool) * columns->natts);
	one->old_values = palloc(sizeof(Datum) * columns->natts);
	one->old_nulls = palloc(sizeof(bool) * columns->natts);
	initStringInfo(&one->stamp);
	initStringInfo(&one->body);
	initStringInfo(&one->new);
	initStringInfo(&one->old);
	initStringInfo(&one->image);
	return one;
}

/* Let the capture triggers of a table be run from here, for this statement. */
static void
prepare(ResultRelInfo *result)
{
	TriggerDesc *triggers = result->ri_TrigDesc;

	if (triggers == NULL)
		return;
	for (int i = 0; i < triggers->numtriggers; i++)
	{
		Trigger    *trigger = &triggers->triggers[i];
		FmgrInfo   *called = &result->ri_TrigFunctions[i];
		Known	   *function;
		Statement  *statement;
		bool		is_row;

		if (strncmp(trigger->tgname, "zz_capture", 10) != 0 || OidIsValid(called->fn_oid))
			continue;
		is_row = trigger->tgname[10] == '\0';
		if (!is_row && strcmp(trigger->tgname + 10, "_insert") != 0)
			continue;
		function = known_function(trigger->tgfoid);
		if (function == NULL)
			continue;
		statement = statement_on(result->ri_RelationDesc, function);
		if (statement == NULL)
			continue;
		called->fn_addr = is_row ? capture_row : capture_inserted;
		called->fn_oid = trigger->tgfoid;
		called->fn_nargs = 0;
		called->fn_strict = false;
		called->fn_retset = false;
		called->fn_stats = TRACK_FUNC_ALL;	/* counted by none */
		called->fn_mcxt = CurrentMemoryContext;
		called->fn_expr = NULL;
		called->fn_extra = statement;
	}
}

static void
start(QueryDesc *query, int flags)
{
	ListCell   *cell;

	if (earlier_start)
		earlier_start(query, flags);
	else
		standard_ExecutorStart(query, flags);
	if (!is_on || GetDatabaseEncoding() != PG_UTF8 || (flags & EXEC_FLAG_EXPLAIN_ONLY))
		return;
	if (query->estate->es_opened_result_relations == NIL)
		prepare_act(query);
	else
	{
		MemoryContext outer = MemoryContextSwitchTo(query->estate->es_query_cxt);

		foreach(cell, query->estate->es_opened_result_relations)
			prepare(lfirst(cell));
		MemoryContextSwitchTo(outer);
	}
}

static void
end(QueryDesc *query)
{
	ListCell   *cell;

	if (query->estate)
		foreach(cell, query->estate->es_opened_result_relations)
		{
			ResultRelInfo *result = lfirst(cell);

			for (int i = 0; result->ri_TrigDesc && i < result->ri_TrigDesc->numtriggers; i++)
			{
				FmgrInfo   *called = &result->ri_TrigFunctions[i];

				if (called->fn_addr == capture_row || called->fn_addr == capture_inserted)
					close_target(called->fn_extra);
			}
		}
	if (earlier_end)
		earlier_end(query);
	else
		standard_ExecutorEnd(query);
}

/* Call the SQL function in the place of what is here: it knows what to do, or how to refuse it. */
static Datum
as_sql(Statement *statement, FunctionCallInfo outer)
{
	LOCAL_FCINFO(call, 0);
	Datum		result;

	if (!OidIsValid(statement->sql.fn_oid))
		fmgr_info_cxt(statement->function, &statement->sql, GetMemoryChunkContext(statement));
	InitFunctionCallInfoData(*call, &statement->sql, 0, InvalidOid, outer->context, NULL);
	result = FunctionCallInvoke(call);
	outer->isnull = call->isnull;
	return result;
}

/* --- The triggers */

static Datum
with_head(Statement *statement, TriggerData *trigger, HeapTuple row, int64 seq, Datum head)
{
	HeapTuple	made;

	statement->values[statement->seq] = Int64GetDatum(seq);
	statement->nulls[statement->seq] = false;
	statement->values[statement->head] = head;
	statement->nulls[statement->head] = false;
	made = heap_form_tuple(RelationGetDescr(trigger->tg_relation), statement->values, statement->nulls);
	made->t_data->t_ctid = row->t_data->t_ctid;
	made->t_self = row->t_self;
	made->t_tableOid = row->t_tableOid;
	return PointerGetDatum(made);
}

static Datum
updated(Statement *statement, TriggerData *trigger, FunctionCallInfo call)
{
	TupleDesc	columns = RelationGetDescr(trigger->tg_relation);
	const char *act;
	const char *log_id = GetConfigOption("audit.log_id", true, false);
	Head		head;
	int64		seq;

	heap_deform_tuple(trigger->tg_trigtuple, columns, statement->old_values, statement->old_nulls);
	heap_deform_tuple(trigger->tg_newtuple, columns, statement->values, statement->nulls);
	if (statement->description->append_only || statement->old_nulls[statement->seq] ||
		statement->old_nulls[statement->head])
		return as_sql(statement, call);
	seq = DatumGetInt64(statement->old_values[statement->seq]);
	act = act_under_way(statement, true);
	if (seq <= 0 || act == NULL || log_id == NULL || !has_log(statement))
		return as_sql(statement, call);
	resetStringInfo(&statement->new);
	resetStringInfo(&statement->old);
	if (!put_changes(statement, &statement->new, &statement->old))
		return as_sql(statement, call);
	if (statement->new.len == 0)	/* nothing captured has changed: no entry, and none to forge */
		return with_head(statement, trigger, trigger->tg_newtuple, seq,
						 statement->old_values[statement->head]);
	update_body(statement, act, seq + 1);
	append(statement, log_id, head_of(&statement->body, &head));
	return with_head(statement, trigger, trigger->tg_newtuple, seq + 1, PointerGetDatum(&head));
}

static Datum
capture_row(PG_FUNCTION_ARGS)
{
	Statement  *statement = fcinfo->flinfo->fn_extra;
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	const char *act;
	Head		head;

	if (TRIGGER_FIRED_BY_UPDATE(trigger->tg_event))
		return updated(statement, trigger, fcinfo);
	if (!TRIGGER_FIRED_BY_INSERT(trigger->tg_event))
		return as_sql(statement, fcinfo);
	/* The row learns the digest of its first entry; capture_inserted writes the entry. */
	act = act_under_way(statement, false);
	if (act == NULL)
		return as_sql(statement, fcinfo);
	heap_deform_tuple(trigger->tg_trigtuple, RelationGetDescr(trigger->tg_relation),
					  statement->values, statement->nulls);
	insert_body(statement, act, statement->values, statement->nulls);
	return with_head(statement, trigger, trigger->tg_trigtuple, 1, head_of(&statement->body, &head));
}

static Datum
capture_inserted(PG_FUNCTION_ARGS)
{
	Statement  *statement = fcinfo->flinfo->fn_extra;
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	const char *act = act_under_way(statement, false);
	const char *log_id = GetConfigOption("audit.log_id", true, false);
	MemoryContext one_row;
	MemoryContext outer;
	TupleTableSlot *slot;

	if (act == NULL || log_id == NULL || trigger->tg_newtable == NULL || !has_log(statement))
		return as_sql(statement, fcinfo);
	one_row = AllocSetContextCreate(CurrentMemoryContext, "gmp_capture row", ALLOCSET_DEFAULT_SIZES);
	slot = MakeSingleTupleTableSlot(RelationGetDescr(trigger->tg_relation), &TTSOpsMinimalTuple);
	tuplestore_select_read_pointer(trigger->tg_newtable, 0);
	tuplestore_rescan(trigger->tg_newtable);
	while (tuplestore_gettupleslot(trigger->tg_newtable, true, false, slot))
	{
		CHECK_FOR_INTERRUPTS();
		outer = MemoryContextSwitchTo(one_row);
		slot_getallattrs(slot);
		insert_body(statement, act, slot->tts_values, slot->tts_isnull);
		append(statement, log_id, slot->tts_values[statement->head]);
		MemoryContextSwitchTo(outer);
		MemoryContextReset(one_row);
	}
	ExecDropSingleTupleTableSlot(slot);
	MemoryContextDelete(one_row);
	return PointerGetDatum(NULL);
}

void
_PG_init(void)
{
	DefineCustomBoolVariable("gmp_capture.native",
							 "Run generated capture functions as machine code.", NULL,
							 &is_on, true, PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomStringVariable("gmp_capture.version",
							   "The captures that this library knows.", NULL,
							   &version, VERSION, PGC_INTERNAL, 0, NULL, NULL, NULL);
#if PG_VERSION_NUM >= 150000
	MarkGUCPrefixReserved("gmp_capture");
#endif
	find_libcrypto();
	prepare_known();
	earlier_start = ExecutorStart_hook;
	ExecutorStart_hook = start;
	earlier_end = ExecutorEnd_hook;
	ExecutorEnd_hook = end;
}
