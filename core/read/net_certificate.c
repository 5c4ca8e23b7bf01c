/* Stage: read. The certificates that a server showed, in PEM, as part of net.tls: its own first, then
 * what it sent to lead to an authority. */
#include "read/certificate.h"
#include <string.h>

static void take(void *user, const struct certificate *certificate, int index)
{
    struct net_tls *tls = user;
    if (!*tls->chain_expires ||
        (*certificate->expires && strcmp(certificate->expires, tls->chain_expires) < 0))
        NET_SET(tls->chain_expires, certificate->expires);
    NET_SET(tls->chain_issuer, certificate->issuer);
    NET_SET(tls->chain_key_id, certificate->issuer_key_id);
    tls->chain_rooted = *certificate->subject &&
                        strcmp(certificate->subject, certificate->issuer) == 0;
    if (index)
        return;
    NET_SET(tls->expires, certificate->expires);
    NET_SET(tls->valid_from, certificate->valid_from);
    NET_SET(tls->subject, certificate->subject);
    NET_SET(tls->issuer, certificate->issuer);
    NET_SET(tls->names, certificate->names);
}

bool net_certificates(struct net_tls *tls, const char *pem, size_t len)
{
    return certificate_each(pem, len, take, tls) > 0;
}
