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
#include "postgres.h"

#include <dlfcn.h>

#include "access/genam.h"
#include "access/heapam.h"
#include "access/hio.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "access/relation.h"
#include "catalog/index.h"
#include "catalog/namespace.h"
#include "catalog/partition.h"
#include "catalog/pg_am_d.h"
#include "catalog/pg_class.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type_d.h"
#include "commands/sequence.h"
#include "commands/trigger.h"
#include "common/cryptohash.h"
#include "common/sha2.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "nodes/execnodes.h"
#include "partitioning/partbounds.h"
#include "partitioning/partdesc.h"
#include "pgstat.h"
#include "port/pg_bswap.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/partcache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"
#include "utils/uuid.h"
#include "utils/xid8.h"

PG_MODULE_MAGIC;

void		_PG_init(void);

#define VERSION "1"
#define MARK "\n-- native/" VERSION " "
#define ENTRY_TAG "gmp-audit/entry/v1"	/* with its NUL */
#define LARGEST_EXACT INT64CONST(9007199254740992)	/* 2^53 */

static bool is_on = true;
static char *version = VERSION;
static ExecutorStart_hook_type earlier_start = NULL;
static ExecutorEnd_hook_type earlier_end = NULL;

/* --- What a capture function says of itself */

typedef struct
{
	char	   *name;
	char	   *key;			/* ,"name": */
	Oid			type;
	bool		by_digest;		/* the entry has its SHA-256, not the value */
} Column;

typedef struct
{
	char	   *record;			/* what entries call the table */
	char	   *pk;
	bool		append_only;
	int			count;
	Column	   *columns;		/* in the order of their names */
} Description;

typedef struct
{
	Oid			function;		/* the key */
	TransactionId xmin;
	ItemPointerData tid;
	Oid			owner;
	Description *description;	/* none: it is run as SQL */
} Known;

static HTAB *known = NULL;
static MemoryContext lasting = NULL;

static const struct
{
	const char *name;
	Oid			type;
}			TYPES[] = {
	{"bool", BOOLOID}, {"bytea", BYTEAOID}, {"date", DATEOID}, {"inet", INETOID},
	{"int2", INT2OID}, {"int4", INT4OID}, {"int8", INT8OID}, {"interval", INTERVALOID},
	{"numeric", NUMERICOID}, {"text", TEXTOID}, {"time", TIMEOID},
	{"timestamptz", TIMESTAMPTZOID}, {"uuid", UUIDOID}, {"varchar", VARCHAROID},
};

static Oid
type_named(const char *name)
{
	for (int i = 0; i < lengthof(TYPES); i++)
		if (strcmp(TYPES[i].name, name) == 0)
			return TYPES[i].type;
	return InvalidOid;
}

static bool
is_text(Oid type)
{
	return type == TEXTOID || type == VARCHAROID;
}

/* Whether a record may be called by a value of a type. */
static bool
is_key(Oid type)
{
	return type == INT2OID || type == INT4OID || type == INT8OID || type == UUIDOID || is_text(type);
}

/*
 * SHA-256. PostgreSQL's own, built without OpenSSL, takes five times as long as libcrypto, which uses
 * what the processor has for it: so libcrypto where the machine has one.
 */
static int	(*sha256_init) (void *context) = NULL;
static int	(*sha256_update) (void *context, const void *bytes, size_t length) = NULL;
static int	(*sha256_final) (unsigned char *into, void *context) = NULL;

static void
find_libcrypto(void)
{
	static const char *const names[] = {"libcrypto.so.3", "libcrypto.so.1.1", "libcrypto.3.dylib"};
	void	   *library = NULL;

	for (int i = 0; i < lengthof(names) && library == NULL; i++)
		library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
	if (library == NULL)
		return;
	sha256_update = dlsym(library, "SHA256_Update");
	sha256_final = dlsym(library, "SHA256_Final");
	if (sha256_update && sha256_final)
		sha256_init = dlsym(library, "SHA256_Init");
}

static void
digest(uint8 *into, const void *tag, size_t tag_length, const void *bytes, size_t length)
{
	pg_cryptohash_ctx *context;

	if (sha256_init)
	{
		uint64		room[64];	/* SHA256_CTX has 112 bytes */

		if (!sha256_init(room) || !sha256_update(room, tag, tag_length) ||
			!sha256_update(room, bytes, length) || !sha256_final(into, room))
			elog(ERROR, "could not compute SHA-256");
		return;
	}
	context = pg_cryptohash_create(PG_SHA256);
	if (pg_cryptohash_init(context) < 0 ||
		pg_cryptohash_update(context, tag, tag_length) < 0 ||
		pg_cryptohash_update(context, bytes, length) < 0 ||
		pg_cryptohash_final(context, into, PG_SHA256_DIGEST_LENGTH) < 0)
		elog(ERROR, "could not compute SHA-256: %s", pg_cryptohash_error(context));
	pg_cryptohash_free(context);
}

/*
 * Read what follows the first comment: "-- <digest>", "-- native/1 <record> <key> <updated or
 * append-only> <name>:<type> ...". Null when it is none, or when anything of the function is altered.
 */
static Description *
description_of(char *source)
{
	char	   *mark = strstr(source, MARK);
	char	   *comment = source + (source[0] == '\n');
	char	   *given;
	char	   *line;
	char	   *end;
	char	   *word;
	char	   *rest = NULL;
	uint8		computed[PG_SHA256_DIGEST_LENGTH];
	char		hex[PG_SHA256_DIGEST_LENGTH * 2 + 1];
	Description *found;
	int			words = 0;

	if (mark == NULL || strncmp(comment, "--", 2) != 0)
		return NULL;
	given = strchr(comment, '\n') + strlen("\n-- ");
	if (given + PG_SHA256_DIGEST_LENGTH * 2 != mark || strncmp(given - 3, "-- ", 3) != 0)
		return NULL;
	digest(computed, "", 0, mark + 1, strlen(mark + 1));
	hex_encode((char *) computed, PG_SHA256_DIGEST_LENGTH, hex);
	if (strncmp(given, hex, PG_SHA256_DIGEST_LENGTH * 2) != 0)
		return NULL;
	line = pstrdup(mark + strlen(MARK));
	end = strchr(line, '\n');
	if (end == NULL)
		return NULL;
	*end = '\0';
	found = palloc0(sizeof(Description));
	for (char *c = line; *c; c++)
		words += *c == ':';
	found->columns = palloc0(sizeof(Column) * (words + 1));
	found->record = strtok_r(line, " ", &rest);
	found->pk = strtok_r(NULL, " ", &rest);
	word = strtok_r(NULL, " ", &rest);
	if (word == NULL)
		return NULL;
	found->append_only = word[0] == 'a';
	while ((word = strtok_r(NULL, " ", &rest)) != NULL)
	{
		char	   *colon = strchr(word, ':');
		char	   *hash = strchr(word, '#');
		Column	   *column = &found->columns[found->count++];

		if (colon == NULL)
			return NULL;
		*colon = '\0';
		if (hash)
			*hash = '\0';
		column->name = word;
		column->key = psprintf(",\"%s\":", word);
		column->type = type_named(colon + 1);
		column->by_digest = hash != NULL;
		if (!OidIsValid(column->type) || (column->by_digest && !is_text(column->type)))
			return NULL;
		if (strcmp(word, found->pk) == 0 && !is_key(column->type))
			return NULL;
	}
	return found;
}

/*
 * Return what is known of a capture function; null when SQL runs it.
 *
 * Only of the schema audit, where none but its owner makes functions, and with its owner's rights: else
 * anybody's trigger on a table of his own could write entries.
 */
static Known *
known_function(Oid function)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	bool		is_ours;
	bool		is_known;
	Known	   *entry;

	if (!HeapTupleIsValid(tuple))
		return NULL;
	is_ours = ((Form_pg_proc) GETSTRUCT(tuple))->prosecdef &&
		((Form_pg_proc) GETSTRUCT(tuple))->pronamespace == get_namespace_oid("audit", true);
	if (!is_ours)
	{
		ReleaseSysCache(tuple);
		return NULL;
	}
	entry = hash_search(known, &function, HASH_ENTER, &is_known);
	if (!is_known || entry->xmin != HeapTupleHeaderGetRawXmin(tuple->t_data) ||
		!ItemPointerEquals(&entry->tid, &tuple->t_self))
	{
		MemoryContext outer;
		Datum		source;
		bool		is_null;

		/* The one before is kept: a statement that is under way may be using it. */
		entry->description = NULL;
		entry->xmin = InvalidTransactionId; /* should the rest fail */
		outer = MemoryContextSwitchTo(lasting);
		source = SysCacheGetAttr(PROCOID, tuple, Anum_pg_proc_prosrc, &is_null);
		if (!is_null)
		{
			char	   *of_function = TextDatumGetCString(source);

			entry->description = description_of(of_function);
			pfree(of_function);
		}
		MemoryContextSwitchTo(outer);
		entry->xmin = HeapTupleHeaderGetRawXmin(tuple->t_data);
		entry->tid = tuple->t_self;
		entry->owner = ((Form_pg_proc) GETSTRUCT(tuple))->proowner;
	}
	ReleaseSysCache(tuple);
	return entry->description ? entry : NULL;
}

/* --- One statement on one controlled table */

typedef struct
{
	Description *description;
	Oid			function;
	FmgrInfo	sql;			/* of the function itself, once it is called */
	Oid			owner;			/* whose rights it has */
	int		   *attributes;		/* of each column, its number less one */
	int			seq;
	int			head;
	int			pk;				/* which of the columns */
	/* of the act, as the settings had it */
	const char *log;
	TimestampTz at;
	StringInfoData stamp;		/* of it, as JSON */
	StringInfoData body;
	StringInfoData new;			/* what an update changes */
	StringInfoData old;
	StringInfoData image;
	/* where entries go: open until the statement ends */
	Relation	partition;
	Relation	index;
	IndexInfo  *index_info;
	BulkInsertState place;		/* the page that is being filled */
	int64		first;			/* ids of this partition */
	int64		past;
	Oid			sequence;
	int			natts;
	Datum	   *values;
	bool	   *nulls;
	Datum	   *old_values;
	bool	   *old_nulls;
} Statement;

static Datum capture_row(PG_FUNCTION_ARGS);
static Datum capture_inserted(PG_FUNCTION_ARGS);

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
	one->natts = columns->natts;
	one->values = palloc(sizeof(Datum) * one->natts);
	one->nulls = palloc(sizeof(bool) * one->natts);
	one->old_values = palloc(sizeof(Datum) * one->natts);
	one->old_nulls = palloc(sizeof(bool) * one->natts);
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
close_target(Statement *statement)
{
	if (statement->partition == NULL)
		return;
	FreeBulkInsertState(statement->place);
	index_close(statement->index, NoLock);
	table_close(statement->partition, NoLock);
	statement->partition = NULL;
}

static void
start(QueryDesc *query, int flags)
{
	ListCell   *cell;

	if (earlier_start)
		earlier_start(query, flags);
	else
		standard_ExecutorStart(query, flags);
	if (is_on && query->estate->es_opened_result_relations && GetDatabaseEncoding() == PG_UTF8 &&
		!(flags & EXEC_FLAG_EXPLAIN_ONLY))
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

/* --- Canonical JSON (JCS-GMP/1) */

static inline void
put(StringInfo into, const char *text, int length)
{
	appendBinaryStringInfoNT(into, text, length);
}

#define PUT(into, literal) put(into, literal, sizeof(literal) - 1)

static void
put_text(StringInfo into, const char *text, int length)
{
	static const char hex[] = "0123456789abcdef";
	int			from = 0;

	enlargeStringInfo(into, length + 2);
	PUT(into, "\"");
	for (int at = 0; at < length; at++)
	{
		unsigned char c = text[at];
		char		escape[6] = "\\u00";

		if (likely(c >= ' ' && c != '"' && c != '\\'))
			continue;
		put(into, text + from, at - from);
		from = at + 1;
		switch (c)
		{
			case '"':
			case '\\':
				escape[1] = c;
				break;
			case '\b':
				escape[1] = 'b';
				break;
			case '\f':
				escape[1] = 'f';
				break;
			case '\n':
				escape[1] = 'n';
				break;
			case '\r':
				escape[1] = 'r';
				break;
			case '\t':
				escape[1] = 't';
				break;
			default:
				escape[4] = hex[c >> 4];
				escape[5] = hex[c & 15];
				put(into, escape, 6);
				continue;
		}
		put(into, escape, 2);
	}
	put(into, text + from, length - from);
	PUT(into, "\"");
}

static void
put_hex(StringInfo into, const void *bytes, int length)
{
	enlargeStringInfo(into, length * 2);
	hex_encode(bytes, length, into->data + into->len);
	into->len += length * 2;
}

static void
put_quoted(StringInfo into, const char *plain)
{
	PUT(into, "\"");
	put(into, plain, strlen(plain));
	PUT(into, "\"");
}

static void
put_number(StringInfo into, int64 number)
{
	char		digits[24];

	put(into, digits, pg_lltoa(number, digits));
}

static char *
digits_of(char *into, int number, int width)
{
	for (int at = width - 1; at >= 0; at--, number /= 10)
		into[at] = '0' + number % 10;
	return into + width;
}

static char *
year_of(char *into, int year)
{
	int			width = 4;

	year = year > 0 ? year : 1 - year;	/* of 44 BC PostgreSQL says -43 */
	for (int least = 10000; year >= least && width < 9; least *= 10)
		width++;
	return digits_of(into, year, width);
}

/* Write YYYY-MM-DDTHH:MM:SS.ffffffZ as to_char does, which says of a year before Christ only its number. */
static void
put_stamp(StringInfo into, TimestampTz at)
{
	struct pg_tm tm;
	fsec_t		fraction;
	char		text[40];
	char	   *c = text;

	if (TIMESTAMP_NOT_FINITE(at))
	{
		put_quoted(into, TIMESTAMP_IS_NOEND(at) ? "infinity" : "-infinity");
		return;
	}
	if (timestamp2tm(at, NULL, &tm, &fraction, NULL, NULL) != 0)
		ereport(ERROR, (errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
						errmsg("timestamp out of range")));
	*c++ = '"';
	c = year_of(c, tm.tm_year);
	*c++ = '-';
	c = digits_of(c, tm.tm_mon, 2);
	*c++ = '-';
	c = digits_of(c, tm.tm_mday, 2);
	*c++ = 'T';
	c = digits_of(c, tm.tm_hour, 2);
	*c++ = ':';
	c = digits_of(c, tm.tm_min, 2);
	*c++ = ':';
	c = digits_of(c, tm.tm_sec, 2);
	*c++ = '.';
	c = digits_of(c, fraction, 6);
	*c++ = 'Z';
	*c++ = '"';
	put(into, text, c - text);
}

static void
put_clock(StringInfo into, TimeADT time)
{
	char		text[20];
	char	   *c = text;
	int64		seconds = time / USECS_PER_SEC;

	*c++ = '"';
	c = digits_of(c, seconds / SECS_PER_HOUR, 2);
	*c++ = ':';
	c = digits_of(c, seconds / SECS_PER_MINUTE % MINS_PER_HOUR, 2);
	*c++ = ':';
	c = digits_of(c, seconds % SECS_PER_MINUTE, 2);
	*c++ = '.';
	c = digits_of(c, time % USECS_PER_SEC, 6);
	*c++ = '"';
	put(into, text, c - text);
}

static void
put_date(StringInfo into, DateADT date)
{
	char		text[40];
	char	   *c = text;
	int			year,
				month,
				day;

	if (DATE_NOT_FINITE(date))
	{
		put_quoted(into, DATE_IS_NOEND(date) ? "infinity" : "-infinity");
		return;
	}
	j2date(date + POSTGRES_EPOCH_JDATE, &year, &month, &day);
	*c++ = '"';
	c = year_of(c, year);
	*c++ = '-';
	c = digits_of(c, month, 2);
	*c++ = '-';
	c = digits_of(c, day, 2);
	put(into, text, c - text);
	if (year <= 0)
		PUT(into, " BC");
	PUT(into, "\"");
}

static void
put_value(StringInfo into, Oid type, Datum value, bool is_null)
{
	if (is_null)
	{
		PUT(into, "null");
		return;
	}
	switch (type)
	{
		case BOOLOID:
			if (DatumGetBool(value))
				PUT(into, "true");
			else
				PUT(into, "false");
			return;
		case INT2OID:
			put_number(into, DatumGetInt16(value));
			return;
		case INT4OID:
			put_number(into, DatumGetInt32(value));
			return;
		case INT8OID:
			{
				int64		number = DatumGetInt64(value);
				bool		is_exact = number / LARGEST_EXACT == 0;

				if (!is_exact)
					PUT(into, "\"");
				put_number(into, number);
				if (!is_exact)
					PUT(into, "\"");
				return;
			}
		case NUMERICOID:
			put_quoted(into, DatumGetCString(DirectFunctionCall1(numeric_out, value)));
			return;
		case UUIDOID:
			{
				const unsigned char *bytes = DatumGetUUIDP(value)->data;

				PUT(into, "\"");
				for (int at = 0; at < UUID_LEN; at++)
				{
					if (at == 4 || at == 6 || at == 8 || at == 10)
						PUT(into, "-");
					put_hex(into, bytes + at, 1);
				}
				PUT(into, "\"");
				return;
			}
		case DATEOID:
			put_date(into, DatumGetDateADT(value));
			return;
		case TIMESTAMPTZOID:
			put_stamp(into, DatumGetTimestampTz(value));
			return;
		case TIMEOID:
			put_clock(into, DatumGetTimeADT(value));
			return;
		case INTERVALOID:		/* in seconds */
			value = DirectFunctionCall2(extract_interval, CStringGetTextDatum("epoch"), value);
			put_quoted(into, DatumGetCString(DirectFunctionCall1(numeric_out, value)));
			return;
		case INETOID:
			put_quoted(into, TextDatumGetCString(DirectFunctionCall1(network_host, value)));
			return;
		case BYTEAOID:
			{
				struct varlena *bytes = PG_DETOAST_DATUM_PACKED(value);

				PUT(into, "\"");
				put_hex(into, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
				PUT(into, "\"");
				return;
			}
		default:				/* text, varchar: no other type is described */
			{
				struct varlena *bytes = PG_DETOAST_DATUM_PACKED(value);

				put_text(into, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
			}
	}
}

static void
put_column(StringInfo into, Column *column, Datum value, bool is_null)
{
	if (column->by_digest && !is_null)
	{
		struct varlena *bytes = PG_DETOAST_DATUM_PACKED(value);
		uint8		computed[PG_SHA256_DIGEST_LENGTH];

		digest(computed, "", 0, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
		PUT(into, "\"sha256:");
		put_hex(into, computed, sizeof(computed));
		PUT(into, "\"");
	}
	else
		put_value(into, column->type, value, is_null);
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

/* --- PostgreSQL's binary form of a row: record_send(ROW(...)), texts as bytea */

static void
put_int32(StringInfo into, uint32 number)
{
	number = pg_hton32(number);
	put(into, (char *) &number, 4);
}

static void
put_sent(StringInfo into, Oid type, Datum value, bool is_null)
{
	put_int32(into, is_text(type) ? BYTEAOID : type);
	if (is_null)
	{
		put_int32(into, -1);
		return;
	}
	switch (type)
	{
		case BOOLOID:
			put_int32(into, 1);
			put(into, DatumGetBool(value) ? "\1" : "\0", 1);
			return;
		case INT2OID:
			{
				uint16		number = pg_hton16((uint16) DatumGetInt16(value));

				put_int32(into, 2);
				put(into, (char *) &number, 2);
				return;
			}
		case INT4OID:
		case DATEOID:
			put_int32(into, 4);
			put_int32(into, DatumGetInt32(value));
			return;
		case INT8OID:
		case TIMEOID:
		case TIMESTAMPTZOID:
			{
				uint64		number = pg_hton64((uint64) DatumGetInt64(value));

				put_int32(into, 8);
				put(into, (char *) &number, 8);
				return;
			}
		case UUIDOID:
			put_int32(into, UUID_LEN);
			put(into, (char *) DatumGetUUIDP(value)->data, UUID_LEN);
			return;
		default:				/* of varying length */
			{
				struct varlena *bytes;

				value = type == NUMERICOID ? DirectFunctionCall1(numeric_send, value) :
					type == INETOID ? DirectFunctionCall1(inet_send, value) :
					type == INTERVALOID ? DirectFunctionCall1(interval_send, value) : value;
				bytes = PG_DETOAST_DATUM_PACKED(value);
				put_int32(into, VARSIZE_ANY_EXHDR(bytes));
				put(into, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
			}
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

/* --- What an update changes */

static bool
is_same_image(Datum one, Datum other)
{
	struct varlena *left = (struct varlena *) DatumGetPointer(one);
	struct varlena *right = (struct varlena *) DatumGetPointer(other);

	if (VARSIZE_ANY(left) == VARSIZE_ANY(right) && memcmp(left, right, VARSIZE_ANY(left)) == 0)
		return true;			/* perhaps not even read from where long values are */
	left = pg_detoast_datum_packed(left);
	right = pg_detoast_datum_packed(right);
	return VARSIZE_ANY_EXHDR(left) == VARSIZE_ANY_EXHDR(right) &&
		memcmp(VARDATA_ANY(left), VARDATA_ANY(right), VARSIZE_ANY_EXHDR(left)) == 0;
}

static bool
differs(Oid type, Datum one, bool one_null, Datum other, bool other_null)
{
	if (one_null || other_null)
		return one_null != other_null;
	switch (type)
	{
		case BOOLOID:
			return DatumGetBool(one) != DatumGetBool(other);
		case INT2OID:
			return DatumGetInt16(one) != DatumGetInt16(other);
		case INT4OID:
		case DATEOID:
			return DatumGetInt32(one) != DatumGetInt32(other);
		case INT8OID:
		case TIMEOID:
		case TIMESTAMPTZOID:
			return DatumGetInt64(one) != DatumGetInt64(other);
		case UUIDOID:
			return memcmp(DatumGetUUIDP(one), DatumGetUUIDP(other), UUID_LEN) != 0;
		case INTERVALOID:
			return !DatumGetBool(DirectFunctionCall2(interval_eq, one, other));
		case INETOID:
			return !DatumGetBool(DirectFunctionCall2(network_eq, one, other));
		case NUMERICOID:		/* 12.5 equals 12.50: to the record it is a change */
			return !is_same_image(one, other) &&
				!is_same_image(DirectFunctionCall1(numeric_send, one),
							   DirectFunctionCall1(numeric_send, other));
		default:
			return !is_same_image(one, other);
	}
}

/* --- The act, and where its entries go */

/* Say whether there is an act (with a reason, if there has to be one) as audit.begin_act left it. */
static const char *
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

/* Whether nothing but the row itself happens when one is inserted into a table of the log. */
static bool
is_plain(Relation table, Oid owner)
{
	static const Oid types[] = {INT8OID, XID8OID, INT2OID, BYTEAOID, BYTEAOID};
	TupleDesc	columns = RelationGetDescr(table);
	TriggerDesc *triggers = table->trigdesc;

	if (table->rd_rel->relowner != owner || table->rd_rel->relrowsecurity || table->rd_rules ||
		(columns->constr && columns->constr->num_check) || columns->natts != lengthof(types))
		return false;
	if (triggers && (triggers->trig_insert_before_row || triggers->trig_insert_after_row ||
					 triggers->trig_insert_before_statement ||
					 triggers->trig_insert_after_statement))
		return false;
	for (int i = 0; i < lengthof(types); i++)
		if (TupleDescAttr(columns, i)->atttypid != types[i] ||
			TupleDescAttr(columns, i)->attisdropped || TupleDescAttr(columns, i)->attgenerated)
			return false;
	return true;
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
static bool
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

static void
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

/* --- Bodies */

/* A digest as bytea. */
typedef struct
{
	int32		header;
	uint8		digest[PG_SHA256_DIGEST_LENGTH];
} Head;

/* Compute the digest of an entry into where it is kept; return it as a value. */
static Datum
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

static void
insert_body(Statement *statement, const char *act, Datum *values, bool *nulls)
{
	StringInfo	body = &statement->body;

	put_act(body, statement, act, "null");
	put_row(body, statement, values, nulls);
	PUT(body, "},\"old\":{},\"op\":\"insert\",\"prev\":null");
	put_record(body, statement, values, nulls, 1);
}

/* Collect what differs, new and old; false when the identity does. */
static bool
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

static void
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
	HASHCTL		keys = {.keysize = sizeof(Oid), .entrysize = sizeof(Known)};

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
	lasting = AllocSetContextCreate(TopMemoryContext, "gmp_capture", ALLOCSET_DEFAULT_SIZES);
	known = hash_create("gmp_capture", 256, &keys, HASH_ELEM | HASH_BLOBS);
	earlier_start = ExecutorStart_hook;
	ExecutorStart_hook = start;
	earlier_end = ExecutorEnd_hook;
	ExecutorEnd_hook = end;
}
