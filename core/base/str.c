/* Base: text helpers that the C library lacks. Reads and writes memory only. Deliberately blind to
 * the locale: ASCII rules and the decimal point everywhere. */
#include "base/str.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool str_starts(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool str_ends(const char *text, const char *suffix)
{
    size_t len = strlen(text), tail = strlen(suffix);
    return len >= tail && memcmp(text + len - tail, suffix, tail) == 0;
}

bool str_equal(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

bool str_glob(const char *glob, const char *text)
{
    const char *star = NULL, *retry = NULL;
    while (*text) {
        if (*glob == '*') {
            star = glob++;
            retry = text;
        } else if (*glob && (*glob == '?' || *glob == *text)) {
            glob++;
            text++;
        } else if (star) {
            glob = star + 1;
            text = ++retry;
        } else {
            return false;
        }
    }
    while (*glob == '*')
        glob++;
    return *glob == '\0';
}

bool str_to_int64(const char *text, int64_t *out)
{
    bool negative = *text == '-';
    const char *p = text + negative;
    if (*p == '\0')
        return false;
    int64_t value = 0;
    for (; *p; p++) {
        if (*p < '0' || *p > '9')
            return false;
        int digit = negative ? -(*p - '0') : *p - '0';
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, digit, &value))
            return false;
    }
    *out = value;
    return true;
}

bool str_to_double(const char *text, double *out)
{
    if (*text == '\0' || text[strspn(text, "0123456789+-.eE")] != '\0')
        return false;
    char *end;
    double value = strtod(text, &end);
    if (*end != '\0' || !isfinite(value))
        return false;
    *out = value;
    return true;
}

static int64_t unit_ms(const char **text)
{
    static const struct {
        const char *name;
        int64_t ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (str_starts(*text, units[i].name)) {
            *text += strlen(units[i].name);
            return units[i].ms;
        }
    }
    return 0;
}

bool str_to_duration(const char *text, int64_t *out_ms)
{
    int64_t total = 0;
    const char *p = text;
    do {
        char number[32];
        size_t len = strspn(p, "0123456789.");
        double value;
        if (len == 0 || len >= sizeof number)
            return false;
        memcpy(number, p, len);
        number[len] = '\0';
        p += len;
        int64_t unit = unit_ms(&p);
        if (!unit || !str_to_double(number, &value) || value * (double)unit > 1e15)
            return false;
        total += (int64_t)llround(value * (double)unit);
    } while (*p);
    if (total > INT64_C(1000000000000000))
        return false;
    *out_ms = total;
    return true;
}

/* Length of the valid UTF-8 sequence at BYTES, or 0; *skip is how much a broken one takes. */
static size_t utf8_sequence(const unsigned char *bytes, size_t len, size_t *skip)
{
    unsigned char lead = bytes[0], low = 0x80, high = 0xBF;
    size_t need;
    *skip = 1;
    if (lead < 0x80)
        return 1;
    if (lead < 0xC2 || lead > 0xF4)
        return 0;
    need = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if (lead == 0xE0)
        low = 0xA0; /* shorter forms exist */
    else if (lead == 0xED)
        high = 0x9F; /* surrogates */
    else if (lead == 0xF0)
        low = 0x90;
    else if (lead == 0xF4)
        high = 0x8F; /* above U+10FFFF */
    for (size_t i = 1; i < need; i++) {
        if (i >= len || bytes[i] < low || bytes[i] > high)
            return 0;
        *skip = i + 1;
        low = 0x80;
        high = 0xBF;
    }
    return need;
}

static bool is_control(const unsigned char *bytes, size_t len)
{
    if (len == 1)
        return (bytes[0] < 0x20 && bytes[0] != '\t' && bytes[0] != '\n') || bytes[0] == 0x7F;
    return len == 2 && bytes[0] == 0xC2 && bytes[1] < 0xA0;
}

size_t str_to_utf8(char *out, size_t cap, const char *bytes, size_t len)
{
    const unsigned char *in = (const unsigned char *)bytes;
    size_t used = 0, at = 0;
    if (cap == 0)
        return 0;
    while (at < len) {
        size_t skip, valid = utf8_sequence(in + at, len - at, &skip);
        bool replace = valid == 0 || is_control(in + at, valid);
        const char *from = replace ? "\xEF\xBF\xBD" : bytes + at;
        size_t size = replace ? 3 : valid;
        if (used + size > cap - 1)
            break;
        memcpy(out + used, from, size);
        used += size;
        at += valid ? valid : skip;
    }
    out[used] = '\0';
    return used;
}

bool str_is_utf8(const char *text)
{
    const unsigned char *in = (const unsigned char *)text;
    size_t len = strlen(text), at = 0, skip;
    while (at < len) {
        size_t valid = utf8_sequence(in + at, len - at, &skip);
        if (!valid)
            return false;
        at += valid;
    }
    return true;
}
