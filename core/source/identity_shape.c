/* Source: identities with a shape: ARNs, accounts, and values of fields that name somebody. Reads text
 * from one place on, writes what they are to a scan. Deliberately takes a number for an account only where
 * the text says so: numbers of twelve digits are bytes, too. */
#include "source/identity_scan.h"

#include "base/alloc.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

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

/* Twelve digits, or four, four and four of them with dashes; returns where they end, or FROM. */
static size_t take_account(const struct identity_scan *scan, size_t from, char digits[13])
{
    size_t at = from, len = 0, dashes = 0;
    for (; at < scan->len && len <= 12; at++) {
        if (scan->text[at] == '-' && len && len % 4 == 0 && len < 12)
            dashes++;
        else if (len < 12 && isdigit((unsigned char)scan->text[at]))
            digits[len++] = scan->text[at];
        else
            break;
    }
    digits[len] = '\0';
    bool more = at < scan->len && (identity_is_alnum(scan->text[at]) ||
                                   (scan->text[at] == '-' && at + 1 < scan->len &&
                                    isdigit((unsigned char)scan->text[at + 1])));
    bool before = from && (identity_is_alnum(scan->text[from - 1]) || scan->text[from - 1] == '-');
    return len != 12 || more || before || (dashes && (dashes != 2 || at - from != 14)) ? from : at;
}

size_t identity_account(struct identity_scan *scan, size_t from)
{
    char digits[13], dashed[15];
    size_t end = take_account(scan, from, digits);
    if (end - from != 14)
        return from;
    const char *pseudonym = pseudonyms_word(scan->names, digits, 12);
    if (!pseudonym)
        return from;
    snprintf(dashed, sizeof dashed, "%.4s-%.4s-%.4s", pseudonym, pseudonym + 4, pseudonym + 8);
    identity_put(scan, from, end, dashed, IDENTITY_ACCOUNT);
    return end;
}

/* "account 111122223333", "AWS account ID is 1111-2222-3333". */
static void learn_account(struct identity_scan *scan, size_t from)
{
    char digits[13];
    size_t at = from, left = 32;
    if (scan->len - from < 7 || strncasecmp(scan->text + from, "account", 7) != 0)
        return;
    while (at < scan->len && left-- && !isdigit((unsigned char)scan->text[at])) {
        char c = scan->text[at++];
        if (!c || (!identity_is_alnum(c) && !strchr(" _-:=#()\"'\\\t", c)))
            return;
    }
    if (at < scan->len && take_account(scan, at, digits) > at)
        pseudonyms_name(scan->names, digits, 12);
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
    learn_account(scan, from);
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
