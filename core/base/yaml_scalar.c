/* Base: the types of YAML scalars. Reads one scalar, appends JSON text: null, true, a number or a
 * string, by the YAML 1.2 core schema. Numbers with leading zeros stay strings, because they are account
 * ids and file modes. */
#include "base/yaml_scalar.h"
#include "base/json_why.h"
#include "base/str.h"
#include <stdlib.h>
#include <string.h>

static bool is_one_of(const char *text, const char *const *words)
{
    for (; *words; words++)
        if (strcmp(text, *words) == 0)
            return true;
    return false;
}

static size_t digits(const char *text)
{
    return strspn(text, "0123456789");
}

/* [-+]? digits [. digits] [e [-+] digits], no leading zero before another digit. */
static bool is_number(const char *text)
{
    text += *text == '-' || *text == '+';
    size_t whole = digits(text);
    if (whole > 1 && *text == '0')
        return false;
    text += whole;
    size_t fraction = 0;
    if (*text == '.') {
        fraction = digits(text + 1);
        text += 1 + fraction;
    }
    if (!whole && !fraction)
        return false;
    if (*text == 'e' || *text == 'E') {
        text++;
        text += *text == '-' || *text == '+';
        if (!digits(text))
            return false;
        text += digits(text);
    }
    return !*text;
}

/* Whether a number is written as JSON writes it, so that it can stay as it is. */
static bool is_json_number(const char *text)
{
    text += *text == '-';
    if (!digits(text))
        return false;
    text += digits(text);
    return *text != '.' || digits(text + 1);
}

static bool write_hex(struct buf *out, const char *text)
{
    char *end;
    if (strncmp(text, "0x", 2) != 0 || !text[2] ||
        strspn(text + 2, "0123456789abcdefABCDEF") != strlen(text + 2) || strlen(text) > 15)
        return false;
    buf_addf(out, "%llu", strtoull(text, &end, 16));
    return true;
}

static bool write_number(struct buf *out, const char *text)
{
    char number[32];
    double value;
    if (!is_number(text))
        return write_hex(out, text);
    if (is_json_number(text)) {
        buf_adds(out, text);
        return true;
    }
    if (!str_to_double(text, &value))
        return false;
    json_number_text(value, number);
    buf_adds(out, number);
    return true;
}

void yaml_scalar_write_string(struct buf *out, const char *text, size_t len)
{
    buf_addch(out, '"');
    for (size_t i = 0; i < len;) {
        size_t run = i;
        while (run < len && (unsigned char)text[run] >= 0x20 && text[run] != '"' &&
               text[run] != '\\')
            run++;
        buf_add(out, text + i, run - i);
        if (run < len && (text[run] == '"' || text[run] == '\\'))
            buf_addf(out, "\\%c", text[run++]);
        else if (run < len)
            buf_addf(out, "\\u%04x", (unsigned char)text[run++]);
        i = run;
    }
    buf_addch(out, '"');
}

void yaml_scalar_write(struct buf *out, const char *text, size_t len, bool plain)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
    static const char *const trues[] = {"true", "True", "TRUE", NULL};
    static const char *const falses[] = {"false", "False", "FALSE", NULL};
    if (plain && len == strlen(text) && len < 40) {
        if (is_one_of(text, nulls)) {
            buf_adds(out, "null");
            return;
        }
        if (is_one_of(text, trues) || is_one_of(text, falses)) {
            buf_adds(out, is_one_of(text, trues) ? "true" : "false");
            return;
        }
        if (write_number(out, text))
            return;
    }
    yaml_scalar_write_string(out, text, len);
}
