/* Stage: read. Certificates in PEM, as openssl prints them, a probe keeps them or a configuration holds
 * them: subject, issuer, alternative names, dates and key identifiers. OpenSSL parses; nothing is
 * verified here. */
#include "read/certificate.h"
#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

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

static void set_hex(char out[CERTIFICATE_KEY_MAX], const ASN1_STRING *bytes)
{
    int len = bytes ? ASN1_STRING_length(bytes) : 0;
    *out = '\0';
    for (int i = 0; i < len && 2 * i + 2 < CERTIFICATE_KEY_MAX; i++)
        snprintf(out + 2 * i, 3, "%02x", ASN1_STRING_get0_data(bytes)[i]);
}

static void add_address(struct certificate *out, const ASN1_OCTET_STRING *address)
{
    char text[INET6_ADDRSTRLEN];
    int family = ASN1_STRING_length(address) == 4 ? AF_INET : AF_INET6;
    bool whole = family == AF_INET || ASN1_STRING_length(address) == 16;
    if (whole && inet_ntop(family, ASN1_STRING_get0_data(address), text, sizeof text))
        net_list(out->names, sizeof out->names, text, strlen(text));
}

static void add_name(struct certificate *out, const GENERAL_NAME *name)
{
    if (name->type == GEN_IPADD)
        add_address(out, name->d.iPAddress);
    else if (name->type == GEN_DNS || name->type == GEN_URI)
        net_list(out->names, sizeof out->names, (const char *)ASN1_STRING_get0_data(name->d.ia5),
                 (size_t)ASN1_STRING_length(name->d.ia5));
}

static void add_names(struct certificate *out, const X509 *certificate)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++)
        add_name(out, sk_GENERAL_NAME_value(names, i));
    GENERAL_NAMES_free(names);
}

static void take(struct certificate *out, X509 *certificate)
{
    *out = (struct certificate){0};
    set_name(out->subject, sizeof out->subject, X509_get_subject_name(certificate));
    set_name(out->issuer, sizeof out->issuer, X509_get_issuer_name(certificate));
    set_time(out->valid_from, X509_get0_notBefore(certificate));
    set_time(out->expires, X509_get0_notAfter(certificate));
    set_hex(out->serial, X509_get0_serialNumber(certificate));
    set_hex(out->key_id, X509_get0_subject_key_id(certificate));
    set_hex(out->issuer_key_id, X509_get0_authority_key_id(certificate));
    add_names(out, certificate);
}

int certificate_each(const char *pem, size_t len, certificate_fn *each, void *user)
{
    BIO *text = BIO_new_mem_buf(pem, (int)len);
    struct certificate certificate;
    int count = 0;
    while (text && count < CERTIFICATE_CHAIN_MAX) {
        X509 *parsed = PEM_read_bio_X509(text, NULL, NULL, NULL);
        if (!parsed)
            break;
        take(&certificate, parsed);
        X509_free(parsed);
        each(user, &certificate, count++);
    }
    BIO_free(text);
    ERR_clear_error();
    return count;
}
