/* The act under way, and the bytes of an entry: canonical JSON, members in order. */
#include "gmp_capture.h"

#include "access/xact.h"
#include "catalog/pg_type_d.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
#include "utils/xid8.h"

#define ENTRY_TAG "gmp-audit/entry/v1"	/* with its NUL */

/* Say whether there is an act (with a reason, if there has to be one) as audit.begin_act left it. */
const char *
act_under_way(Statement *statement, bool needs_reason)
{
	const char *left = GetConfigOption("audit.xid", true, false);
	char		own[24];
	int			length;

	if (left == NULL)
		return NULL;
	length = pg_ulltoa_n(U64FromFullTransactionId(GetTopFullTransactionId()), own);
	if (strncmp(left, own, length) != 0 || left[length] == '\0' || left[length + 1] != '\0' ||
		(left[length] != '+' && (needs_reason || left[length] != '-')))
		return NULL;
	statement->log = GetConfigOption("audit.log", true, false);
	if (statement->log == NULL)
		return NULL;
	if (statement->at != GetCurrentStatementStartTimestamp())
	{
		statement->at = GetCurrentStatementStartTimestamp();
		resetStringInfo(&statement->stamp);
		put_stamp(&statement->stamp, statement->at);
	}
	return GetConfigOption("audit.act", true, false);
}

/* The key of a record is a text to the trail. */
static void
put_record_id(StringInfo into, Statement *statement, Datum *values, bool *nulls)
{
	Oid			type = statement->description->columns[statement->pk].type;
	int			at = statement->attributes[statement->pk];

	if (type == INT2OID || type == INT4OID || type == INT8OID)
	{
		PUT(into, "\"");
		put_number(into, type == INT8OID ? DatumGetInt64(values[at]) :
				   type == INT4OID ? DatumGetInt32(values[at]) : DatumGetInt16(values[at]));
		PUT(into, "\"");
	}
	else
		put_value(into, type, values[at], nulls[at]);
}

static void
put_row(StringInfo into, Statement *statement, Datum *values, bool *nulls)
{
	Description *description = statement->description;

	for (int i = 0; i < description->count; i++)
	{
		Column	   *column = &description->columns[i];
		int			at = statement->attributes[i];

		put(into, column->key + (i == 0), strlen(column->key) - (i == 0));
		put_column(into, column, values[at], nulls[at]);
	}
}

static void
row_digest(char *into, Statement *statement)
{
	uint8		computed[PG_SHA256_DIGEST_LENGTH];
	Description *description = statement->description;
	StringInfo	image = &statement->image;

	resetStringInfo(image);
	put_int32(image, description->count);
	for (int i = 0; i < description->count; i++)
	{
		int			at = statement->attributes[i];

		put_sent(image, description->columns[i].type, statement->values[at], statement->nulls[at]);
	}
	digest(computed, "", 0, image->data, image->len);
	into[hex_encode((char *) computed, sizeof(computed), into)] = '\0';
}

/* Compute the digest of an entry into where it is kept; return it as a value. */
Datum
head_of(StringInfo body, Head *into)
{
	SET_VARSIZE(into, sizeof(Head));
	digest(into->digest, ENTRY_TAG, sizeof(ENTRY_TAG), body->data + VARHDRSZ, body->len - VARHDRSZ);
	return PointerGetDatum(into);
}

static void
put_act(StringInfo body, Statement *statement, const char *act, const char *after)
{
	resetStringInfo(body);
	put(body, "\0\0\0\0", VARHDRSZ); /* its length, which append writes */
	PUT(body, "{\"act\":");
	put(body, act, strlen(act));
	PUT(body, ",\"after\":");
	put(body, after, strlen(after));
	PUT(body, ",\"at\":");
	put(body, statement->stamp.data, statement->stamp.len);
	PUT(body, ",\"log\":");
	put(body, statement->log, strlen(statement->log));
	PUT(body, ",\"new\":{");
}

static void
put_record(StringInfo body, Statement *statement, Datum *values, bool *nulls, int64 seq)
{
	PUT(body, ",\"record\":\"");
	put(body, statement->description->record, strlen(statement->description->record));
	PUT(body, "\",\"record_id\":");
	put_record_id(body, statement, values, nulls);
	PUT(body, ",\"record_seq\":");
	put_number(body, seq);
	PUT(body, ",\"v\":2}");
}

void
insert_body(Statement *statement, const char *act, Datum *values, bool *nulls)
{
	StringInfo	body = &statement->body;

	put_act(body, statement, act, "null");
	put_row(body, statement, values, nulls);
	PUT(body, "},\"old\":{},\"op\":\"insert\",\"prev\":null");
	put_record(body, statement, values, nulls, 1);
}

/* Collect what differs, new and old; false when the identity does. */
bool
put_changes(Statement *statement, StringInfo new, StringInfo old)
{
	Description *description = statement->description;

	for (int i = 0; i < description->count; i++)
	{
		Column	   *column = &description->columns[i];
		int			at = statement->attributes[i];

		if (!differs(column->type, statement->old_values[at], statement->old_nulls[at],
					 statement->values[at], statement->nulls[at]))
			continue;
		if (i == statement->pk)
			return false;
		put(new, column->key + (new->len == 0), strlen(column->key) - (new->len == 0));
		put_column(new, column, statement->values[at], statement->nulls[at]);
		put(old, column->key + (old->len == 0), strlen(column->key) - (old->len == 0));
		put_column(old, column, statement->old_values[at], statement->old_nulls[at]);
	}
	return true;
}

void
update_body(Statement *statement, const char *act, int64 seq)
{
	StringInfo	body = &statement->body;
	struct varlena *before = PG_DETOAST_DATUM_PACKED(statement->old_values[statement->head]);
	char		after[PG_SHA256_DIGEST_LENGTH * 2 + 3] = "\"";

	row_digest(after + 1, statement);
	strcat(after, "\"");
	put_act(body, statement, act, after);
	put(body, statement->new.data, statement->new.len);
	PUT(body, "},\"old\":{");
	put(body, statement->old.data, statement->old.len);
	PUT(body, "},\"op\":\"update\",\"prev\":\"");
	put_hex(body, VARDATA_ANY(before), VARSIZE_ANY_EXHDR(before));
	PUT(body, "\"");
	put_record(body, statement, statement->values, statement->nulls, seq);
}
