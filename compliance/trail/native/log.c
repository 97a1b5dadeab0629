/* Where entries go: the partition of an id, as audit.ensure_partitions makes it. */
#include "gmp_capture.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/index.h"
#include "catalog/namespace.h"
#include "catalog/pg_am_d.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type_d.h"
#include "commands/sequence.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "partitioning/partbounds.h"
#include "partitioning/partdesc.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/partcache.h"
#include "utils/xid8.h"

void
close_target(Statement *statement)
{
	if (statement->partition == NULL)
		return;
	FreeBulkInsertState(statement->place);
	index_close(statement->index, NoLock);
	table_close(statement->partition, NoLock);
	statement->partition = NULL;
}

/* Whether a table has columns of these types and no others. */
bool
has_columns(Relation table, const Oid *types, int count)
{
	TupleDesc	columns = RelationGetDescr(table);

	if (columns->natts != count)
		return false;
	for (int i = 0; i < count; i++)
		if (TupleDescAttr(columns, i)->atttypid != types[i] ||
			TupleDescAttr(columns, i)->attisdropped || TupleDescAttr(columns, i)->attgenerated)
			return false;
	return true;
}

/* Whether nothing but the row itself happens when one is inserted into a table of the log. */
static bool
is_plain(Relation table, Oid owner)
{
	static const Oid types[] = {INT8OID, XID8OID, INT2OID, BYTEAOID, BYTEAOID};
	TupleDesc	columns = RelationGetDescr(table);
	TriggerDesc *triggers = table->trigdesc;

	if (table->rd_rel->relowner != owner || table->rd_rel->relrowsecurity || table->rd_rules ||
		(columns->constr && columns->constr->num_check))
		return false;
	if (triggers && (triggers->trig_insert_before_row || triggers->trig_insert_after_row ||
					 triggers->trig_insert_before_statement ||
					 triggers->trig_insert_after_statement))
		return false;
	return has_columns(table, types, lengthof(types));
}

/* Return the one index of a partition. */
static Oid
index_of(Relation partition)
{
	List	   *indexes = RelationGetIndexList(partition);
	Oid			found = list_length(indexes) == 1 ? linitial_oid(indexes) : InvalidOid;

	list_free(indexes);
	return found;
}

/* GetBulkInsertState, without a small ring of buffers of its own. */
static BulkInsertState
new_place(void)
{
	BulkInsertState made = palloc0(sizeof(BulkInsertStateData));

	made->current_buf = InvalidBuffer;
#if PG_VERSION_NUM >= 160000
	made->next_free = InvalidBlockNumber;
	made->last_free = InvalidBlockNumber;
#endif
	return made;
}

/* Open the partition of an entry; false when it is not as it is made. */
static bool
open_target(Statement *statement, int64 id)
{
	Oid			schema = get_namespace_oid("audit", true);
	Oid			parent = get_relname_relid("entry", schema);
	Relation	log;
	PartitionDesc parts;
	MemoryContext outer;
	int			place;
	bool		is_equal;
	Datum		key = Int64GetDatum(id);
	PartitionBoundInfo bounds;
	Oid			index;

	close_target(statement);
	if (!OidIsValid(parent))
		return false;
	log = table_open(parent, RowExclusiveLock);
	if (log->rd_rel->relkind != RELKIND_PARTITIONED_TABLE || !is_plain(log, statement->owner) ||
		RelationGetPartitionKey(log)->strategy != PARTITION_STRATEGY_RANGE ||
		RelationGetPartitionKey(log)->partnatts != 1 ||
		RelationGetPartitionKey(log)->partattrs[0] != 1)
	{
		table_close(log, NoLock);
		return false;
	}
	parts = RelationGetPartitionDesc(log, true);
	bounds = parts->boundinfo;
	place = bounds == NULL ? -1 :
		partition_range_datum_bsearch(RelationGetPartitionKey(log)->partsupfunc,
									  RelationGetPartitionKey(log)->partcollation,
									  bounds, 1, &key, &is_equal);
	/* indexes[n] is what lies from bound n-1 up to bound n */
	if (place < 0 || place + 1 >= bounds->ndatums || bounds->indexes[place + 1] < 0 ||
		bounds->kind[place][0] != PARTITION_RANGE_DATUM_VALUE ||
		bounds->kind[place + 1][0] != PARTITION_RANGE_DATUM_VALUE ||
		!parts->is_leaf[bounds->indexes[place + 1]])
	{
		table_close(log, NoLock);
		return false;
	}
	statement->first = DatumGetInt64(bounds->datums[place][0]);
	statement->past = DatumGetInt64(bounds->datums[place + 1][0]);
	outer = MemoryContextSwitchTo(GetMemoryChunkContext(statement));
	statement->partition = table_open(parts->oids[bounds->indexes[place + 1]], RowExclusiveLock);
	table_close(log, NoLock);
	index = index_of(statement->partition);
	if (OidIsValid(index) && is_plain(statement->partition, statement->owner))
	{
		statement->index = index_open(index, RowExclusiveLock);
		statement->index_info = BuildIndexInfo(statement->index);
		if (statement->index->rd_rel->relam == BTREE_AM_OID &&
			statement->index_info->ii_NumIndexAttrs == 1 &&
			statement->index_info->ii_IndexAttrNumbers[0] == 1 &&
			statement->index_info->ii_Predicate == NIL && statement->index_info->ii_Unique &&
			statement->index->rd_index->indimmediate && statement->index_info->ii_ReadyForInserts)
		{
			statement->place = new_place();
			MemoryContextSwitchTo(outer);
			return true;
		}
		index_close(statement->index, NoLock);
	}
	table_close(statement->partition, NoLock);
	statement->partition = NULL;
	MemoryContextSwitchTo(outer);
	return false;
}

/* Find what numbers the entries; false when it is not there. */
bool
has_log(Statement *statement)
{
	Oid			found;

	if (OidIsValid(statement->sequence))
		return true;
	found = get_relname_relid("entry_id_seq", get_namespace_oid("audit", true));
	if (!OidIsValid(found) || get_rel_relkind(found) != RELKIND_SEQUENCE)
		return false;
	statement->sequence = found;
	return true;
}

/* Insert an entry where the log is not as it is made: PostgreSQL finds its place, or what is wrong. */
static void
append_by_sql(Statement *statement, Datum *values)
{
	static Oid	types[] = {INT8OID, XID8OID, INT2OID, BYTEAOID, BYTEAOID};
	Oid			user;
	int			context;

	GetUserIdAndSecContext(&user, &context);
	SetUserIdAndSecContext(statement->owner, context | SECURITY_LOCAL_USERID_CHANGE);
	if (SPI_connect() != SPI_OK_CONNECT ||
		SPI_execute_with_args("INSERT INTO audit.entry (entry_id, xid, log_id, body, digest) "
							  "VALUES ($1, $2, $3, $4, $5)",
							  lengthof(types), types, values, NULL, false, 0) < 0 ||
		SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "an entry could not be inserted");
	SetUserIdAndSecContext(user, context);
}

void
append(Statement *statement, const char *log_id, Datum head)
{
	bytea	   *body = (bytea *) statement->body.data;	/* room for its length was left */
	Datum		values[5];
	bool		nulls[5] = {false};
	HeapTuple	entry;
	int64		id;

	SET_VARSIZE(body, statement->body.len);
	/* The transaction has its id before the entry: act_under_way gave it one. */
	id = nextval_internal(statement->sequence, false);
	values[0] = Int64GetDatum(id);
	values[1] = FullTransactionIdGetDatum(GetTopFullTransactionId());
	values[2] = Int16GetDatum(pg_strtoint16(log_id));
	values[3] = PointerGetDatum(body);
	values[4] = head;
	if ((statement->partition == NULL || id < statement->first || id >= statement->past) &&
		!open_target(statement, id))
	{
		append_by_sql(statement, values);
		return;
	}
	entry = heap_form_tuple(RelationGetDescr(statement->partition), values, nulls);
	heap_insert(statement->partition, entry, GetCurrentCommandId(true), 0, statement->place);
	index_insert(statement->index, values, nulls, &entry->t_self, statement->partition,
				 UNIQUE_CHECK_YES, false, statement->index_info);
}
