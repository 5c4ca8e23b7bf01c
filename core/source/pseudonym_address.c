/* Source: addresses under pseudonyms. Reads an address, writes one that shares as many leading bits
 * with every other one as it did before (Crypto-PAn, with HMAC-SHA256). Deliberately never leaves the
 * kind of its range: what is private, public or special stays what it is, since checks ask. */
#include "source/pseudonym.h"

#include "base/alloc.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

struct range {
    unsigned char first[4]; /* leading bytes; the rest is zero */
    unsigned bits;
    bool stays;
};

static const struct range v4[] = {
    {{0}, 8, true},   {{127}, 8, true},       {{169, 254}, 16, true},  {{224}, 3, true},
    {{10}, 8, false}, {{172, 16}, 12, false}, {{192, 168}, 16, false}, {{100, 64}, 10, false},
};

/* Unique local ones are private; only global ones (2000::/3) are public; the rest is special. */
static const struct range v6[] = {
    {{0}, 3, true},     {{0x20}, 3, false},
    {{0x40}, 2, true},  {{0x80}, 2, true},
    {{0xc0}, 3, true},  {{0xe0}, 4, true},
    {{0xf0}, 5, true},  {{0xf8}, 6, true},
    {{0xfc}, 7, false}, {{0xfd, 0x00, 0x0e, 0xc2}, 32, true}, /* of the metadata service */
    {{0xfe}, 7, true},
};

static bool bit(const unsigned char *bytes, unsigned i)
{
    return bytes[i / 8] >> (7 - i % 8) & 1;
}

/* Whether the first BITS bits of both are the same. */
static bool share(const unsigned char *a, const unsigned char *b, unsigned bits)
{
    for (unsigned i = 0; i < bits; i++)
        if (bit(a, i) != bit(b, i))
            return false;
    return true;
}

struct ranges {
    const struct range *items;
    size_t len;
};

static bool stays(const struct ranges *ranges, const unsigned char *address)
{
    for (size_t i = 0; i < ranges->len; i++)
        if (ranges->items[i].stays && share(address, ranges->items[i].first, ranges->items[i].bits))
            return true;
    return false;
}

/* Whether all addresses that share the first BITS bits with this one are of one kind. */
static bool is_free(const struct ranges *ranges, const unsigned char *address, unsigned bits)
{
    for (size_t i = 0; i < ranges->len; i++)
        if (ranges->items[i].bits > bits && share(address, ranges->items[i].first, bits))
            return false;
    return true;
}

/* One digest decides for all the ways through the octet behind a prefix. */
static void digest_of(const unsigned char *key, const unsigned char *address, size_t len,
                      size_t octet, unsigned char digest[32])
{
    unsigned char text[2 + 16] = {(unsigned char)len, (unsigned char)octet};
    unsigned int size = 32;
    memcpy(text + 2, address, octet);
    if (!HMAC(EVP_sha256(), key, PSEUDONYM_KEY, text, 2 + octet, digest, &size))
        BUG("no digest");
}

static bool is_private_v4(const unsigned char *address)
{
    for (size_t i = 0; i < ARRAY_LEN(v4); i++)
        if (!v4[i].stays && share(address, v4[i].first, v4[i].bits))
            return true;
    return false;
}

/* IPv4 addresses within IPv6: mapped ones, and those behind NAT64 (RFC 6052, RFC 8215). */
static bool holds_v4(const unsigned char *address)
{
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
    static const unsigned char nat64[12] = {0x00, 0x64, 0xff, 0x9b};
    static const unsigned char local_nat64[6] = {0x00, 0x64, 0xff, 0x9b, 0x00, 0x01};
    static const unsigned char compatible[12] = {0}; /* RFC 4291, given up; ::1 and such stay */
    return memcmp(address, mapped, 12) == 0 || memcmp(address, compatible, 12) == 0 ||
           memcmp(address, nat64, 12) == 0 || memcmp(address, local_nat64, 6) == 0;
}

/* A link-local one that a network card has made of its own address (RFC 4291, appendix A). */
static bool is_of_card(const unsigned char *address)
{
    return address[0] == 0xfe && (address[1] & 0xc0) == 0x80 && address[11] == 0xff &&
           address[12] == 0xfe;
}

bool pseudonym_address(const unsigned char key[PSEUDONYM_KEY], const unsigned char *address,
                       size_t len, unsigned char *out)
{
    if (len == 16 && holds_v4(address)) {
        memcpy(out, address, 12);
        return pseudonym_address(key, address + 12, 4, out + 12);
    }
    const struct ranges ranges = len == 4 ? (struct ranges){v4, ARRAY_LEN(v4)}
                                          : (struct ranges){v6, ARRAY_LEN(v6)};
    unsigned char digest[32];
    bool turned = false;
    if (len == 16 && is_of_card(address)) {
        memcpy(out, address, 16);
        digest_of(key, address, len, 16, digest);
        memcpy(out + 8, digest, 3);
        memcpy(out + 13, digest + 3, 3);
        return true;
    }
    /* .0, .1 and .2 of a network mean something. */
    size_t octets = len == 4 && is_private_v4(address) ? 3 : len;
    memcpy(out, address, len);
    if (stays(&ranges, address))
        return false;
    for (size_t octet = 0; octet < octets; octet++) {
        unsigned node = 1;
        digest_of(key, address, len, octet, digest);
        for (unsigned i = 0; i < 8; i++) {
            unsigned at = (unsigned)octet * 8 + i;
            /* The first free bit always turns: no address is its own pseudonym. */
            if (is_free(&ranges, address, at) && (!turned || bit(digest, node))) {
                out[octet] ^= (unsigned char)(0x80 >> i);
                turned = true;
            }
            node = node * 2 + bit(address, at);
        }
    }
    return true;
}
