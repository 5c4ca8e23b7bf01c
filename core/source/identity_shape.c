/* Source: identities with a shape: ARNs, addresses, and values of fields that name somebody. Reads
 * text from one place on, writes what they are to a scan. Deliberately leaves versions of four numbers
 * and times alone: they look like addresses. */
#include "source/identity_scan.h"

#include "base/alloc.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- addresses ---- */

static bool digit_at(const struct identity_scan *scan, size_t at)
{
    return at < scan->len && isdigit((unsigned char)scan->text[at]);
}

/* Four numbers with SEPARATOR between them; returns where they end, or FROM. */
static size_t numbers(const struct identity_scan *scan, size_t from, char separator,
                      unsigned char out[4])
{
    size_t at = from;
    for (int i = 0; i < 4; i++) {
        unsigned value = 0, digits = 0;
        if (i && (at >= scan->len || scan->text[at++] != separator))
            return from;
        while (digit_at(scan, at) && digits++ < 3)
            value = value * 10 + (unsigned)(scan->text[at++] - '0');
        if (!digits || value > 255 || digit_at(scan, at))
            return from;
        out[i] = (unsigned char)value;
    }
    return at;
}

/* The prefix length behind an address, as in "10.0.0.0/16". */
static unsigned prefix_bits(const struct identity_scan *scan, size_t at, unsigned all)
{
    unsigned bits = 0, digits = 0;
    if (at >= scan->len || scan->text[at] != '/')
        return all;
    while (digit_at(scan, ++at) && digits++ < 3)
        bits = bits * 10 + (unsigned)(scan->text[at] - '0');
    return digits && bits < all && !(at < scan->len && identity_is_alnum(scan->text[at])) ? bits
                                                                                          : all;
}

/* "1.29.12.1", as App Mesh numbers its Envoys, is no address; nor is "10.1.2.3-alpine". */
static bool is_version(const struct identity_scan *scan, size_t end, const unsigned char *address)
{
    bool suffix = end + 1 < scan->len && scan->text[end] == '-' &&
                  isalpha((unsigned char)scan->text[end + 1]);
    return suffix || (address[0] == 1 && address[1] < 64 && address[2] < 64 && address[3] < 10);
}

static size_t address_v4(struct identity_scan *scan, size_t from)
{
    unsigned char address[4];
    const char *text = scan->text;
    size_t end = numbers(scan, from, '.', address);
    if (end == from || (from > 1 && text[from - 1] == '.' && digit_at(scan, from - 2)))
        return from;
    if (end < scan->len &&
        (isalpha((unsigned char)text[end]) || (text[end] == '.' && digit_at(scan, end + 1))))
        return from;
    if (is_version(scan, end, address))
        return from;
    const char *pseudonym = pseudonyms_address(scan->names, address, 4, prefix_bits(scan, end, 32));
    if (pseudonym && !scan->keep_addresses)
        identity_put(scan, from, end, pseudonym, IDENTITY_ADDRESS);
    return end;
}

static size_t address_v6(struct identity_scan *scan, size_t from)
{
    char text[INET6_ADDRSTRLEN];
    unsigned char address[16];
    size_t len = 0, colons = 0;
    while (from + len < scan->len && len < sizeof text - 1 &&
           (isxdigit((unsigned char)scan->text[from + len]) || scan->text[from + len] == ':')) {
        text[len] = scan->text[from + len];
        colons += text[len++] == ':';
    }
    /* The colon of a sentence, or of a key. */
    if (len > 2 && text[len - 1] == ':' && text[len - 2] != ':')
        len--;
    text[len] = '\0';
    if (colons < 2 || inet_pton(AF_INET6, text, address) != 1)
        return from;
    size_t end = from + len;
    if (end < scan->len && identity_is_alnum(scan->text[end]))
        return from;
    const char *pseudonym = pseudonyms_address(scan->names, address, 16,
                                               prefix_bits(scan, end, 128));
    if (pseudonym && !scan->keep_addresses)
        identity_put(scan, from, end, pseudonym, IDENTITY_ADDRESS);
    return end;
}

size_t identity_address(struct identity_scan *scan, size_t from)
{
    if (from && scan->text[from - 1] == ':' && !digit_at(scan, from))
        return from; /* in the middle of something else */
    size_t end = digit_at(scan, from) ? address_v4(scan, from) : from;
    return end > from ? end : address_v6(scan, from);
}

size_t identity_dashed(struct identity_scan *scan, size_t from)
{
    unsigned char address[4];
    const char *text = scan->text;
    size_t end = numbers(scan, from, '-', address);
    if (end == from || (end < scan->len && (text[end] == '-' || identity_is_alnum(text[end]))))
        return from;
    bool told = from >= 3 &&
                (memcmp(text + from - 3, "ip-", 3) == 0 || memcmp(text + from - 3, "c2-", 3) == 0);
    bool host = end + 1 < scan->len && text[end] == '.' && isalpha((unsigned char)text[end + 1]);
    if (!told && !host)
        return from;
    const char *pseudonym = pseudonyms_address(scan->names, address, 4, 32);
    if (pseudonym && !scan->keep_addresses) {
        char dashed[INET_ADDRSTRLEN];
        snprintf(dashed, sizeof dashed, "%s", pseudonym);
        for (char *at = dashed; *at; at++)
            *at = *at == '.' ? '-' : *at;
        identity_put(scan, from, end, dashed, IDENTITY_ADDRESS);
    }
    return end;
}

/* ---- ARNs ---- */

static bool is_resource(char c)
{
    return identity_is_alnum(c) || (c && strchr("_./:@+=*?$-{}", c));
}

/* Where the field of an ARN that begins at FROM ends: at its colon; 0: there is none. */
static size_t field_end(const struct identity_scan *scan, size_t from)
{
    size_t at = from;
    while (at < scan->len && at - from < 40 &&
           (identity_is_alnum(scan->text[at]) || (scan->text[at] && strchr("-*?", scan->text[at]))))
        at++;
    return at < scan->len && scan->text[at] == ':' ? at : 0;
}

static void put_account(struct identity_scan *scan, size_t from, size_t to)
{
    char digits[13] = "";
    if (to - from != 12)
        return;
    memcpy(digits, scan->text + from, 12);
    pseudonyms_name(scan->names, digits, 12);
    const char *pseudonym = strspn(digits, "0123456789") == 12
                                ? pseudonyms_account(scan->names, digits)
                                : NULL;
    if (pseudonym)
        identity_put(scan, from, to, pseudonym, IDENTITY_ACCOUNT);
}

/* What stands before the first name in a resource says of what kind it is; a bucket is a name. */
static size_t type_end(const struct identity_scan *scan, size_t from, size_t to, bool bucket)
{
    for (size_t at = from; at < to && !bucket; at++)
        if (scan->text[at] == '/' || scan->text[at] == ':')
            return at;
    return from;
}

size_t identity_arn(struct identity_scan *scan, size_t from)
{
    size_t ends[5], at = from;
    const char *text = scan->text;
    if (scan->len - from < 20 || memcmp(text + from, "arn:aws", 7) != 0)
        return from;
    for (int i = 0; i < 5; i++) {
        if (!(ends[i] = field_end(scan, at)))
            return from;
        at = ends[i] + 1;
    }
    size_t end = at;
    while (end < scan->len && is_resource(text[end]))
        end++;
    size_t account = ends[3] + 1;
    if (ends[4] - account == 3 && memcmp(text + account, "aws", 3) == 0)
        return end; /* managed by AWS */
    put_account(scan, account, ends[4]);
    bool bucket = ends[2] - ends[1] == 3 && memcmp(text + ends[1] + 1, "s3", 2) == 0;
    return identity_names(scan, type_end(scan, at, end, bucket), end);
}

/* ---- fields ---- */

/* Small letters, without separators. */
static const char *const telling[] = {
    "user",         "username",   "userid",       "login",        "logname",     "rolename",
    "sessionname",  "hostname",   "nodename",     "machine",      "accountid",   "awsaccountid",
    "account",      "awsaccount", "ownerid",      "registryid",   "rolesession", "rolesessionname",
    "email",        "principal",  "sshuser",      "dbuser",       "pguser",      "mysqluser",
    "postgresuser", "remoteuser", "owneraccount", "databaseuser",
};

/* The name at FROM, normalised; returns where it ends. */
static size_t field_name(const struct identity_scan *scan, size_t from, char name[24])
{
    size_t at = from, len = 0;
    for (; at < scan->len && len < 23; at++) {
        char c = scan->text[at];
        if (identity_is_alnum(c))
            name[len++] = (char)tolower((unsigned char)c);
        else if (c != '_' && c != '-')
            break;
    }
    name[len] = '\0';
    return at;
}

static size_t skip(const struct identity_scan *scan, size_t at, const char *these)
{
    for (int n = 0; n < 60 && at < scan->len && scan->text[at] && strchr(these, scan->text[at]);
         n++)
        at++;
    return at;
}

/* Where the value begins behind `name=`, `"name": "`, `name: `, `"name", "value": "`, `User "`. */
static size_t value_start(const struct identity_scan *scan, size_t at)
{
    size_t mark = skip(scan, at, "\\\"' \t");
    bool quoted = mark > at && strchr("\"'", scan->text[mark - 1]);
    if (mark < scan->len && scan->text[mark] == ',') {
        size_t next = skip(scan, mark + 1, "\\\"' \t\r\n");
        if (scan->len - next < 6 || strncasecmp(scan->text + next, "value", 5) != 0)
            return 0;
        mark = skip(scan, next + 5, "\\\"' \t");
    }
    if (mark < scan->len && (scan->text[mark] == ':' || scan->text[mark] == '='))
        return skip(scan, mark + 1, "\\\"' \t");
    return quoted && scan->text[at] == ' ' ? mark : 0;
}

void identity_field(struct identity_scan *scan, size_t from)
{
    char name[24];
    bool known = false;
    if (!scan->text[from] || !strchr("ulrshnmaoepdULRSHNMAOEPD", scan->text[from]))
        return;
    size_t at = field_name(scan, from, name);
    for (size_t i = 0; i < ARRAY_LEN(telling) && !known; i++)
        known = strcmp(name, telling[i]) == 0;
    at = known ? value_start(scan, at) : 0;
    if (!at)
        return;
    size_t end = at;
    while (end < scan->len && end - at < 80 &&
           (identity_is_alnum(scan->text[end]) ||
            (scan->text[end] && strchr("._:@-", scan->text[end]))))
        end++;
    if (end - at > 6 && memcmp(scan->text + at, "arn:", 4) == 0)
        return; /* has a shape of its own */
    struct identity_scan look = *scan;
    look.out = NULL;
    identity_names(&look, at, end);
}
