/* Source: identities in text. Reads text word by word, finds what tells who somebody is, writes
 * pseudonyms for it. Deliberately knows nothing of formats: the same name is to become the same
 * pseudonym in a log line, in JSON and in a sentence of the report. */
#include "source/identity_scan.h"

#include <ctype.h>
#include <string.h>

bool identity_is_alnum(char c)
{
    return isalnum((unsigned char)c);
}

void identity_put(struct identity_scan *scan, size_t start, size_t end, const char *text,
                  enum identity_kind kind)
{
    if (!scan->out || start < scan->at)
        return;
    buf_add(scan->out, scan->text + scan->at, start - scan->at);
    buf_adds(scan->out, text);
    scan->at = end;
    scan->counts->total++;
    scan->counts->by_kind[scan->kinds + kind]++;
}

static size_t word_end(const struct identity_scan *scan, size_t at)
{
    while (at < scan->len && identity_is_alnum(scan->text[at]))
        at++;
    return at;
}

/* The names that the word at FROM..TO is made of. */
static void put_stretches(struct identity_scan *scan, size_t from, size_t to)
{
    struct pseudonym_stretch stretches[PSEUDONYM_STRETCHES];
    const char *word = scan->text + from;
    size_t len = pseudonyms_stretches(scan->names, word, to - from, stretches);
    for (size_t i = 0; i < len; i++) {
        size_t start = stretches[i].start, end = stretches[i].end;
        const char *pseudonym = pseudonyms_word(scan->names, word + start, end - start);
        if (!pseudonym)
            pseudonym = pseudonyms_any(scan->names, word + start, end - start);
        if (pseudonym)
            identity_put(scan, from + start, from + end, pseudonym,
                         isdigit((unsigned char)*pseudonym) ? IDENTITY_ACCOUNT : IDENTITY_NAME);
    }
}

/* The word at FROM..TO, when it is known to name somebody. */
static void put_word(struct identity_scan *scan, size_t from, size_t to)
{
    const char *pseudonym = scan->out ? pseudonyms_word(scan->names, scan->text + from, to - from)
                                      : NULL;
    if (pseudonym)
        identity_put(scan, from, to, pseudonym,
                     isdigit((unsigned char)*pseudonym) ? IDENTITY_ACCOUNT : IDENTITY_NAME);
    else if (scan->out)
        put_stretches(scan, from, to);
}

void identity_known(struct identity_scan *scan, size_t start, size_t end)
{
    for (size_t at = start, to; at<end; at = to> at ? to : at + 1) {
        to = word_end(scan, at);
        if (to > at)
            put_word(scan, at, to < end ? to : end);
    }
}

/* Eight, four, four, four and twelve hexadecimal digits: an id, whose parts are no words. */
static size_t uuid_end(const struct identity_scan *scan, size_t at)
{
    for (int i = 0; i < 36; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (at + (size_t)i >= scan->len)
            return at;
        char c = scan->text[at + (size_t)i];
        if (dash ? c != '-' : !isxdigit((unsigned char)c))
            return at;
    }
    return word_end(scan, at + 36) == at + 36 ? at + 36 : at;
}

size_t identity_names(struct identity_scan *scan, size_t start, size_t end)
{
    for (size_t at = start; at < end;) {
        size_t next = identity_is_alnum(scan->text[at]) ? uuid_end(scan, at) : at + 1;
        if (next > at) {
            at = next;
            continue;
        }
        next = identity_dashed(scan, at);
        if (next == at) {
            next = word_end(scan, at);
            if (next > end)
                next = end;
            pseudonyms_name(scan->names, scan->text + at, next - at);
            put_word(scan, at, next);
        }
        at = next;
    }
    return end;
}

/* "user@host": the whole of what stands before the host is a name. */
static size_t mail(struct identity_scan *scan, size_t from)
{
    size_t at = from;
    while (
        at < scan->len && at - from < 65 &&
        (identity_is_alnum(scan->text[at]) || (scan->text[at] && strchr("._%+-", scan->text[at]))))
        at++;
    if (at == from || at + 1 >= scan->len || scan->text[at] != '@')
        return from;
    struct identity_scan look = *scan;
    look.out = NULL;
    if (identity_host(&look, at + 1) == at + 1)
        return from;
    identity_names(scan, from, at);
    return identity_host(scan, at + 1);
}

/* The user in "scheme://user:[redacted]@host". */
static void userinfo(struct identity_scan *scan, size_t from)
{
    size_t at = from, end;
    if (from < 3 || memcmp(scan->text + from - 3, "://", 3) != 0)
        return;
    while (at < scan->len &&
           (identity_is_alnum(scan->text[at]) || (scan->text[at] && strchr("._-", scan->text[at]))))
        at++;
    for (end = at; end < scan->len && end - at < 100 && scan->text[end] &&
                   !strchr("@/ \t\r\n\"'", scan->text[end]);)
        end++;
    if (end < scan->len && scan->text[end] == '@' && (at == end || scan->text[at] == ':')) {
        struct identity_scan look = *scan;
        look.out = NULL;
        identity_names(&look, from, at);
    }
}

/* "spiffe://trust.domain/ns/shop/sa/web": what stands behind the domain names workloads. */
static size_t spiffe(struct identity_scan *scan, size_t from)
{
    static const char scheme[] = "spiffe://";
    size_t at = from + sizeof scheme - 1, end;
    if (scan->len - from < sizeof scheme ||
        memcmp(scan->text + from, scheme, sizeof scheme - 1) != 0)
        return from;
    size_t domain = identity_host(scan, at);
    for (end = domain > at ? domain : at;
         end < scan->len && (identity_is_alnum(scan->text[end]) ||
                             (scan->text[end] && strchr("/._-", scan->text[end])));)
        end++;
    return identity_names(scan, domain > at ? domain : at, end);
}

/* "/home/alice/...". */
static void home(struct identity_scan *scan, size_t from)
{
    static const char *const parents[] = {"/home/", "/Users/"};
    for (int i = 0; i < 2; i++) {
        size_t len = strlen(parents[i]);
        if (from >= len && memcmp(scan->text + from - len, parents[i], len) == 0)
            pseudonyms_name(scan->names, scan->text + from, word_end(scan, from) - from);
    }
}

static size_t token(struct identity_scan *scan, size_t from)
{
    size_t end = from;
    char c = scan->text[from];
    if (c == 'a' && (end = identity_arn(scan, from)) > from)
        return end;
    if (c == 's' && (end = spiffe(scan, from)) > from)
        return end;
    if (isxdigit((unsigned char)c) &&
        ((end = identity_address(scan, from)) > from ||
         (end = identity_dashed(scan, from)) > from || (end = identity_account(scan, from)) > from))
        return end;
    userinfo(scan, from);
    if ((end = mail(scan, from)) > from || (end = identity_host(scan, from)) > from)
        return end;
    home(scan, from);
    identity_field(scan, from);
    end = word_end(scan, from);
    put_word(scan, from, end);
    return end;
}

/* "::ffff:ac13:2c17": no word begins it. */
static size_t colons(struct identity_scan *scan, size_t at)
{
    bool begin = at + 2 < scan->len && scan->text[at + 1] == ':' &&
                 isxdigit((unsigned char)scan->text[at + 2]);
    if (!begin || (at && (identity_is_alnum(scan->text[at - 1]) || scan->text[at - 1] == ':')))
        return at + 1;
    size_t end = identity_address(scan, at);
    return end > at ? end : at + 1;
}

/* Behind an escape (\n, \u0026, %2F) a word begins, although a letter stands before it. */
static size_t escape_length(const struct identity_scan *scan, size_t at)
{
    const char *text = scan->text + at;
    size_t left = scan->len - at;
    if (*text == '%' && left > 2 && isxdigit((unsigned char)text[1]) &&
        isxdigit((unsigned char)text[2]))
        return 3;
    if (*text != '\\' || left < 2)
        return 1;
    if (text[1] == 'u' && left > 5)
        return 6;
    return text[1] && strchr("nrtbf", text[1]) ? 2 : 1;
}

void identity_scan(struct identity_scan *scan, const char *text, size_t len)
{
    size_t at = 0;
    scan->text = text;
    scan->len = len;
    scan->at = 0;
    while (at < len) {
        if (identity_is_alnum(text[at]))
            at = token(scan, at);
        else if (text[at] == '*' && at + 1 < len && text[at + 1] == '.')
            at++; /* "*.example.com": its labels are a host's */
        else if (text[at] == ':')
            at = colons(scan, at);
        else
            at += escape_length(scan, at);
    }
    if (scan->out)
        buf_add(scan->out, text + scan->at, len - scan->at);
}
