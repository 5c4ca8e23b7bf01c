/* Source: addresses in text, in the spellings that proxies, clouds and resolvers have for them. Reads text
 * from one place on, writes what they are to a scan, spelled alike. Deliberately leaves versions of four
 * numbers, dates and fingerprints alone: they look like addresses. */
#include "source/identity_scan.h"

#include "base/alloc.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { ADDRESS_TEXT = 64 };

static bool digit_at(const struct identity_scan *scan, size_t at)
{
    return at < scan->len && isdigit((unsigned char)scan->text[at]);
}

static bool hex_at(const struct identity_scan *scan, size_t at)
{
    return at < scan->len && isxdigit((unsigned char)scan->text[at]);
}

static bool is_at(const struct identity_scan *scan, size_t at, const char *text)
{
    size_t len = strlen(text);
    return at <= scan->len && scan->len - at >= len && strncasecmp(scan->text + at, text, len) == 0;
}

static bool is_before(const struct identity_scan *scan, size_t at, const char *text)
{
    size_t len = strlen(text);
    return at >= len && is_at(scan, at - len, text);
}

/* TEXT for FROM..END, with SEPARATOR where it has MARK. */
static void put_spelled(struct identity_scan *scan, size_t from, size_t end, const char *text,
                        char mark, const char *separator)
{
    char spelled[4 * ADDRESS_TEXT];
    size_t len = 0;
    if (!text || scan->keep_addresses)
        return;
    for (; *text && len + 8 < sizeof spelled; text++) {
        const char one[2] = {*text, 0};
        len += (size_t)snprintf(spelled + len, 8, "%s", *text == mark ? separator : one);
    }
    identity_put(scan, from, end, spelled, IDENTITY_ADDRESS);
}

/* Four numbers with SEPARATOR between them; returns where they end, or FROM. */
static size_t numbers(const struct identity_scan *scan, size_t from, const char *separator,
                      unsigned char out[4])
{
    size_t at = from;
    for (int i = 0; i < 4; i++) {
        unsigned value = 0, digits = 0;
        if (i && !is_at(scan, at, separator))
            return from;
        at += i ? strlen(separator) : 0;
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

/* ---- IPv4 ---- */

/* "1.29.12.1", as App Mesh numbers its Envoys, is no address; nor are "10.1.2.3-alpine" and 2.5.29.17, an
 * object id of X.509. */
static bool is_version(const struct identity_scan *scan, size_t end, const unsigned char *address)
{
    bool suffix = end + 1 < scan->len && scan->text[end] == '-' &&
                  isalpha((unsigned char)scan->text[end + 1]);
    bool object = address[0] == 2 && address[1] == 5 && (address[2] == 29 || address[2] == 4);
    return suffix || object ||
           (address[0] == 1 && address[1] < 64 && address[2] < 64 && address[3] < 10);
}

static bool is_private(const unsigned char *address)
{
    return address[0] == 10 || (address[0] == 172 && address[1] / 16 == 1) ||
           (address[0] == 192 && address[1] == 168) || (address[0] == 100 && address[1] / 64 == 1);
}

/* "10.0.0.1.5060 > 10.0.0.2.80:", as tcpdump writes ports. */
static bool is_port(const struct identity_scan *scan, size_t from, size_t end,
                    const unsigned char *address)
{
    size_t at = end + 1;
    while (digit_at(scan, at) && at - end < 7)
        at++;
    if (at - end > 6 || (at < scan->len && identity_is_alnum(scan->text[at])) ||
        (at + 1 < scan->len && scan->text[at] == '.' && digit_at(scan, at + 1)))
        return false;
    return is_private(address) || is_at(scan, at, " >") || is_before(scan, from, "> ") ||
           pseudonyms_knows_address(scan->names, address);
}

/* In regular expressions, in those within JSON, and in URLs. */
static const char *const dots[] = {".", "\\.", "\\\\.", "%2E"};

static size_t address_v4(struct identity_scan *scan, size_t from)
{
    unsigned char address[4];
    const char *text = scan->text, *dot = dots[0];
    size_t end = from;
    for (size_t i = 0; i < ARRAY_LEN(dots) && end == from; i++)
        end = numbers(scan, from, dot = dots[i], address);
    if (end == from || (from > 1 && text[from - 1] == '.' && digit_at(scan, from - 2)))
        return from;
    if (end < scan->len && isalpha((unsigned char)text[end]))
        return from;
    if (end < scan->len && text[end] == '.' && digit_at(scan, end + 1) &&
        !is_port(scan, from, end, address))
        return from;
    if (is_version(scan, end, address))
        return from;
    put_spelled(scan, from, end,
                pseudonyms_address(scan->names, address, 4, prefix_bits(scan, end, 32)), '.', dot);
    return end;
}

/* "10_0_0_1" and "10-0-0-1" may be counts, days and versions: the place, the range or another place must
 * say that they are none. */
static bool is_told(const struct identity_scan *scan, size_t from, size_t end,
                    const char *separator, const unsigned char *address)
{
    const char *text = scan->text;
    bool host = end + 1 < scan->len && text[end] == '.' && isalpha((unsigned char)text[end + 1]);
    bool port = end < scan->len && text[end] == '_' && digit_at(scan, end + 1) &&
                digit_at(scan, end + 2);
    if (is_before(scan, from, "ip-") || is_before(scan, from, "ec2-") ||
        pseudonyms_knows_address(scan->names, address))
        return true;
    return *separator == '-' ? host
                             : is_private(address) || port || is_before(scan, from, "listener_") ||
                                   is_before(scan, from, "ip_");
}

/* "9-10-0-0-1": more than four. */
static bool is_longer(const struct identity_scan *scan, size_t from, char separator)
{
    size_t at = from;
    if (!from || scan->text[from - 1] != separator)
        return false;
    while (--at && digit_at(scan, at - 1))
        ;
    return at + 1 < from && !(at && identity_is_alnum(scan->text[at - 1]));
}

static size_t separated(struct identity_scan *scan, size_t from, const char *separator)
{
    unsigned char address[4];
    const char *text = scan->text;
    size_t end = numbers(scan, from, separator, address);
    if (end == from || is_longer(scan, from, *separator) ||
        (end < scan->len && identity_is_alnum(text[end])))
        return from;
    if (end < scan->len && text[end] == '-' && *separator == '-')
        return from;
    if (!is_told(scan, from, end, separator, address))
        return from;
    put_spelled(scan, from, end, pseudonyms_address(scan->names, address, 4, 32), '.', separator);
    return end;
}

size_t identity_dashed(struct identity_scan *scan, size_t from)
{
    size_t end = digit_at(scan, from) ? separated(scan, from, "-") : from;
    return end > from || !digit_at(scan, from) ? end : separated(scan, from, "_");
}

/* ---- IPv6 ---- */

/* "2a05_d018__1f" without brackets: only what nobody writes for anything else. */
static bool is_plain_v6(const char *text, size_t len)
{
    return len > 6 && text[4] == ':' && (strstr(text, "::") || strchr("23f", *text)) &&
           strspn(text, "0123456789abcdefABCDEF") == 4;
}

/* The address that begins at FROM, with ':' for SEPARATOR; returns where it ends, or FROM. */
static size_t take_v6(const struct identity_scan *scan, size_t from, const char *separator,
                      unsigned char address[16])
{
    char text[ADDRESS_TEXT];
    size_t len = 0, colons = 0, end = from, width = strlen(separator);
    while (len < INET6_ADDRSTRLEN - 1) {
        bool mark = is_at(scan, end, separator);
        if (!mark && !hex_at(scan, end))
            break;
        text[len++] = mark ? ':' : scan->text[end];
        end += mark ? width : 1;
        colons += mark;
    }
    /* The colon of a sentence, or of a key. */
    if (len > 2 && text[len - 1] == ':' && text[len - 2] != ':') {
        len--;
        end -= width;
    }
    text[len] = '\0';
    if (colons < 2 || inet_pton(AF_INET6, text, address) != 1 ||
        (end < scan->len && identity_is_alnum(scan->text[end])))
        return from;
    bool bracket = from && scan->text[from - 1] == '[' && end < scan->len && scan->text[end] == ']';
    return *separator != '_' || bracket || is_plain_v6(text, len) ? end : from;
}

/* The end of "2a05::10.0.0.1", whose last number was taken for a group that ends at END; else END. */
static size_t dotted_end(const struct identity_scan *scan, size_t from, size_t end,
                         unsigned char address[16])
{
    size_t at = end, behind;
    while (at > from && scan->text[at - 1] != ':')
        at--;
    if (at == from || end >= scan->len || scan->text[end] != '.' || !digit_at(scan, end + 1) ||
        (behind = numbers(scan, at, dots[0], address + 12)) == at)
        return end;
    char text[ADDRESS_TEXT];
    snprintf(text, sizeof text, "%.*s", (int)(behind - from), scan->text + from);
    return inet_pton(AF_INET6, text, address) == 1 ? behind : end;
}

/* Spelled as it was where it is an IPv4 address in disguise. */
static size_t put_dotted(struct identity_scan *scan, size_t from, size_t end,
                         const unsigned char address[16])
{
    unsigned char shown[16];
    char text[ADDRESS_TEXT];
    const char *pseudonym = pseudonyms_address(scan->names, address, 16, 128);
    if (!pseudonym || inet_pton(AF_INET6, pseudonym, shown) != 1)
        return end;
    if (memcmp(shown, address, 12) == 0) {
        while (scan->text[from + strspn(scan->text + from, "0123456789")] != '.')
            from++;
        snprintf(text, sizeof text, "%u.%u.%u.%u", shown[12], shown[13], shown[14], shown[15]);
        pseudonym = text;
    }
    put_spelled(scan, from, end, pseudonym, '.', dots[0]);
    return end;
}

static size_t address_v6(struct identity_scan *scan, size_t from, const char *separator)
{
    unsigned char address[16];
    size_t end = take_v6(scan, from, separator, address);
    if (end == from)
        return from;
    size_t dotted = *separator == ':' ? dotted_end(scan, from, end, address) : end;
    if (dotted > end)
        return put_dotted(scan, from, dotted, address);
    put_spelled(scan, from, end,
                pseudonyms_address(scan->names, address, 16, prefix_bits(scan, end, 128)), ':',
                separator);
    return end;
}

/* ---- network cards ---- */

/* Six pairs of hexadecimal digits and no more of them: longer ones are fingerprints. */
static size_t card(struct identity_scan *scan, size_t from)
{
    unsigned char bytes[6];
    const char *text = scan->text;
    bool letter = false;
    if (scan->len - from < 17 || !text[from + 2] || !strchr(":-_", text[from + 2]))
        return from;
    char separator = text[from + 2];
    const char spelled[2] = {separator, 0};
    for (size_t i = 0; i < 6; i++) {
        char pair[3] = {text[from + 3 * i], text[from + 3 * i + 1], 0};
        unsigned value;
        if (!isxdigit((unsigned char)pair[0]) || !isxdigit((unsigned char)pair[1]) ||
            (i < 5 && text[from + 3 * i + 2] != separator) || sscanf(pair, "%x", &value) != 1)
            return from;
        letter |= isalpha((unsigned char)pair[0]) || isalpha((unsigned char)pair[1]);
        bytes[i] = (unsigned char)value;
    }
    size_t end = from + 17;
    bool before = from && text[from - 1] == separator;
    bool behind = end < scan->len &&
                  (identity_is_alnum(text[end]) || (text[end] == separator && end + 1 < scan->len &&
                                                    identity_is_alnum(text[end + 1])));
    if (before || behind || (separator != ':' && !letter))
        return from;
    put_spelled(scan, from, end, pseudonyms_card(scan->names, bytes), ':', spelled);
    return end;
}

/* ---- names of reverse zones ---- */

#define ZONE_V4 ".in-addr.arpa"
#define ZONE_V6 ".ip6.arpa"

/* The labels of "23.44.19.172.in-addr.arpa", the last one first in OUT. */
static size_t octets(const struct identity_scan *scan, size_t from, unsigned char out[4],
                     size_t *len)
{
    unsigned char read[4];
    size_t at = from;
    for (*len = 0; *len < 4; at++) {
        unsigned value = 0, digits = 0;
        while (digit_at(scan, at) && digits++ < 3)
            value = value * 10 + (unsigned)(scan->text[at++] - '0');
        if (!digits || value > 255 || at >= scan->len || scan->text[at] != '.')
            return from;
        read[(*len)++] = (unsigned char)value;
        if (is_at(scan, at, ZONE_V4)) {
            for (size_t i = 0; i < *len; i++)
                out[i] = read[*len - 1 - i];
            return at;
        }
    }
    return from;
}

static size_t reverse_v4(struct identity_scan *scan, size_t from)
{
    unsigned char address[4] = {0}, shown[4];
    char text[ADDRESS_TEXT] = "";
    size_t len, end = octets(scan, from, address, &len);
    if (end == from)
        return from;
    const char *pseudonym = pseudonyms_address(scan->names, address, 4, (unsigned)len * 8);
    if (!pseudonym || inet_pton(AF_INET, pseudonym, shown) != 1)
        return end + strlen(ZONE_V4);
    for (size_t i = len, at = 0; i-- > 0;)
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%u", at ? "." : "", shown[i]);
    put_spelled(scan, from, end, text, '.', dots[0]);
    return end + strlen(ZONE_V4);
}

static size_t reverse_v6(struct identity_scan *scan, size_t from)
{
    unsigned char address[16] = {0}, shown[16];
    char text[ADDRESS_TEXT + 1] = "";
    size_t len = 0, end;
    while (len < 32 && hex_at(scan, from + 2 * len) && from + 2 * len + 1 < scan->len &&
           scan->text[from + 2 * len + 1] == '.')
        len++;
    end = from + 2 * len - 1;
    if (!len || !is_at(scan, end, ZONE_V6))
        return from;
    for (size_t i = 0; i < len; i++) {
        char digit[2] = {scan->text[end - 1 - 2 * i], 0};
        unsigned value = 0;
        sscanf(digit, "%x", &value);
        address[i / 2] |= (unsigned char)(i % 2 ? value : value << 4);
    }
    const char *pseudonym = pseudonyms_address(scan->names, address, 16, (unsigned)len * 4);
    if (!pseudonym || inet_pton(AF_INET6, pseudonym, shown) != 1)
        return end + strlen(ZONE_V6);
    for (size_t i = 0; i < len; i++) {
        size_t nibble = len - 1 - i;
        snprintf(text + 2 * i, 3, "%x.",
                 nibble % 2 ? shown[nibble / 2] & 15 : shown[nibble / 2] >> 4);
    }
    text[2 * len - 1] = '\0';
    put_spelled(scan, from, end, text, '.', dots[0]);
    return end + strlen(ZONE_V6);
}

/* ---- all of them ---- */

size_t identity_address(struct identity_scan *scan, size_t from)
{
    size_t end = from;
    bool colon = scan->text[from] == ':';
    if (!colon && ((end = reverse_v4(scan, from)) > from || (end = reverse_v6(scan, from)) > from ||
                   (end = card(scan, from)) > from))
        return end;
    if (from && scan->text[from - 1] == ':' && !digit_at(scan, from))
        return from; /* in the middle of something else */
    if (digit_at(scan, from) && (end = address_v4(scan, from)) > from)
        return end;
    static const char *const colons[] = {":", "_", "%3A", "\\:"};
    for (size_t i = 0; i < (colon ? 1 : ARRAY_LEN(colons)); i++)
        if ((end = address_v6(scan, from, colons[i])) > from)
            return end;
    return from;
}
