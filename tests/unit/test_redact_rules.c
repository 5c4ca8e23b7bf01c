/* Shapes that secrets come in, tool by tool, and evidence that looks like them. Each is looked at alone and
 * behind much text, where a coarse look comes first. */
#include "source/redact.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"

#define PW     "[redacted:password]"
#define AUTH   "[redacted:authorization]"
#define SECRET "[redacted:secret]"
#define URL    "[redacted:url-password]"
#define TOKEN  "[redacted:token]"
#define SIGNED "[redacted:presigned-url]"

static struct redact_policy *policy;
static struct buf filler;

static int set_up(void **state)
{
    const struct redact_options options = {0};
    (void)state;
    policy = redact_policy_new(&options, NULL);
    buf_init(&filler, 1 << 17);
    while (filler.len < 40000)
        buf_adds(&filler, "a line of a healthy log that says nothing at all\n");
    return policy == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    buf_release(&filler);
    redact_policy_free(policy);
    return 0;
}

static void assert_becomes(const char *text, size_t before, const char *expected)
{
    struct buf in, out;
    buf_init(&in, 1 << 20);
    buf_init(&out, 1 << 20);
    buf_add(&in, filler.data, before);
    buf_adds(&in, text);
    redact_text(&out, in.data, in.len, policy, NULL);
    assert_string_equal(buf_str(&out) + before, expected);
    buf_release(&in);
    buf_release(&out);
}

static void assert_redacts(const char *text, const char *expected)
{
    assert_becomes(text, 0, expected);
    assert_becomes(text, filler.len, expected);
    assert_becomes(expected, 0, expected);
}

#define CHECK_ROWS(rows)                                                                           \
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)                                                   \
    assert_redacts((rows)[i][0], (rows)[i][1])

static void test_envoy(void **state)
{
    static const char *const rows[][2] = {
        {"session_ticket_keys:\n  keys:\n  - inline_string: abc1\n  - inline_string: abc2\n  - "
         "inline_string: \"abc3\"\n",
         "session_ticket_keys:\n  keys:\n  - inline_string: " PW "\n  - inline_string: " PW
         "\n  - inline_string: \"" PW "\"\n"},
        {"\"keys\": [\n {\n \"inline_bytes\": \"c2Vj\"\n },\n {\n \"inline_bytes\": \"cmV0\"\n }]",
         "\"keys\": [\n {\n \"inline_bytes\": \"" PW "\"\n },\n {\n \"inline_bytes\": \"" PW
         "\"\n }]"},
        {"\"generic_secret\": {\"secrets\": {\"api\": {\"inline_string\": \"a b\"}, \"web\": "
         "{\"inline_string\": \"cd\"}}}",
         "\"generic_secret\": {\"secrets\": {\"api\": {\"inline_string\": \"" PW
         "\"}, \"web\": {\"inline_string\": \"" PW "\"}}}"},
        {"generic_secret:\n  secrets:\n    api:\n      inline_string: abc\n    b:\n      "
         "inline_string: 'def'\n",
         "generic_secret:\n  secrets:\n    api:\n      inline_string: " PW
         "\n    b:\n      inline_string: '" PW "'\n"},
        {"\"pkcs12\": {\"inline_bytes\": \"MIIJ\"}, \"password\": {\"inline_string\": \"x\"}",
         "\"pkcs12\": {\"inline_bytes\": \"" PW "\"}, \"password\": {\"inline_string\": \"" PW
         "\"}"},
        {"\"local_jwks\": {\"inline_string\": "
         "\"{\\\"keys\\\":[{\\\"kty\\\":\\\"oct\\\",\\\"kid\\\":"
         "\\\"a\\\",\\\"k\\\":\\\"c2VjcmV0\\\"}]}\"}",
         "\"local_jwks\": {\"inline_string\": "
         "\"{\\\"keys\\\":[{\\\"kty\\\":\\\"oct\\\",\\\"kid\\\":"
         "\\\"a\\\",\\\"k\\\":\\\"" SECRET "\\\"}]}\"}"},
        {"inline_string: '{\"keys\":[{\"k\":\"c2VjcmV0\",\"kty\":\"oct\"}]}'",
         "inline_string: '{\"keys\":[{\"k\":\"" SECRET "\",\"kty\":\"oct\"}]}'"},
        {"{\"kty\":\"EC\",\"x\":\"0123456789012345678901234567890123456789abc\",\"d\":"
         "\"0123456789012345678901234567890123456789abc\"}",
         "{\"kty\":\"EC\",\"x\":\"0123456789012345678901234567890123456789abc\",\"d\":\"" SECRET
         "\"}"},
    };
    (void)state;
    CHECK_ROWS(rows);
}

static void test_headers(void **state)
{
    static const char *const rows[][2] = {
        {"key: Authorization\n  value: \"Bearer short\"\n",
         "key: Authorization\n  value: \"Bearer " AUTH "\"\n"},
        {"key: \"Cookie\"\n  value: 'sid=1'\n", "key: \"Cookie\"\n  value: '" AUTH "'\n"},
        {"{\"key\": \"Authorization\", \"value\": \"short\"}",
         "{\"key\": \"Authorization\", \"value\": \"" AUTH "\"}"},
        {"{\"key\": \"cookie\",\n \"value\": \"short\"}",
         "{\"key\": \"cookie\",\n \"value\": \"" AUTH "\"}"},
        {"request_handle:headers():add(\"x-api-key\",\"ab c\")",
         "request_handle:headers():add(\"x-api-key\",\"" AUTH "\")"},
        {"headers():replace(\\\"authorization\\\", \\\"Basic eHg=\\\")",
         "headers():replace(\\\"authorization\\\", \\\"Basic " AUTH "\\\")"},
        {"headers:\n- name: x-api-key\n  string_match:\n    exact: hunter2\n",
         "headers:\n- name: x-api-key\n  string_match:\n    exact: " AUTH "\n"},
        {"- name: \"x-api-key\"\n  string_match: {exact: \"hun ter\"}\n",
         "- name: \"x-api-key\"\n  string_match: {exact: \"" AUTH "\"}\n"},
        {"{\"name\": \"x-api-key\", \"string_match\": {\"exact\": \"hunter2\"}}",
         "{\"name\": \"x-api-key\", \"string_match\": {\"exact\": \"" AUTH "\"}}"},
        {"{\"name\": \"cookie\", \"exact_match\": \"a=b\"}",
         "{\"name\": \"cookie\", \"exact_match\": \"" AUTH "\"}"},
        {"map[Accept:[*/*] Authorization:[Bearer abc] Cookie:[sid=1; a] Host:[x]]",
         "map[Accept:[*/*] Authorization:[Bearer " AUTH "] Cookie:[" AUTH "] Host:[x]]"},
        {"\"password\":[\"x\"],\"a\":[\"b\"]", "\"password\":[\"" PW "\"],\"a\":[\"b\"]"},
        {"\"X-Api-Key\":[\"x\",\"yz\"]", "\"X-Api-Key\":[\"" AUTH "\"]"},
        {"PRIVATE-TOKEN: abc1\n", "PRIVATE-TOKEN: " AUTH "\n"},
        {"'api-key','Xy1'", "'api-key','" AUTH "'"},
    };
    (void)state;
    CHECK_ROWS(rows);
}

static void test_short_values(void **state)
{
    static const char *const rows[][2] = {
        {"users:\n- user:\n    token: x\n", "users:\n- user:\n    token: " PW "\n"},
        {"SECRET=hunter2\n", "SECRET=" PW "\n"},
        {"{\"secret\":\"x\",\"token\": \"y\"}", "{\"secret\":\"" PW "\",\"token\": \"" PW "\"}"},
        {"db_pass=hunter2 x=1", "db_pass=" PW " x=1"},
        {"{\"dbPass\":\"h\"}", "{\"dbPass\":\"" PW "\"}"},
        {"dbPass: hunter2\n", "dbPass: " PW "\n"},
        {"h1 ansible_user=a ansible_ssh_pass=hunter2 b=c",
         "h1 ansible_user=a ansible_ssh_pass=" PW " b=c"},
        {"Server=db;User Id=sa;Pwd=x;Timeout=3", "Server=db;User Id=sa;Pwd=" PW ";Timeout=3"},
        {"host=db user=app pass=x sslmode=off", "host=db user=app pass=" PW " sslmode=off"},
        {"DB_PASSWORD,hunter2\nA,b\n", "DB_PASSWORD," PW "\nA,b\n"},
        {"auth_token = \"ab\"\n", "auth_token = \"" PW "\"\n"},
        {"got token=abc123 x", "got token=" PW " x"},
        {"{'password': 'x', 'a': 'b'}", "{'password': '" PW "', 'a': 'b'}"},
        {"Endpoint=sb://x/;SharedAccessKeyName=Root;SharedAccessKey=a/b+c=;",
         "Endpoint=sb://x/;SharedAccessKeyName=Root;SharedAccessKey=" PW ";"},
        {"REDIS_AUTH=hunter2", "REDIS_AUTH=" PW},
        {"ENCRYPTION_KEY=supersecret", "ENCRYPTION_KEY=" PW},
    };
    (void)state;
    CHECK_ROWS(rows);
}

static void test_urls(void **state)
{
    static const char *const rows[][2] = {
        {"postgres://app:p@ss@db:5432/x", "postgres://app:" URL "@db:5432/x"},
        {"postgres://app:p/s?s@db:5432/x", "postgres://app:" URL "@db:5432/x"},
        {"dsn app:pw@tcp(db:3306)/x", "dsn app:" URL "@tcp(db:3306)/x"},
        {"jdbc:oracle:thin:scott/tiger@db:1521/x", "jdbc:oracle:thin:scott/" URL "@db:1521/x"},
        {"https://x-access-token:ghs_abcdefghijklmnopqrstuvwxyz0123456789@github.com/a",
         "https://x-access-token:" URL "@github.com/a"},
        {"https://discord.com/api/webhooks/123/aB-c_d", "https://discord.com/api/webhooks/" TOKEN},
        {"https://x.webhook.office.com/webhookb2/a@b/IncomingWebhook/c/d",
         "https://x.webhook.office.com/webhookb2/" TOKEN},
        {"https://p.logic.azure.com:443/workflows/a/triggers/m/paths/invoke?sv=1.0&sig=ab_c-d",
         "https://p.logic.azure.com:443/workflows/a/triggers/m/paths/invoke?sv=1.0&sig=" SIGNED},
        {"q=%7B%22password%22%3A%22x%22%7D", "q=%7B%22password%22%3A%22" PW "%22%7D"},
        {"q=%257B%2522token%2522%253A%2520%2522x%2522%257D",
         "q=%257B%2522token%2522%253A%2520%2522" PW "%2522%257D"},
        {"GET /a?sid=aB3&pw=x HTTP/1.1", "GET /a?sid=" PW "&pw=" PW " HTTP/1.1"},
        {"\"UserData\": \"IyEvYmluL2Jhc2g=\"", "\"UserData\": \"" SECRET "\""},
        {"\"UserData\": {\n  \"Value\": \"IyEvYmluL2Jhc2g=\"",
         "\"UserData\": {\n  \"Value\": \"" SECRET "\""},
    };
    (void)state;
    CHECK_ROWS(rows);
}

static void test_commands(void **state)
{
    static const char *const rows[][2] = {
        {"curl -sSu a:b http://x", "curl -sSu a:" PW " http://x"},
        {"curl --proxy-user a:b http://x", "curl --proxy-user a:" PW " http://x"},
        {"curl -x p -U a:b http://x", "curl -x p -U a:" PW " http://x"},
        {"curl -s \\\n  -u 'a:b c' x", "curl -s \\\n  -u 'a:" PW "' x"},
        {"mysql -uroot -phunter2 db", "mysql -uroot -p" PW " db"},
        {"mysqldump -p'hun ter' db", "mysqldump -p'" PW "' db"},
        {"redis-cli -h r -a x ping", "redis-cli -h r -a " PW " ping"},
        {"[\"redis-cli\", \"-a\", \"x\"]", "[\"redis-cli\", \"-a\", \"" PW "\"]"},
        {"sshpass -p x ssh h", "sshpass -p " PW " ssh h"},
        {"sshpass -px ssh h", "sshpass -p" PW " ssh h"},
        {"docker login -u a -p x r", "docker login -u a -p " PW " r"},
        {"redis-server --requirepass x", "redis-server --requirepass " PW},
        {"[\"--requirepass\",\"x\"]", "[\"--requirepass\",\"" PW "\"]"},
        {"requirepass x\nmasterauth y\n", "requirepass " PW "\nmasterauth " PW "\n"},
        {"etcdctl --user root:x get a", "etcdctl --user root:" PW " get a"},
        {"kubectl create secret generic s --from-literal=pw=x --from-literal='a=b c'",
         "kubectl create secret generic s --from-literal=pw=" PW " --from-literal='a=" PW "'"},
        {"openssl pkcs12 -in a -passin pass:x", "openssl pkcs12 -in a -passin pass:" PW},
        {"aws configure set aws_secret_access_key x/y",
         "aws configure set aws_secret_access_key [redacted:aws-key]"},
        {"setx NAME_SECRET x", "setx NAME_SECRET " PW},
        {"CREATE USER a WITH PASSWORD 'x y'", "CREATE USER a WITH PASSWORD '" PW "'"},
        {"IDENTIFIED BY 'x;y'", "IDENTIFIED BY '" PW "'"},
        {"IDENTIFIED WITH sha2 BY \"x\"", "IDENTIFIED WITH sha2 BY \"" PW "\""},
        {"app --password x --next", "app --password " PW " --next"},
    };
    (void)state;
    CHECK_ROWS(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_envoy),        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_short_values), cmocka_unit_test(test_urls),
        cmocka_unit_test(test_commands),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
