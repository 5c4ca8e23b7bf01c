/* Source: values of high entropy. Reads a name and its value, writes whether it is a secret that no
 * shape tells. Deliberately careful: hashes, digests and ids are as random as keys, and evidence. */
#include "source/redact_random.h"

#include <ctype.h>
#include <math.h>
#include <string.h>
#include <strings.h>

enum {
    NAME_MAX_LEN = 80,
    RUN_MIN = 16,  /* letters and digits in a row: words of a name are shorter */
    TURNS_MIN = 5, /* changes between small letters, capitals and digits */
};

static const double bits_min = 3.1; /* per character; 32 random hex digits have 3.6, a word 2.8 */

/* Parts of names whose values are random and public. */
static const char *const harmless[] = {
    "public",      "sha1",        "sha2",        "sha5",         "digest",    "hash",
    "fingerprint", "thumb",       "serial",      "arn",          "name",      "url",
    "uri",         "path",        "file",        "author",       "config",    "revision",
    "kid",         "websocket",   "version",     "sha3",         "etag",      "checksum",
    "identifier",  "idempotency", "clienttoken", "requesttoken", "nexttoken", "continuation",
};

static bool is_name(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '-' || c == '.';
}

void redact_name_at(char *name, size_t cap, const char *text, size_t end, size_t telling)
{
    size_t from = telling, len = 0;
    while (from > 0 && telling - from < cap / 2 && is_name(text[from - 1]))
        from--;
    while (len + 1 < cap && from + len < end && is_name(text[from + len])) {
        name[len] = (char)tolower((unsigned char)text[from + len]);
        len++;
    }
    name[len] = '\0';
}

static bool tells(const char *text, size_t telling, size_t end)
{
    char name[NAME_MAX_LEN + 1];
    redact_name_at(name, sizeof name, text, end, telling);
    size_t len = strlen(name);
    for (size_t i = 0; i < sizeof harmless / sizeof *harmless; i++)
        if (strstr(name, harmless[i]))
            return false;
    /* An id of a key says which one it is; the name "key" alone is a member's of any map. */
    bool id = len > 2 && strcmp(name + len - 2, "id") == 0;
    bool hash = len > 3 && strcmp(name + len - 3, "sha") == 0; /* no "app_shared_key" */
    return !id && !hash && strcmp(name, "key") != 0 && strcmp(name, "keys") != 0;
}

static int class_of(char c)
{
    return isdigit((unsigned char)c) ? 1 : islower((unsigned char)c) ? 2 : 3;
}

static double bits_of(const char *text, size_t len)
{
    unsigned count[256] = {0};
    double bits = 0;
    for (size_t i = 0; i < len; i++)
        count[(unsigned char)text[i]]++;
    for (size_t i = 0; i < 256; i++)
        if (count[i])
            bits -= count[i] * log2((double)count[i] / (double)len);
    return bits / (double)len;
}

bool redact_run_is_random(const char *run, size_t len)
{
    int turns = 0;
    for (size_t i = 1; i < len; i++)
        turns += class_of(run[i]) != class_of(run[i - 1]);
    return len >= RUN_MIN && turns >= TURNS_MIN && bits_of(run, len) >= bits_min;
}

bool redact_random(const char *text, size_t telling, size_t start, size_t end)
{
    size_t run = start;
    for (size_t at = start; at <= end; at++) {
        if (at < end && isalnum((unsigned char)text[at]))
            continue;
        if (redact_run_is_random(text + run, at - run))
            return tells(text, telling, end);
        run = at + 1;
    }
    return false;
}
