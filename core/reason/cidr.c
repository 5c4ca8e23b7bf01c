/* Stage: check. Arithmetic of address blocks. Reads text, writes nothing but its results. Names no host
 * and asks no resolver. */
#include "reason/cidr.h"

#include "base/str.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

bool cidr_parse(const char *text, struct cidr *out)
{
    char address[64];
    int64_t bits;
    const char *slash = text ? strchr(text, '/') : NULL;
    size_t len = !text ? 0 : slash ? (size_t)(slash - text) : strlen(text);
    *out = (struct cidr){.bits = 0};
    if (!len || len >= sizeof address)
        return false;
    memcpy(address, text, len);
    address[len] = '\0';
    out->v6 = strchr(address, ':') != NULL;
    int widest = out->v6 ? 128 : 32;
    if (inet_pton(out->v6 ? AF_INET6 : AF_INET, address, out->bytes) != 1)
        return false;
    if (!slash)
        bits = widest;
    else if (!str_to_int64(slash + 1, &bits) || bits < 0 || bits > widest)
        return false;
    out->bits = (int)bits;
    return true;
}

static bool same_start(const struct cidr *a, const struct cidr *b, int bits)
{
    int whole = bits / 8, rest = bits % 8;
    if (memcmp(a->bytes, b->bytes, (size_t)whole) != 0)
        return false;
    return !rest || ((a->bytes[whole] ^ b->bytes[whole]) >> (8 - rest)) == 0;
}

enum cover cidr_covers(const struct cidr *block, const struct cidr *of)
{
    if (block->v6 != of->v6)
        return COVER_NONE;
    if (!same_start(block, of, block->bits < of->bits ? block->bits : of->bits))
        return COVER_NONE;
    return block->bits <= of->bits ? COVER_ALL : COVER_PART;
}

bool cidr_private(const struct cidr *block)
{
    static const char *const blocks[] = {"10.0.0.0/8",    "172.16.0.0/12", "192.168.0.0/16",
                                         "100.64.0.0/10", "127.0.0.0/8",   "169.254.0.0/16",
                                         "fc00::/7",      "fe80::/10"};
    struct cidr own;
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        if (cidr_parse(blocks[i], &own) && cidr_covers(&own, block) == COVER_ALL)
            return true;
    return false;
}
