/* Identities in text: what is replaced and what stays, the same in any portions and the second time.
 * "@" in an expected text stands for the pseudonym of a word. */
#include "source/redact.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/regex.h"
#include "source/pseudonym.h"
#include <arpa/inet.h>

static struct redact_policy *new_policy(void)
{
    const struct redact_options options = {.identities = true};
    struct redact_policy *policy = redact_policy_new(&options, NULL);
    assert_non_null(policy);
    return policy;
}

static char *redacted(const struct redact_policy *policy, const char *text)
{
    struct buf out;
    buf_init(&out, 1 << 22);
    redact_text(&out, text, strlen(text), policy, NULL);
    return buf_take(&out);
}

/* TEXT with each pseudonym of a word shown as "@". */
static char *shown(const char *text)
{
    struct regex *regex = regex_new("(?i:anon)[a-z2-7A-Z]{6}[0-9]", 0, NULL);
    struct regex_span span;
    struct buf out;
    size_t at = 0, len = strlen(text);
    buf_init(&out, 1 << 22);
    while (regex_match(regex, text, len, at, &span, 1)) {
        buf_add(&out, text + at, span.start - at);
        buf_addch(&out, '@');
        at = span.end;
    }
    buf_adds(&out, text + at);
    regex_free(regex);
    return buf_take(&out);
}

static void test_names(void **state)
{
    static const char *const rows[][2] = {
        {"arn:aws:iam::840364872350:role/acme-task-role",
         "arn:aws:iam::840364872350:role/@-task-role"},
        {"arn:aws:appmesh:eu-west-1:840364872350:mesh/zebra/virtualNode/web_kiwi and zebra",
         "arn:aws:appmesh:eu-west-1:840364872350:mesh/@/virtualNode/web_@ and @"},
        {"arn:aws:s3:::acme-logs/*", "arn:aws:s3:::@-logs/*"},
        {"arn:aws:iam::aws:policy/AcmePolicy", "arn:aws:iam::aws:policy/AcmePolicy"},
        {"https://api.acme.com:443/x", "https://api.@.com:443/x"},
        {"*.acme.co.uk", "*.@.co.uk"},
        {"db.prod.com", "db.@.com"},
        {"web-api.com and zebra-api.com", "@.com and @-api.com"},
        {"kiwi.zebra.svc.cluster.local", "@.@.svc.cluster.local"},
        {"istiod.istio-system.svc:15012", "istiod.istio-system.svc:15012"},
        {"cluster.outbound|80||kiwi.zebra.svc.cluster.local.upstream_cx_total: 1",
         "cluster.outbound|80||@.@.svc.cluster.local.upstream_cx_total: 1"},
        {"cluster.api.acme.com.upstream_rq", "cluster.api.@.com.upstream_rq"},
        {"acme-logs.s3.eu-west-1.amazonaws.com", "@-logs.s3.eu-west-1.amazonaws.com"},
        {"sqs.eu-west-1.amazonaws.com", "sqs.eu-west-1.amazonaws.com"},
        {"kim.kiwi@acme.com", "@.@@@.com"},
        {"\"user\": \"zebra\"", "\"user\": \"@\""},
        {"{\"name\": \"PGUSER\", \"value\": \"zebra\"}",
         "{\"name\": \"PGUSER\", \"value\": \"@\"}"},
        {"RoleName: zebra-role", "RoleName: @-role"},
        {"/home/zebra/.bashrc", "/home/@/.bashrc"},
        {"User \"system:serviceaccount:zebra:kiwi\" cannot list",
         "User \"system:serviceaccount:@:@\" cannot list"},
        {"spiffe://cluster.local/ns/zebra/sa/kiwi-sa", "spiffe://cluster.local/ns/@/sa/@-sa"},
        {"postgres://zebra:[redacted:url-password]@db.acme.com/x",
         "postgres://@:[redacted:url-password]@db.@.com/x"},
        {"db.zebra.com user=okapi okapiService OkapiService ZEBRAPROD zebrabackend",
         "db.@.com user=@ @Service @Service @PROD @backend"},
        {"db.zebra.com zebra.github.com github.com zebra", "db.@.com @.github.com github.com @"},
        {"a.acme.com ACME_SERVICE_HOST Acme \"x\\nacme\"", "a.@.com @_SERVICE_HOST @ \"x\\n@\""},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct redact_policy *policy = new_policy();
        char *once = redacted(policy, rows[i][0]), *bare = shown(once);
        char *twice = redacted(policy, once);
        assert_string_equal(bare, rows[i][1]);
        assert_string_equal(twice, once);
        free(once);
        free(bare);
        free(twice);
        redact_policy_free(policy);
    }
}

static void test_what_stays(void **state)
{
    static const char *const texts[] = {
        "type.googleapis.com/envoy.config.cluster.v3.Cluster source/common/upstream/cds_api.cc:32",
        "envoy.network.transport_socket.http_11_proxy.info",
        "envoy.filters.http.router envoy.yaml config_dump.json stats.txt server.live: 1 1.36.4",
        "image public.ecr.aws/appmesh/aws-appmesh-envoy:v1.29.12.1-prod, Envoy 1.29.12.1",
        "registry-1.docker.io https://www.envoyproxy.io/docs?x=1 quay.io/x appmesh.k8s.aws/mesh",
        "xds_cluster local_app StreamAggregatedResources gRPC config stream closed: 16",
        "127.0.0.1:9901 0.0.0.0:15001 [::1]:80 169.254.169.254 255.255.255.0 12:30:45 std::string",
        "ff:ff:ff:ff:ff:ff 00:00:00:00:00:00 AB:CD:EF:01:02:03:04:05 26-11-21-07-59-00 "
        "sha1 12:34:56:78:9a:bc:de:f0:12:34:56:78:9a:bc:de:f0:12:34:56:78",
        "1.0.0.127.in-addr.arpa p50_90_95_99 le_1_5_10_25 ::1 :: [::]:80 a::b ::ffff:127.0.0.1",
        "2.5.29.17 1.3.6.1.4.1 17.2.19.44.23 9-10-0-0-1 fe80::1 10.1.2.3-alpine",
        "4815-1623-4299 2026-1121-0759 481516234299 bytes; accounts and 123456789012345",
        "b1946ac9-2ed2-4c1c-8f2e-0d4a1c7b9e11 9f86d081884c7d659a2feaa0c55ad015",
        "cluster.web.upstream_cx_total: 123456789012 2026-11-21T07:50:12Z %REQ(X)% 10% of 5",
        "{\"user\": 1337, \"hostname\": \"\", \"account\": null} user: root USER=envoy",
        "840364872350.dkr.ecr.us-west-2.amazonaws.com java.lang.String e.g. this.that() i.e. x",
        "appmesh-envoy-management.us-west-2.amazonaws.com:443",
        "",
    };
    struct redact_policy *policy = new_policy();
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        char *out = redacted(policy, texts[i]);
        assert_string_equal(out, texts[i]);
        free(out);
    }
    redact_policy_free(policy);
}

static void test_addresses(void **state)
{
    static const char text[] = "10.0.1.5:80 10.0.1.9 ip-10-0-1-5 listener.10.0.1.5_8080.x 8.8.4.4, "
                               "fd00:10::5 [2600:1f18::7]:443 10.0.0.0/16";
    struct redact_policy *policy = new_policy();
    char a[32], b[32], dashed[32], stat[32];
    (void)state;
    char *out = redacted(policy, text);
    assert_null(strstr(out, "10.0.1.5"));
    assert_null(strstr(out, "10-0-1-5"));
    assert_null(strstr(out, "8.8.4.4"));
    assert_null(strstr(out, "2600:1f18"));
    assert_null(strstr(out, "fd00:10::5"));
    assert_non_null(strstr(out, ".0.0/16"));
    assert_int_equal(
        sscanf(out, "%31[^:]:80 %31s ip-%31s listener.%31[^_]_8080.x", a, b, dashed, stat), 4);
    assert_string_equal(a, stat);
    assert_int_equal(strncmp(a, b, strlen(a) - 1), 0);
    for (char *at = dashed; *at; at++)
        *at = *at == '-' ? '.' : *at;
    assert_string_equal(a, dashed);
    /* What says that its addresses are pseudonyms keeps them. */
    char *again = redacted(redact_policy_again(policy), out);
    assert_string_equal(again, out);
    free(again);
    free(out);
    redact_policy_free(policy);
}

/* The same address in all its spellings, each in its own. */
static void test_spellings(void **state)
{
    static const char text[] =
        "172.19.44.23 172_19_44_23 ip-172-19-44-23 ::ffff:ac13:2c17 ::ffff:172.19.44.23 "
        "64:ff9b::ac13:2c17 64:ff9b::172.19.44.23 23.44.19.172.in-addr.arpa "
        "44.19.172.in-addr.arpa envoy_listener_172_19_44_23_8080_x\n"
        "2a05:d018::1f 2A05:D018:0:0:0:0:0:1F [2a05_d018__1f]_8080 "
        "f.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.1.0.d.5.0.a.2.ip6.arpa\n"
        "0a:58:0a:f4:02:01 0a-58-0a-f4-02-01 0A:58:0A:F4:02:01\n";
    struct redact_policy *policy = new_policy();
    char v4[32], v6[64], card[32], expected[2048], hex[16], reverse[128] = "", underscored[64];
    char dashed[32], low[32];
    unsigned char a[4], b[16];
    (void)state;
    char *out = redacted(policy, text);
    assert_int_equal(sscanf(out, "%31s", v4), 1);
    assert_int_equal(sscanf(strchr(out, '\n') + 1, "%63s", v6), 1);
    assert_int_equal(sscanf(strchr(strchr(out, '\n') + 1, '\n') + 1, "%31s", card), 1);
    assert_string_not_equal(v4, "172.19.44.23");
    assert_int_equal(inet_pton(AF_INET, v4, a), 1);
    assert_int_equal(inet_pton(AF_INET6, v6, b), 1);
    snprintf(hex, sizeof hex, "%x:%x", a[0] << 8 | a[1], a[2] << 8 | a[3]);
    for (int i = 31; i >= 0; i--)
        snprintf(reverse + 2 * (31 - i), 4, "%x%s", i % 2 ? b[i / 2] & 15 : b[i / 2] >> 4,
                 i ? "." : "");
    snprintf(underscored, sizeof underscored, "%s", v6);
    snprintf(dashed, sizeof dashed, "%s", card);
    snprintf(low, sizeof low, "%u_%u_%u_%u", a[0], a[1], a[2], a[3]);
    for (char *at = underscored; (at = strchr(at, ':'));)
        *at = '_';
    for (char *at = dashed; (at = strchr(at, ':'));)
        *at = '-';
    snprintf(expected, sizeof expected,
             "%s %s ip-%u-%u-%u-%u ::ffff:%s ::ffff:%s 64:ff9b::%s 64:ff9b::%s "
             "%u.%u.%u.%u.in-addr.arpa %u.%u.%u.in-addr.arpa envoy_listener_%s_8080_x\n"
             "%s %s [%s]_8080 %s.ip6.arpa\n%s %s %s\n",
             v4, low, a[0], a[1], a[2], a[3], hex, v4, hex, v4, a[3], a[2], a[1], a[0], a[2], a[1],
             a[0], low, v6, v6, underscored, reverse, card, dashed, card);
    assert_string_equal(out, expected);
    char *again = redacted(redact_policy_again(policy), out);
    assert_string_equal(again, out);
    free(again);
    free(out);
    redact_policy_free(policy);
}

/* In regular expressions, URLs, captures and what a card has made of its address: never as they were. */
static void test_spellings_of_others(void **state)
{
    static const char *const texts[] = {
        "^172\\.19\\.44\\.23$",
        "\"172\\\\.19\\\\.44\\\\.23\"",
        "http%3A%2F%2F172%2E19%2E44%2E23%3A80",
        "%5B2a05%3Ad018%3A%3A1f%5D",
        "IP 172.19.44.23.5060 > 52.94.233.17.80: Flags [S]",
        "ec2-52-94-233-17.compute.amazonaws.com",
        "::172.19.44.23",
        "fe80::42:acff:fe13:2c17%eth0",
        "x-172-19-44-23.pod.cluster.local",
    };
    struct regex *regex = regex_new("19.{1,3}44|d018|94.233|acff", 0, NULL);
    struct regex_span span;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct redact_policy *policy = new_policy();
        char *out = redacted(policy, texts[i]);
        if (regex_match(regex, out, strlen(out), 0, &span, 1))
            fail_msg("'%s' became '%s'", texts[i], out);
        assert_int_equal(strcspn(out, "0123456789:"), strcspn(texts[i], "0123456789:"));
        free(out);
        redact_policy_free(policy);
    }
    regex_free(regex);
}

static void test_accounts_that_are_called_so(void **state)
{
    struct redact_policy *policy = new_policy();
    char plain[16];
    (void)state;
    char *out = redacted(policy,
                         "AWS account ID is 4815-1623-4299, not 1111-2222-3333\n"
                         "481516234299 and 4815-1623-4299 4815-1623-4299-1 14815-1623-4299");
    const char *second = strchr(out, '\n') + 1;
    assert_null(strstr(out, "is 4815-1623-4299"));
    assert_non_null(strstr(out, "not 1111-2222-3333"));
    assert_int_equal(sscanf(second, "%15s", plain), 1);
    assert_int_equal(strncmp(plain, "0000", 4), 0);
    char dashed[20];
    snprintf(dashed, sizeof dashed, "%.4s-%.4s-%.4s", plain, plain + 4, plain + 8);
    assert_non_null(strstr(second, dashed));
    assert_int_equal(strncmp(out + strlen("AWS account ID is "), dashed, 14), 0);
    assert_non_null(strstr(second, "4815-1623-4299-1 14815-1623-4299"));
    free(out);
    redact_policy_free(policy);
}

static void test_accounts(void **state)
{
    struct redact_policy *policy = new_policy();
    (void)state;
    char *out = redacted(policy, "arn:aws:sts::111122223333:assumed-role/app/s 111122223333 "
                                 "444455556666 111122223333.dkr.ecr.eu-west-1.amazonaws.com");
    assert_null(strstr(out, "111122223333"));
    assert_non_null(strstr(out, " 444455556666 ")); /* a number like any other */
    assert_non_null(strstr(out, "arn:aws:sts::0000"));
    free(out);
    out = redacted(policy,
                   "111122223333.signin.aws.amazon.com 111122223333web s3://web-111122223333/");
    assert_null(strstr(out, "1111"));
    free(out);
    redact_policy_free(policy);
}

static bool collect(void *user, const char *bytes, size_t len)
{
    buf_add(user, bytes, len);
    return true;
}

static void test_portions(void **state)
{
    static const size_t portions[] = {1 << 20, 4096, 977, 13, 1};
    struct redact_policy *policy = new_policy();
    struct buf text, first, out;
    (void)state;
    buf_init(&text, 1 << 21);
    buf_init(&first, 1 << 22);
    for (int i = 0; i < 6000; i++)
        buf_addf(&text, "%.*s{\"h\":\"a%d.acme%d.com\",\"ip\":\"10.1.%d.%d\"}%s", i % 40,
                 "fill fill fill fill fill fill fill fill ", i, i % 100, i % 250, i % 200,
                 i % 997 == 0 ? "\n" : ",");
    for (size_t i = 0; i < ARRAY_LEN(portions); i++) {
        buf_init(&out, 1 << 22);
        struct redact_stream *stream = redact_stream_new(policy, collect, &out);
        for (size_t at = 0; at < text.len; at += portions[i])
            redact_stream_feed(stream, text.data + at,
                               text.len - at < portions[i] ? text.len - at : portions[i]);
        assert_true(redact_stream_end(stream, NULL));
        redact_stream_free(stream);
        assert_null(strstr(buf_str(&out), "acme"));
        assert_null(strstr(buf_str(&out), "\"10.1."));
        if (i == 0)
            buf_add(&first, out.data, out.len);
        assert_string_equal(out.data, first.data);
        buf_release(&out);
    }
    buf_release(&first);
    buf_release(&text);
    redact_policy_free(policy);
}

/* Any bytes: nothing is read behind the end, nothing is lost that is no identity. */
static void test_any_bytes(void **state)
{
    static const char alphabet[] = "arn:aws::.-@/%\\\"nuf0123 com{}[]\n\t\xff";
    struct redact_policy *policy = new_policy();
    uint32_t seed = 7;
    (void)state;
    for (int i = 0; i < 20000; i++) {
        char text[64];
        size_t len = 1 + i % 60;
        for (size_t j = 0; j < len; j++) {
            seed = seed * 1664525 + 1013904223;
            text[j] = alphabet[(seed >> 16) % sizeof alphabet];
        }
        char *exact = xmalloc(len);
        memcpy(exact, text, len);
        struct buf out;
        buf_init(&out, 1 << 16);
        redact_text(&out, exact, len, policy, NULL);
        assert_true(out.len > 0);
        buf_release(&out);
        free(exact);
    }
    redact_policy_free(policy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_what_stays),
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_accounts),
        cmocka_unit_test(test_spellings),
        cmocka_unit_test(test_spellings_of_others),
        cmocka_unit_test(test_accounts_that_are_called_so),
        cmocka_unit_test(test_portions),
        cmocka_unit_test(test_any_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
