/* What a capture function says of itself, and whether it may be run as machine code. */
#include "gmp_capture.h"

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type_d.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

#define MARK "\n-- native/" VERSION " "

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

/* Whether a record may be called by a value of a type. */
static bool
is_key(Oid type)
{
	return type == INT2OID || type == INT4OID || type == INT8OID || type == UUIDOID || is_text(type);
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
Known *
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

void
prepare_known(void)
{
	HASHCTL		keys = {.keysize = sizeof(Oid), .entrysize = sizeof(Known)};

	lasting = AllocSetContextCreate(TopMemoryContext, "gmp_capture", ALLOCSET_DEFAULT_SIZES);
	known = hash_create("gmp_capture", 256, &keys, HASH_ELEM | HASH_BLOBS);
}
