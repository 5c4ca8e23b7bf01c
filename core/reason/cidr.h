/* Address blocks, IPv4 and IPv6, and how one covers another. */
#ifndef DEBRIEF_REASON_CIDR_H
#define DEBRIEF_REASON_CIDR_H

#include <stdbool.h>
#include <stdint.h>

struct cidr {
    uint8_t bytes[16];
    int bits;
    bool v6;
};

enum cover { COVER_NONE, COVER_PART, COVER_ALL };

bool cidr_parse(const char *text,
                struct cidr *out); /* "10.0.0.0/16"; an address alone is a block too */
enum cover cidr_covers(const struct cidr *block, const struct cidr *of);
bool cidr_private(const struct cidr *block); /* wholly inside of what the internet does not route */

#endif
