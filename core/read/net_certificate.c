/* Stage: read. Certificates in PEM, as openssl prints them or a probe keeps them: subject, issuer,
 * alternative names and dates for net.tls. OpenSSL parses; nothing is verified here. */
#include "read/net_record.h"
#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

enum { CHAIN_MAX = 16 };

static void set_name(char *out, size_t cap, const X509_NAME *name)
{
    BIO *text = BIO_new(BIO_s_mem());
    char *bytes;
    if (text && X509_NAME_print_ex(text, name, 0, XN_FLAG_ONELINE & ~ASN1_STRFLGS_ESC_MSB) >= 0) {
        long len = BIO_get_mem_data(text, &bytes);
        net_copy(out, cap, bytes, (size_t)len);
    }
    BIO_free(text);
}

static void set_time(char out[NET_TIME_MAX], const ASN1_TIME *time)
{
    struct tm tm;
    if (ASN1_TIME_to_tm(time, &tm))
        strftime(out, NET_TIME_MAX, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

static void add_address(struct net_tls *tls, const ASN1_OCTET_STRING *address)
{
    char text[INET6_ADDRSTRLEN];
    int family = ASN1_STRING_length(address) == 4 ? AF_INET : AF_INET6;
    bool whole = family == AF_INET || ASN1_STRING_length(address) == 16;
    if (whole && inet_ntop(family, ASN1_STRING_get0_data(address), text, sizeof text))
        net_list(tls->names, sizeof tls->names, text, strlen(text));
}

static void add_name(struct net_tls *tls, const GENERAL_NAME *name)
{
    if (name->type == GEN_IPADD)
        add_address(tls, name->d.iPAddress);
    else if (name->type == GEN_DNS || name->type == GEN_URI)
        net_list(tls->names, sizeof tls->names, (const char *)ASN1_STRING_get0_data(name->d.ia5),
                 (size_t)ASN1_STRING_length(name->d.ia5));
}

static void add_names(struct net_tls *tls, const X509 *certificate)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++)
        add_name(tls, sk_GENERAL_NAME_value(names, i));
    GENERAL_NAMES_free(names);
}

static void take(struct net_tls *tls, const X509 *certificate, bool first)
{
    char end[NET_TIME_MAX] = "";
    set_time(end, X509_get0_notAfter(certificate));
    if (!*tls->chain_expires || (*end && strcmp(end, tls->chain_expires) < 0))
        NET_SET(tls->chain_expires, end);
    if (!first)
        return;
    NET_SET(tls->expires, end);
    set_time(tls->valid_from, X509_get0_notBefore(certificate));
    set_name(tls->subject, sizeof tls->subject, X509_get_subject_name(certificate));
    set_name(tls->issuer, sizeof tls->issuer, X509_get_issuer_name(certificate));
    *tls->names = '\0';
    add_names(tls, certificate);
}

bool net_certificates(struct net_tls *tls, const char *pem, size_t len)
{
    BIO *text = BIO_new_mem_buf(pem, (int)len);
    int count = 0;
    for (; text && count < CHAIN_MAX; count++) {
        X509 *certificate = PEM_read_bio_X509(text, NULL, NULL, NULL);
        if (!certificate)
            break;
        take(tls, certificate, !count);
        X509_free(certificate);
    }
    BIO_free(text);
    ERR_clear_error();
    return count > 0;
}
