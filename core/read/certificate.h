/* X.509 certificates in PEM: what they say of themselves. Nothing is verified. */
#ifndef DEBRIEF_READ_CERTIFICATE_H
#define DEBRIEF_READ_CERTIFICATE_H

#include "read/net_record.h"

enum { CERTIFICATE_KEY_MAX = 64, CERTIFICATE_CHAIN_MAX = 256 };

struct certificate { /* texts are empty where the certificate does not tell */
    char subject[NET_TEXT_MAX], issuer[NET_TEXT_MAX], names[NET_LIST_MAX];
    char serial[CERTIFICATE_KEY_MAX];
    char valid_from[NET_TIME_MAX], expires[NET_TIME_MAX]; /* RFC 3339 */
    /* Identifiers of its own key and of the key that signed it, in hexadecimal. */
    char key_id[CERTIFICATE_KEY_MAX], issuer_key_id[CERTIFICATE_KEY_MAX];
};

/* Each certificate of PEM in order, at most CERTIFICATE_CHAIN_MAX; ends at the first that cannot be read.
 * How many there were. */
typedef void certificate_fn(void *user, const struct certificate *certificate, int index);
int certificate_each(const char *pem, size_t len, certificate_fn *each, void *user);

#endif
