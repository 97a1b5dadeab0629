/* What the parts of the library share. What it is for is said in gmp_capture.c. */
#ifndef GMP_CAPTURE_H
#define GMP_CAPTURE_H

#include "postgres.h"

#include "access/heapam.h"
#include "access/hio.h"
#include "common/sha2.h"
#include "executor/execdesc.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "nodes/execnodes.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#define VERSION "1"				/* of the captures that the library knows */

/* Of the server's many libraries, no other sees what is declared here. */
#pragma GCC visibility push(hidden)

/* --- description.c: what a capture function says of itself */

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

/* Return what is known of a function; null when SQL runs it. */
extern Known *known_function(Oid function);
extern void prepare_known(void);

/* --- values.c: a value as canonical JSON, in binary, beside another one */

extern bool is_text(Oid type);
extern void find_libcrypto(void);
extern void digest(uint8 *into, const void *tag, size_t tag_length, const void *bytes, size_t length);
extern void put_hex(StringInfo into, const void *bytes, int length);
extern void put_number(StringInfo into, int64 number);
extern void put_stamp(StringInfo into, TimestampTz at);
extern void put_value(StringInfo into, Oid type, Datum value, bool is_null);
extern void put_column(StringInfo into, Column *column, Datum value, bool is_null);
extern void put_int32(StringInfo into, uint32 number);
extern void put_sent(StringInfo into, Oid type, Datum value, bool is_null);
extern bool differs(Oid type, Datum one, bool one_null, Datum other, bool other_null);

static inline void
put(StringInfo into, const char *text, int length)
{
	appendBinaryStringInfoNT(into, text, length);
}

#define PUT(into, literal) put(into, literal, sizeof(literal) - 1)

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
	Datum	   *values;
	bool	   *nulls;
	Datum	   *old_values;
	bool	   *old_nulls;
} Statement;

/* A digest as bytea. */
typedef struct
{
	int32		header;
	uint8		digest[PG_SHA256_DIGEST_LENGTH];
} Head;

/* --- bodies.c: the bytes of an entry */

extern const char *act_under_way(Statement *statement, bool needs_reason);
extern Datum head_of(StringInfo body, Head *into);
extern void insert_body(Statement *statement, const char *act, Datum *values, bool *nulls);
extern void update_body(Statement *statement, const char *act, int64 seq);
extern bool put_changes(Statement *statement, StringInfo new, StringInfo old);

/* --- act.c: the act, where it begins */

extern void prepare_act(QueryDesc *query);

/* --- log.c: where entries go */

extern bool has_columns(Relation table, const Oid *types, int count);
extern bool has_log(Statement *statement);
extern void append(Statement *statement, const char *log_id, Datum head);
extern void close_target(Statement *statement);

#pragma GCC visibility pop
#endif
