/* Secrets must go, whatever surrounds them and wherever a portion ends; everything else must
 * stay. */
#include "source/redact.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/json.h"

#define KEY_LINE "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj"

static struct redact_policy *policy; /* without any wish of the user */

static int make_policy(void **state)
{
    const struct redact_options options = {0};
    (void)state;
    policy = redact_policy_new(&options, NULL);
    return policy == NULL;
}

static int free_policy(void **state)
{
    (void)state;
    redact_policy_free(policy);
    return 0;
}

static char *redacted(const char *text)
{
    struct buf out;
    buf_init(&out, 1 << 26);
    redact_text(&out, text, strlen(text), policy, NULL);
    return buf_take(&out);
}

static void assert_redacts(const char *text, const char *expected)
{
    char *once = redacted(text);
    assert_string_equal(once, expected);
    char *twice = redacted(once);
    assert_string_equal(twice, expected);
    free(once);
    free(twice);
}

static void test_shapes(void **state)
{
    (void)state;
    assert_redacts("AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\nnext",
                   "AWS_SECRET_ACCESS_KEY=[redacted:aws-key]\nnext");
    assert_redacts("{\"SecretAccessKey\": \"wJalrXUtnFEMI/K7MDENG/bPxRfiCY\", \"x\": 1}",
                   "{\"SecretAccessKey\": \"[redacted:aws-key]\", \"x\": 1}");
    assert_redacts("authorization: Bearer abc.def-ghi\r\nhost: a",
                   "authorization: Bearer [redacted:authorization]\r\nhost: a");
    assert_redacts("'authorization', 'Basic dXNlcjpwYXNz'\n':path', '/'",
                   "'authorization', 'Basic [redacted:authorization]'\n':path', '/'");
    assert_redacts("Authorization: AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/2026, Signature=fe5f80",
                   "Authorization: AWS4-HMAC-SHA256 [redacted:authorization]");
    assert_redacts("x-amz-security-token: FwoGZXIvYXdzEXAMPLE\n",
                   "x-amz-security-token: [redacted:authorization]\n");
    assert_redacts("'cookie', 'session=abc; theme=dark'", "'cookie', '[redacted:authorization]'");
    assert_redacts("token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N, more",
                   "token [redacted:jwt], more");
    assert_redacts("connecting to postgres://app:s3cr3t@db:5432/x",
                   "connecting to postgres://app:[redacted:url-password]@db:5432/x");
    assert_redacts("DB_PASSWORD=hunter2 REDIS_TOKEN='a b' PLAIN=x",
                   "DB_PASSWORD=[redacted:password] REDIS_TOKEN='[redacted:password]' PLAIN=x");
    assert_redacts("{\"name\": \"DB_PASSWORD\", \"value\": \"hun\\\"ter\"}",
                   "{\"name\": \"DB_PASSWORD\", \"value\": \"[redacted:password]\"}");
    assert_redacts("- name: API_TOKEN\n  value: hunter2\n- name: A\n  value: b\n",
                   "- name: API_TOKEN\n  value: [redacted:password]\n- name: A\n  value: b\n");
    assert_redacts("{\"log\":\"DB_PASSWORD=hunter2\\n\",\"stream\":\"stdout\"}",
                   "{\"log\":\"DB_PASSWORD=[redacted:password]\\n\",\"stream\":\"stdout\"}");
    assert_redacts("{\"log\":\"{\\\"password\\\":\\\"x y\\\"}\"}",
                   "{\"log\":\"{\\\"password\\\":\\\"[redacted:password]\\\"}\"}");
}

#define RANDOM "q7Xw2LzP9vKd4RtY8mBc"
#define HEX    "9f86d081884c7d659a2feaa0c55ad015"
#define UUID   "b1946ac9-2ed2-4c1c-8f2e-0d4a1c7b9e11"

static void test_more_shapes(void **state)
{
    static const char *const rows[][2] = {
        {"X-Consul-Token: " UUID "\n", "X-Consul-Token: [redacted:authorization]\n"},
        {"consul members -token=" UUID " -x", "consul members -token=[redacted:password] -x"},
        {"CONSUL_HTTP_TOKEN=" UUID, "CONSUL_HTTP_TOKEN=[redacted:password]"},
        {"{\"AccessorID\": \"" UUID "\", \"SecretID\": \"" UUID "\"}",
         "{\"AccessorID\": \"" UUID "\", \"SecretID\": \"[redacted:password]\"}"},
        {"login with hvs.CAESIJ" RANDOM RANDOM " done", "login with [redacted:token] done"},
        {"got s.Ga5jyNq6kNfRMVQk2LY1j9iu ok", "got [redacted:token] ok"},
        {"ghp_16C7e42F292c6912E7710c838347Ae178B4a", "[redacted:token]"},
        {"xoxb-123456789012-1234567890123-abcdefgh", "[redacted:token]"},
        {"password: &pw hunter2\nother: *pw", "password: &pw [redacted:password]\nother: *pw"},
        {"password: |\n  hunter2 and more\nnext: 1", "password: |\n  [redacted:password]\nnext: 1"},
        {"token: |\n    -----BEGIN CERTIFICATE-----\n",
         "token: |\n    -----BEGIN CERTIFICATE-----\n"},
        {"https://b.s3.amazonaws.com/k?X-Amz-Credential=AKIA%2F2026&X-Amz-Signature=fe5f&a=1",
         "https://b.s3.amazonaws.com/"
         "k?X-Amz-Credential=[redacted:presigned-url]&X-Amz-Signature=[redacted:presigned-url]&a="
         "1"},
        {"?GoogleAccessId=a&Signature=abcd%3D&x",
         "?GoogleAccessId=a&Signature=[redacted:presigned-url]&x"},
        {"?sv=2020&amp;sig=abcd%3D\"", "?sv=2020&amp;sig=[redacted:presigned-url]\""},
        {"\"?a=1\\u0026X-Goog-Signature=abcd\"",
         "\"?a=1\\u0026X-Goog-Signature=[redacted:presigned-url]\""},
        {"\"password\": {\n  \"inline_string\": \"hunter2\"}",
         "\"password\": {\n  \"inline_string\": \"[redacted:password]\"}"},
        {"\"keys\": [{\"inline_bytes\": \"c2VjcmV0\"}]",
         "\"keys\": [{\"inline_bytes\": \"[redacted:password]\"}]"},
        {"machine h login me password hunter2", "machine h login me password [redacted:password]"},
        {"curl -s -u admin:hunter2 http://h", "curl -s -u admin:[redacted:password] http://h"},
        {"envoy:$apr1$x9$7vvvvvvvvvvvvvvvvvvvv1", "envoy:[redacted:password]"},
        {"signingKeyV2 = " RANDOM, "signingKeyV2 = [redacted:high-entropy]"},
        {"appCredentialBlob: \"" RANDOM "\"", "appCredentialBlob: \"[redacted:high-entropy]\""},
        {"webhookAuthValue=" HEX, "webhookAuthValue=[redacted:high-entropy]"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_redacts(rows[i][0], rows[i][1]);
}

/* A password may hold any character: it ends with its quotes or its line. */
static void test_whole_values(void **state)
{
    static const char *const rows[][2] = {
        {"{\"Env\":[\"DB_PASSWORD=Tr0ub4dor&3xyz\",\"A=b\"]}",
         "{\"Env\":[\"DB_PASSWORD=[redacted:password]\",\"A=b\"]}"},
        {"\"SMTP_PASSWORD=correct horse battery\"", "\"SMTP_PASSWORD=[redacted:password]\""},
        {"\"X_TOKEN=a\\\"b;c\"", "\"X_TOKEN=[redacted:password]\""},
        {"{\"log\":\"[\\\"API_TOKEN=x (y)\\\"]\"}",
         "{\"log\":\"[\\\"API_TOKEN=[redacted:password]\\\"]\"}"},
        {"A=1\nSMTP_PASSWORD=correct horse; x<y\nB=2\n",
         "A=1\nSMTP_PASSWORD=[redacted:password]\nB=2\n"},
        {"  - SMTP_PASSWORD=it's (me)\n", "  - SMTP_PASSWORD=[redacted:password]\n"},
        {"db:\n  password: correct horse (battery)\n  port: 1\n",
         "db:\n  password: [redacted:password]\n  port: 1\n"},
        {"      DB_PASSWORD:                  hunter2 and 3\n",
         "      DB_PASSWORD:                  [redacted:password]\n"},
        {"- header: {key: x-api-key, value: 9f2cA7}\n",
         "- header: {key: x-api-key, value: [redacted:authorization]}\n"},
        {"key: x-internal-auth\n  value: 9f2c77aa\n",
         "key: x-internal-auth\n  value: [redacted:authorization]\n"},
        {"{\"value\":\"Zx9!kf\",\"name\":\"DB_PASSWORD\"}",
         "{\"value\":\"[redacted:password]\",\"name\":\"DB_PASSWORD\"}"},
        {"{ name = \"DB_PASSWORD\", value = \"hunter2\" }",
         "{ name = \"DB_PASSWORD\", value = \"[redacted:password]\" }"},
        {"<db.password>hunter2</db.password>", "<db.password>[redacted:password]</db.password>"},
        {"<property name=\"password\" value=\"hun ter\"/>",
         "<property name=\"password\" value=\"[redacted:password]\"/>"},
        {"{\"Authorization\":[\"Bearer abc.def-ghi\"],\"A\":[\"b\"]}",
         "{\"Authorization\":[\"Bearer [redacted:authorization]\"],\"A\":[\"b\"]}"},
        {"[\"curl\",\"-u\",\"admin:hunter2\",\"http://x\"]",
         "[\"curl\",\"-u\",\"admin:[redacted:password]\",\"http://x\"]"},
        {"\"splunk-token\":\"" UUID "\"", "\"splunk-token\":\"[redacted:password]\""},
        {"dckr_pat_" RANDOM RANDOM, "[redacted:token]"},
        {"xapp-1-A0123456789-" RANDOM, "[redacted:token]"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_redacts(rows[i][0], rows[i][1]);
}

static void test_what_stays(void **state)
{
    static const char *const texts[] = {
        "StreamAggregatedResources gRPC config stream closed: 16, unauthenticated",
        "AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE region=us-west-2",
        "{\"secrets\":[{\"name\":\"DB_PASSWORD\",\"valueFrom\":\"arn:aws:ssm:eu-1:1:parameter/"
        "x\"}]}",
        "{\"name\":\"DB_PASSWORD\",\"value\":\"\"},{\"name\":\"B\",\"value\":\"c\"}",
        "{\"log\":\"DB_PASSWORD=\",\"stream\":\"stdout\"}",
        "\"valueFrom\":\"arn:aws:secretsmanager:eu-1:1:secret:prod/db-Ab:password:AWSCURRENT:\"",
        "{key: x-request-id, value: abcdef} {key: x-api-key, value: \"%REQ(x)%\"}",
        "DB_PASSWORD:  <set to the key 'password' in secret 'db'>  Optional: false\n",
        "CONSUL_TOKEN=${TOKEN} AWS_WEB_IDENTITY_TOKEN_FILE=/var/run/secrets/token",
        "http://127.0.0.1:9901/ready and mail@example.com",
        "-----BEGIN CERTIFICATE-----\n" KEY_LINE "\n-----END CERTIFICATE-----\n",
        "www-authenticate: Bearer realm=\"https://auth.docker.io/token\",service=\"registry\"",
        "\"cookie\": {\"name\": \"x\", \"ttl\": \"0s\"}",
        "{\"password\": \"[redacted]\", \"private_key\": {\"inline_string\": \"[redacted]\"}}",
        "image@sha256:" HEX HEX " config_hash=" HEX,
        "traceparent: 00-" HEX "-b7ad6b7169203331-01 x-b3-traceid: " HEX,
        "x-request-id: " UUID " x-amzn-trace-id: Root=1-67891233-abcdef012345678912345678",
        "\"key_sha256\": \"" HEX "\", \"publicKey\": \"" RANDOM "\"",
        "\"keyId\": \"" UUID "\", \"kmsKeyId\": \"" HEX "\"",
        "\"key\": \"" RANDOM "\", \"authority\": \"" RANDOM ".example.com\"",
        "\"allowed\": [\"x-auth-token\", \"x-request-id-extended\"]",
        "node id sidecar~10.0.0.1~web-7d9f8b6c5-x2x4z.shop~shop.svc.cluster.local",
        "\"version_info\": \"2026-11-21T07:50:12Z/" HEX "\", \"serial_number\": \"" HEX "\"",
        "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db-a1B2c3",
        "arn:aws:acm:eu-west-1:111122223333:certificate/" UUID,
        "secretName: web-tls-certificate-2026-production",
        "\"token_path\": \"/var/run/secrets/kubernetes.io/serviceaccount/token\"",
        "authorization_policy: allow-all-from-ingress-gateway-v2",
        "sds.default.key_rotation_failed: 0 http.ingress.jwt_authn.denied: 3",
        "",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        assert_redacts(texts[i], texts[i]);
}

static void test_private_keys(void **state)
{
    (void)state;
    assert_redacts("a\n-----BEGIN PRIVATE KEY-----\n" KEY_LINE "\n" KEY_LINE
                   "\nabc=\n-----END PRIVATE KEY-----\nb\n",
                   "a\n-----BEGIN PRIVATE KEY-----\n[redacted:private-key]\n\n"
                   "\n-----END PRIVATE KEY-----\nb\n");
    assert_redacts("{\"key\":\"-----BEGIN RSA PRIVATE KEY-----\\n" KEY_LINE
                   "\\nabc=\\n-----END RSA PRIVATE KEY-----\\n\",\"more\":1}",
                   "{\"key\":\"-----BEGIN RSA PRIVATE KEY-----\\n[redacted:private-key]"
                   "\\n\\n-----END RSA PRIVATE KEY-----\\n\",\"more\":1}");
    assert_redacts("{\"log\":\"-----BEGIN EC PRIVATE KEY-----\\n\"}\n{\"log\":\"" KEY_LINE
                   "\\n\"}\n",
                   "{\"log\":\"-----BEGIN EC PRIVATE KEY-----\\n\"}\n"
                   "{\"log\":\"[redacted:private-key]\\n\"}\n");
    assert_redacts("k: |\n  -----BEGIN PRIVATE KEY-----\n  " KEY_LINE
                   "\n  -----END PRIVATE KEY-----",
                   "k: |\n  -----BEGIN PRIVATE KEY-----\n  [redacted:private-key]\n"
                   "  -----END PRIVATE KEY-----");
    assert_redacts("tls.key: LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0tCk1JSUV2UUlCQURB\n",
                   "tls.key: [redacted:private-key]\n");
}

static void test_cut_key_does_not_swallow_the_log(void **state)
{
    struct buf text;
    (void)state;
    buf_init(&text, 1 << 20);
    buf_adds(&text, "-----BEGIN PRIVATE KEY-----\n" KEY_LINE "\n");
    for (int i = 0; i < 10; i++)
        buf_adds(&text, "[info] cds: add 1 cluster(s)\n");
    buf_adds(&text, "sha256 0123456789abcdef0123456789abcdef0123456789abcdef\n");
    char *out = redacted(buf_str(&text));
    assert_null(strstr(out, KEY_LINE));
    assert_non_null(strstr(out, "sha256 0123456789abcdef0123456789abcdef"));
    free(out);
    buf_release(&text);
}

struct collected {
    struct buf out;
};

static bool collect(void *user, const char *bytes, size_t len)
{
    buf_add(&((struct collected *)user)->out, bytes, len);
    return true;
}

static uint64_t run_stream(const struct buf *text, size_t portion, struct buf *out)
{
    struct collected collected;
    struct redact_counts counts;
    buf_init(&collected.out, 1 << 27);
    struct redact_stream *stream = redact_stream_new(policy, collect, &collected);
    for (size_t at = 0; at < text->len; at += portion) {
        size_t n = text->len - at < portion ? text->len - at : portion;
        assert_true(redact_stream_feed(stream, text->data + at, n));
    }
    assert_true(redact_stream_end(stream, &counts));
    redact_stream_free(stream);
    *out = collected.out;
    return counts.total;
}

static const char *const planted[] = {
    "\"password\":\"planted-one\"",
    "\"a\":\"postgres://app:planted-two@db\"",
    "\"h\":\"authorization: Bearer planted-three\"",
    "\"name\":\"X_TOKEN\",\"value\":\"planted-four\"",
    "\"k\":\"-----BEGIN PRIVATE KEY-----\\n" KEY_LINE "\\n" KEY_LINE
    "\\n-----END PRIVATE KEY-----\\n\"",
};

/* One line of JSON, with secrets at ever other distances from the borders of windows. */
static void make_line(struct buf *text, int count)
{
    buf_init(text, 1 << 26);
    buf_adds(text, "{");
    for (int i = 0; i < count; i++) {
        buf_addf(text, "\"n%d\":\"", i);
        for (int j = 0; j < (i * 37) % 997; j++)
            buf_adds(text, "fill ");
        buf_addf(text, "\",\"o%d\":{%s},", i, planted[i % (int)ARRAY_LEN(planted)]);
    }
    buf_adds(text, "\"end\":true}");
    assert_false(text->overflow);
}

static void test_across_borders(void **state)
{
    enum { COUNT = 1500 };
    static const size_t portions[] = {1 << 20, 4096, 977, 13};
    struct buf text, first = {0};
    (void)state;
    make_line(&text, COUNT);
    for (size_t i = 0; i < ARRAY_LEN(portions); i++) {
        struct buf out;
        assert_int_equal(run_stream(&text, portions[i], &out), COUNT);
        assert_null(strstr(out.data, "planted-"));
        assert_null(strstr(out.data, KEY_LINE));
        cJSON *tree = json_parse(out.data, out.len, NULL);
        assert_non_null(tree);
        cJSON_Delete(tree);
        if (i == 0) {
            first = out;
            continue;
        }
        assert_int_equal(out.len, first.len);
        assert_memory_equal(out.data, first.data, out.len);
        buf_release(&out);
    }
    struct buf again;
    assert_int_equal(run_stream(&first, 1 << 16, &again), 0);
    assert_memory_equal(again.data, first.data, first.len);
    buf_release(&again);
    buf_release(&first);
    buf_release(&text);
}

/* One announcement within another: no secret may pass because another one came first. */
static void test_overlaps(void **state)
{
    (void)state;
    assert_redacts("access_token: password: hunter2",
                   "access_token: [redacted:password] [redacted:password]");
    assert_redacts("client_secret=-----BEGIN PRIVATE KEY-----\n" KEY_LINE "\na b",
                   "client_secret=-----BEGIN PRIVATE KEY-----\n[redacted:private-key]\na b");
    assert_redacts("http://eyJhbGciOiJ.eyJzdWIiOiI.abcd:p@h",
                   "http://[redacted:jwt]:[redacted:url-password]@h");
    assert_redacts("http://h?x=1&sig=us:er@word rest",
                   "http://h?x=1&sig=[redacted:presigned-url] rest");
    assert_redacts("{\"log\":\"password:\\nnext\"}", "{\"log\":\"password:\\nnext\"}");
}

static void test_endless_secret(void **state)
{
    struct buf text, out;
    (void)state;
    buf_init(&text, 1 << 22);
    buf_adds(&text, "A_PASSWORD=");
    for (int i = 0; i < 1 << 20; i++)
        buf_addch(&text, 'x');
    buf_adds(&text, "\nnext line\n");
    assert_int_equal(run_stream(&text, 5000, &out), 1);
    assert_string_equal(out.data, "A_PASSWORD=[redacted:password]\nnext line\n");
    buf_release(&out);
    buf_release(&text);
}

static void test_counts_by_kind(void **state)
{
    static const char text[] = "http://a:b@c http://d:e@f DB_PASSWORD=x";
    struct redact_counts counts;
    struct buf out;
    (void)state;
    buf_init(&out, 1000);
    redact_text(&out, text, strlen(text), policy, &counts);
    assert_int_equal(counts.total, 3);
    for (size_t i = 0; redact_kind(policy, i); i++) {
        bool url = strcmp(redact_kind(policy, i), "url-password") == 0;
        bool password = strcmp(redact_kind(policy, i), "password") == 0;
        assert_int_equal(counts.by_kind[i], url ? 2 : password ? 1 : 0);
    }
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_more_shapes),
        cmocka_unit_test(test_whole_values),
        cmocka_unit_test(test_what_stays),
        cmocka_unit_test(test_private_keys),
        cmocka_unit_test(test_cut_key_does_not_swallow_the_log),
        cmocka_unit_test(test_across_borders),
        cmocka_unit_test(test_overlaps),
        cmocka_unit_test(test_endless_secret),
        cmocka_unit_test(test_counts_by_kind),
    };
    return cmocka_run_group_tests(tests, make_policy, free_policy);
}
