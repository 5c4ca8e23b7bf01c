/* Source: values behind telling names. Reads a value as a rule found it, writes whether it is evidence:
 * paths, references, placeholders, switches, words. Deliberately knows few words and many shapes: a
 * password may be a word, but it is no path and no ARN. */
#include "source/redact_value.h"

#include "base/alloc.h"
#include "source/redact_random.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum { NAME_CAP = 81, NUMBER_MAX = 3, VEIL_MAX = 16, PORT_MAX = 5 };

struct part {
    const char *at;
    size_t len;
};

/* Whole values: whether there is a secret, and what is wrong with it. */
static const char *const switches[] = {
    "true",     "false",    "yes",     "no",      "on",      "off",       "null",
    "nil",      "none",     "unset",   "enabled", "enable",  "disabled",  "disable",
    "required", "optional", "missing", "invalid", "expired", "undefined", "empty",
};

static const char *const roots[] = {"/var/", "/run/",  "/etc/", "/tmp/",   "/opt/",
                                    "/usr/", "/home/", "/mnt/", "/secret", "/cert"};

/* What is not there any more, and keys, which have a rule that knows where they end. */
static const char *const marks[] = {"[redacted", "-----BEGIN", "arn:"};

/* Ends of names, without their separators, whose values say which one it is. */
static const char *const references[] = {
    "idempotencytoken",  "nexttoken",  "continuationtoken", "clientrequesttoken",
    "existingsecret",    "pullsecret", "tlssecret",         "casecret",
    "certificatesecret", "publickey",  "partitionkey",      "routingkey",
    "sortkey",           "hashkey",    "cachekey",          "primarykey",
};

static bool begins(struct part part, const char *with)
{
    size_t len = strlen(with);
    return part.len >= len && strncasecmp(part.at, with, len) == 0;
}

static bool is_all(struct part part, int (*of)(int))
{
    for (size_t i = 0; i < part.len; i++)
        if (!of((unsigned char)part.at[i]))
            return false;
    return part.len > 0;
}

static int is_shouted(int c)
{
    return isupper(c) || isdigit(c) || c == '_';
}

static int is_capital(int c)
{
    return isupper(c) || c == '_';
}

static int is_veil(int c)
{
    return c == '*' || c == '.' || c == 'x' || c == 'X' || c == '-';
}

static bool is_switch(struct part value)
{
    for (size_t i = 0; i < ARRAY_LEN(switches); i++)
        if (value.len == strlen(switches[i]) && begins(value, switches[i]))
            return true;
    return value.len <= NUMBER_MAX && is_all(value, isdigit);
}

/* What a template, a shell or a person puts in later. */
static bool is_placeholder(struct part value)
{
    char last = value.at[value.len - 1];
    if (begins(value, "${") || begins(value, "$(") || begins(value, "{{"))
        return true;
    if ((*value.at == '<' && last == '>') || (*value.at == '%' && last == '%' && value.len > 2) ||
        (*value.at == '(' && last == ')' && memchr(value.at, ' ', value.len)))
        return true;
    struct part rest = {value.at + 1, value.len - 1};
    return (*value.at == '$' && (rest.len == 0 || is_all(rest, is_shouted))) ||
           (*value.at == '%' && is_all(rest, is_capital)) || /* of a format: %REQ(...)% */
           (value.len > 2 && value.len <= VEIL_MAX && is_all(value, is_veil));
}

/* Behind what no secret begins with, or without any part that a random generator made. */
static bool is_path(struct part value)
{
    for (size_t i = 0; i < ARRAY_LEN(roots); i++)
        if (begins(value, roots[i]))
            return true;
    bool rooted = *value.at == '/' || begins(value, "./") || begins(value, "../") ||
                  begins(value, "~/") || begins(value, "file:") ||
                  (value.len > 2 && isalpha((unsigned char)*value.at) && value.at[1] == ':' &&
                   value.at[2] == '\\');
    size_t run = 0;
    for (size_t i = 0; rooted && i <= value.len; i++) {
        char c = i < value.len ? value.at[i] : '\0';
        if (isalnum((unsigned char)c))
            continue;
        if (c == '+' || c == '=' || redact_run_is_random(value.at + run, i - run))
            return false;
        run = i + 1;
    }
    return rooted && value.len > 1;
}

/* "scheme://...": rules of their own look into URLs. */
static bool is_url(struct part value)
{
    size_t i = 0;
    while (i < value.len && (isalnum((unsigned char)value.at[i]) || strchr("+.-", value.at[i])))
        i++;
    return i > 1 && value.len - i > 3 && memcmp(value.at + i, "://", 3) == 0;
}

static bool is_marked(struct part value)
{
    for (size_t i = 0; i < ARRAY_LEN(marks); i++)
        if (begins(value, marks[i]))
            return true;
    return false;
}

static bool is_key_id(struct part value)
{
    return value.len == 20 && (begins(value, "AKIA") || begins(value, "ASIA")) &&
           is_all(value, isalnum);
}

/* One word of a name: letters of one case, or a short number behind other words. */
static bool is_word(struct part word, bool first)
{
    struct part rest = {word.at + 1, word.len - 1};
    if (is_all(word, islower) || is_all(word, isupper))
        return true;
    if (word.len > 1 && isupper((unsigned char)*word.at) && is_all(rest, islower))
        return true;
    return !first && word.len <= PORT_MAX && is_all(word, isdigit);
}

static bool is_words(struct part value)
{
    static const char separators[] = "-_.:/";
    for (size_t at = 0, end; at <= value.len; at = end + 1) {
        end = at;
        while (end < value.len && !strchr(separators, value.at[end]))
            end++;
        if (!is_word((struct part){value.at + at, end - at}, at == 0))
            return false;
    }
    return true;
}

/* "namespace/name", perhaps with more behind it. */
static bool names_object(struct part value)
{
    const char *blank = memchr(value.at, ' ', value.len);
    if (blank)
        value.len = (size_t)(blank - value.at);
    return memchr(value.at, '/', value.len) && is_words(value);
}

static bool is_reference(const char *text, size_t telling, size_t end, struct part value)
{
    char name[NAME_CAP];
    size_t len = 0;
    while (telling < end && !isalnum((unsigned char)text[telling]))
        telling++;
    redact_name_at(name, sizeof name, text, end, telling);
    if (strstr(name, "clienttoken")) /* of AWS; Vault has a client_token, which is one */
        return true;
    for (const char *at = name; *at; at++)
        if (isalnum((unsigned char)*at))
            name[len++] = *at;
    name[len] = '\0';
    if (len >= 6 && strcmp(name + len - 6, "secret") == 0 && names_object(value))
        return true;
    for (size_t i = 0; i < ARRAY_LEN(references); i++) {
        size_t tail = strlen(references[i]);
        if (len >= tail && strcmp(name + len - tail, references[i]) == 0)
            return true;
    }
    return false;
}

/* Without the comment of a line, and what separates it from the next member. */
static struct part trimmed(const char *text, size_t start, size_t end)
{
    struct part value = {text + start, end - start};
    for (size_t i = 1; i < value.len; i++)
        if (value.at[i] == '#' && (value.at[i - 1] == ' ' || value.at[i - 1] == '\t'))
            value.len = i;
    while (value.len && strchr(" \t,;)}]", value.at[value.len - 1]))
        value.len--;
    return value;
}

bool redact_value_is_evidence(const char *text, size_t telling, size_t start, size_t end, bool weak)
{
    struct part value = trimmed(text, start, end);
    return value.len == 0 || is_switch(value) || is_placeholder(value) || is_path(value) ||
           is_url(value) || is_marked(value) || is_key_id(value) ||
           is_reference(text, telling, start, value) || (weak && is_words(value));
}
