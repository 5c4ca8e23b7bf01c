/* Base: PCRE2 behind a small door. Reads a pattern and text, writes spans. Deliberately without UTF
 * mode: evidence holds any bytes, and undefined behaviour on bad ones is no answer. */
#include "base/regex.h"

#include "base/alloc.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdint.h>
#include <stdlib.h>

enum { MATCH_LIMIT = 1000000, HEAP_LIMIT_KB = 8192, JIT_AFTER = 32 };

/* What changes while matching; a regex must therefore not be shared between threads. */
struct scratch {
    pcre2_match_data *data;
    pcre2_match_context *context;
    unsigned matches;
};

struct regex {
    pcre2_code *code;
    struct scratch *scratch;
    const char **names; /* by group number; they point into the compiled pattern */
    int groups;
};

static void read_names(struct regex *regex)
{
    uint32_t groups, count, size;
    PCRE2_SPTR table;
    pcre2_pattern_info(regex->code, PCRE2_INFO_CAPTURECOUNT, &groups);
    pcre2_pattern_info(regex->code, PCRE2_INFO_NAMECOUNT, &count);
    pcre2_pattern_info(regex->code, PCRE2_INFO_NAMEENTRYSIZE, &size);
    regex->groups = (int)groups;
    regex->names = xcalloc(groups + 1, sizeof *regex->names);
    if (count == 0)
        return;
    pcre2_pattern_info(regex->code, PCRE2_INFO_NAMETABLE, &table);
    for (uint32_t i = 0; i < count; i++, table += size)
        regex->names[table[0] << 8 | table[1]] = (const char *)table + 2;
}

static struct scratch *new_scratch(const pcre2_code *code)
{
    struct scratch *scratch = xcalloc(1, sizeof *scratch);
    scratch->data = pcre2_match_data_create_from_pattern(code, NULL);
    scratch->context = pcre2_match_context_create(NULL);
    if (!scratch->data || !scratch->context)
        BUG("no memory for a pattern");
    pcre2_set_match_limit(scratch->context, MATCH_LIMIT);
    pcre2_set_heap_limit(scratch->context, HEAP_LIMIT_KB);
    return scratch;
}

struct regex *regex_new(const char *pattern, unsigned flags, struct err *err)
{
    uint32_t options = PCRE2_NEVER_UTF | PCRE2_NEVER_BACKSLASH_C;
    if (flags & REGEX_CASELESS)
        options |= PCRE2_CASELESS;
    if (flags & REGEX_MULTILINE)
        options |= PCRE2_MULTILINE;
    if (flags & REGEX_DOTALL)
        options |= PCRE2_DOTALL;
    if (flags & REGEX_BOUNDED)
        options |= PCRE2_USE_OFFSET_LIMIT;
    int code;
    PCRE2_SIZE offset;
    pcre2_code *compiled = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, options, &code,
                                         &offset, NULL);
    if (!compiled) {
        PCRE2_UCHAR why[128] = "";
        pcre2_get_error_message(code, why, sizeof why);
        err_set(err, "pattern '%s' is not valid at character %zu: %s", pattern, offset + 1,
                (char *)why);
        return NULL;
    }
    struct regex *regex = xcalloc(1, sizeof *regex);
    regex->code = compiled;
    regex->scratch = new_scratch(compiled);
    read_names(regex);
    return regex;
}

void regex_free(struct regex *regex)
{
    if (!regex)
        return;
    pcre2_match_data_free(regex->scratch->data);
    pcre2_match_context_free(regex->scratch->context);
    free(regex->scratch);
    pcre2_code_free(regex->code);
    free(regex->names);
    free(regex);
}

int regex_groups(const struct regex *regex)
{
    return regex->groups;
}

const char *regex_group_name(const struct regex *regex, int i)
{
    return i >= 0 && i <= regex->groups ? regex->names[i] : NULL;
}

bool regex_match(const struct regex *regex, const char *text, size_t len, size_t from,
                 struct regex_span *spans, int cap)
{
    struct scratch *scratch = regex->scratch;
    /* Most patterns never match anything: only those in use are worth translating. */
    if (++scratch->matches == JIT_AFTER)
        pcre2_jit_compile(regex->code, PCRE2_JIT_COMPLETE);
    PCRE2_SPTR subject = (PCRE2_SPTR)(text ? text : "");
    int found = pcre2_match(regex->code, subject, len, from, 0, scratch->data, scratch->context);
    if (found == PCRE2_ERROR_JIT_STACKLIMIT)
        found = pcre2_match(regex->code, subject, len, from, PCRE2_NO_JIT, scratch->data,
                            scratch->context);
    if (found < 0)
        return false;
    const PCRE2_SIZE *ovector = pcre2_get_ovector_pointer(scratch->data);
    for (int i = 0; i < cap; i++) {
        bool known = i < found && ovector[2 * i] != PCRE2_UNSET;
        spans[i].start = known ? ovector[2 * i] : SIZE_MAX;
        spans[i].end = known ? ovector[2 * i + 1] : SIZE_MAX;
    }
    return true;
}

bool regex_match_before(const struct regex *regex, const char *text, size_t len, size_t from,
                        size_t to, struct regex_span *spans, int cap)
{
    if (from >= to)
        return false;
    pcre2_set_offset_limit(regex->scratch->context, to - 1);
    return regex_match(regex, text, len, from, spans, cap);
}
