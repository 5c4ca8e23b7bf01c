/* Identities in text: where account ids, addresses, names of hosts, users and resources stand. */
#ifndef DEBRIEF_SOURCE_IDENTITY_SCAN_H
#define DEBRIEF_SOURCE_IDENTITY_SCAN_H

#include "source/pseudonym.h"
#include "source/redact.h"

/* Goes through TEXT: words in places that tell a name (hosts, ARNs, users) are known from then on.
 * With OUT, TEXT is appended to it with all identities replaced; KINDS is the first of the three kinds
 * that COUNTS counts them as: account-id, ip-address, name. */
struct identity_scan {
    struct pseudonyms *names;
    struct buf *out;              /* NULL: only learn */
    struct redact_counts *counts; /* NULL with OUT NULL */
    size_t kinds;
    bool keep_addresses; /* they are pseudonyms already, and do not show it */
    /* Its own while it runs. */
    const char *text;
    size_t len, at;
};
void identity_scan(struct identity_scan *scan, const char *text, size_t len);

enum identity_kind { IDENTITY_ACCOUNT, IDENTITY_ADDRESS, IDENTITY_NAME };

/* ---- between the files of the scanner ---- */

bool identity_is_alnum(char c);
/* Writes what stands before START as it is, and TEXT for what stands up to END. */
void identity_put(struct identity_scan *scan, size_t start, size_t end, const char *text,
                  enum identity_kind kind);
/* Replaces what is known from START to END; learns nothing. */
void identity_known(struct identity_scan *scan, size_t start, size_t end);
/* All words from START to END name somebody unless they are plain. Returns END. */
size_t identity_names(struct identity_scan *scan, size_t start, size_t end);

/* Each: where it ends, when one begins at FROM; else FROM. */
/* Of a host, a network card, a reverse zone; at a digit, or at the colons that an address begins with. */
size_t identity_address(struct identity_scan *scan, size_t from);
size_t identity_dashed(struct identity_scan *scan, size_t from);  /* 10-0-0-1, 10_0_0_1 */
size_t identity_account(struct identity_scan *scan, size_t from); /* 1111-2222-3333, when known */
size_t identity_host(struct identity_scan *scan, size_t from);
size_t identity_arn(struct identity_scan *scan, size_t from);
/* Learns the value of a name such as "user" at FROM, and what is called an account; replaces nothing. */
void identity_field(struct identity_scan *scan, size_t from);

#endif
