/* A value as canonical JSON, in PostgreSQL's binary form, and beside another one. */
#include "gmp_capture.h"

#include <dlfcn.h>

#include "catalog/pg_type_d.h"
#include "common/cryptohash.h"
#include "port/pg_bswap.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/fmgrprotos.h"
#include "utils/uuid.h"

#define LARGEST_EXACT INT64CONST(9007199254740992)	/* 2^53 */

bool
is_text(Oid type)
{
	return type == TEXTOID || type == VARCHAROID;
}

/*
 * SHA-256. PostgreSQL's own, built without OpenSSL, takes five times as long as libcrypto, which uses
 * what the processor has for it: so libcrypto where the machine has one.
 */
static int	(*sha256_init) (void *context) = NULL;
static int	(*sha256_update) (void *context, const void *bytes, size_t length) = NULL;
static int	(*sha256_final) (unsigned char *into, void *context) = NULL;

void
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

void
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

/* --- Canonical JSON (JCS-GMP/1) */

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

void
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

void
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

/* YYYY-MM-DD */
static char *
day_of(char *into, int year, int month, int day)
{
	into = year_of(into, year);
	*into++ = '-';
	into = digits_of(into, month, 2);
	*into++ = '-';
	return digits_of(into, day, 2);
}

/* HH:MM:SS.ffffff */
static char *
clock_of(char *into, int hour, int minute, int second, int fraction)
{
	into = digits_of(into, hour, 2);
	*into++ = ':';
	into = digits_of(into, minute, 2);
	*into++ = ':';
	into = digits_of(into, second, 2);
	*into++ = '.';
	return digits_of(into, fraction, 6);
}

/* Write YYYY-MM-DDTHH:MM:SS.ffffffZ as to_char does, which says of a year before Christ only its number. */
void
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
	c = day_of(c, tm.tm_year, tm.tm_mon, tm.tm_mday);
	*c++ = 'T';
	c = clock_of(c, tm.tm_hour, tm.tm_min, tm.tm_sec, fraction);
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
	c = clock_of(c, seconds / SECS_PER_HOUR, seconds / SECS_PER_MINUTE % MINS_PER_HOUR,
				 seconds % SECS_PER_MINUTE, time % USECS_PER_SEC);
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
	c = day_of(c, year, month, day);
	put(into, text, c - text);
	if (year <= 0)
		PUT(into, " BC");
	PUT(into, "\"");
}

void
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

void
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

/* --- PostgreSQL's binary form of a row: record_send(ROW(...)), texts as bytea */

void
put_int32(StringInfo into, uint32 number)
{
	number = pg_hton32(number);
	put(into, (char *) &number, 4);
}

void
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

bool
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
