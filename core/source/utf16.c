/* Source: UTF-16 to UTF-8. Reads and writes portions of text in memory. Deliberately by hand: iconv
 * stops at the first broken character, and evidence may be broken anywhere. */
#include "source/utf16.h"

#include "base/alloc.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct utf16 {
    bool big_endian;
    bool half; /* one byte of a unit came with the last portion: */
    unsigned char first;
    uint16_t high; /* a high surrogate that waits for its other half, else 0 */
};

static struct utf16 *new_decoder(bool big_endian)
{
    struct utf16 *utf16 = xcalloc(1, sizeof *utf16);
    utf16->big_endian = big_endian;
    return utf16;
}

struct utf16 *utf16_sniff(const char *head, size_t len, size_t *skip)
{
    *skip = 2;
    if (len >= 2 && memcmp(head, "\xFF\xFE", 2) == 0)
        return new_decoder(false);
    if (len >= 2 && memcmp(head, "\xFE\xFF", 2) == 0)
        return new_decoder(true);
    *skip = 0;
    size_t pairs = (len < 1024 ? len : 1024) / 2, nul_first = 0, nul_second = 0;
    for (size_t i = 0; i < pairs; i++) {
        nul_first += head[2 * i] == '\0';
        nul_second += head[2 * i + 1] == '\0';
    }
    /* Mostly ASCII, and never NUL on the other side: binary data has NULs on both. */
    if (pairs >= 4 && nul_first == 0 && nul_second * 4 >= pairs * 3)
        return new_decoder(false);
    if (pairs >= 4 && nul_second == 0 && nul_first * 4 >= pairs * 3)
        return new_decoder(true);
    return NULL;
}

void utf16_free(struct utf16 *utf16)
{
    free(utf16);
}

static size_t put(char *out, uint32_t c)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xC0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3F));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xE0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 0x3F));
        out[2] = (char)(0x80 | (c & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 0x3F));
    out[2] = (char)(0x80 | (c >> 6 & 0x3F));
    out[3] = (char)(0x80 | (c & 0x3F));
    return 4;
}

static size_t put_unit(struct utf16 *utf16, uint16_t unit, char *out)
{
    bool is_high = unit >= 0xD800 && unit < 0xDC00, is_low = unit >= 0xDC00 && unit < 0xE000;
    uint16_t high = utf16->high;
    size_t used = 0;
    utf16->high = 0;
    if (high && is_low)
        return put(out, 0x10000 + ((uint32_t)(high - 0xD800) << 10) + (unit - 0xDC00u));
    if (high)
        used = put(out, 0xFFFD);
    if (is_high) {
        utf16->high = unit;
        return used;
    }
    return used + put(out + used, is_low ? 0xFFFD : unit);
}

size_t utf16_decode(struct utf16 *utf16, const char *bytes, size_t len, char *out)
{
    size_t used = 0;
    for (size_t i = 0; i < len; i++) {
        unsigned char byte = (unsigned char)bytes[i];
        if (!utf16->half) {
            utf16->first = byte;
        } else {
            unsigned unit = utf16->big_endian ? utf16->first << 8 | byte : byte << 8 | utf16->first;
            used += put_unit(utf16, (uint16_t)unit, out + used);
        }
        utf16->half = !utf16->half;
    }
    return used;
}

size_t utf16_end(struct utf16 *utf16, char *out)
{
    bool cut = utf16->half || utf16->high;
    utf16->half = false;
    utf16->high = 0;
    return cut ? put(out, 0xFFFD) : 0;
}
