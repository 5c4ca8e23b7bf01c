/* Stage: finding. Reads what a finding is about, writes its fingerprint: stable across runs, and the
 * same wherever subject and id are. Deliberately of what is shown: nothing hidden can be guessed from
 * it. */
#include "finding/fingerprint.h"

#include "base/buf.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

void fingerprint_of(char hex[FINGERPRINT_LEN + 1], const char *id, const char *kind,
                    const char *name)
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    struct buf text;
    buf_init(&text, 4096);
    buf_add(&text, id, strlen(id) + 1);
    buf_add(&text, kind, strlen(kind) + 1);
    buf_adds(&text, name);
    SHA256((const unsigned char *)text.data, text.len, digest);
    buf_release(&text);
    for (int i = 0; i < FINGERPRINT_LEN / 2; i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
}
