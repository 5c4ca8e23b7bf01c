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

static char *redacted(const char *text, size_t before)
{
    struct buf in, out;
    buf_init(&in, 1 << 20);
    buf_init(&out, 1 << 20);
    buf_add(&in, filler.data, before);
    buf_adds(&in, text);
    redact_text(&out, in.data, in.len, policy, NULL);
    buf_release(&in);
    return buf_take(&out);
}

static void assert_becomes(const char *text, size_t before, const char *expected)
{
    char *out = redacted(text, before);
    assert_string_equal(out + before, expected);
    free(out);
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

#define STAMP "2026-11-21T07:59:00.123456789Z"

/* What operators hold, with hUnt3r for the secret. */
static const char *const leaky[] = {
    "Environment=\"DB_PASSWORD=hUnt3r er\"",
    "Environment='DB_PASS=hUnt3r er'",
    "      DB_PASS:           hUnt3r",
    "master_password    = \"hUnt3r\"",
    "  password = var.hUnt3r1",
    "//registry.npmjs.org/:_authToken=hUnt3r",
    "_password=hUnt3r",
    "java -Djavax.net.ssl.keyStorePassword=hUnt3r -Dspring.datasource.password=hUnt3r -jar x",
    "spring.datasource.password=hUnt3r",
    "'password' => 'hUnt3r',",
    ":password => \"hUnt3r\"",
    "Authorization=Basic hUnt3r",
    "Proxy-Authorization: Basic hUnt3raGVsbG8=",
    "<add key=\"DbPassword\" value=\"hUnt3r\"/>",
    "<Password>hUnt3r</Password>",
    "{\"password\": \"hUnt3r\"}",
    "{\"log\":\"{\\\"dbPass\\\":\\\"hUnt3r\\\"}\\n\"}",
    "export TOKEN=hUnt3r",
    "set TOKEN=hUnt3r",
    "$env:API_TOKEN = \"hUnt3r\"",
    "ENV DB_PASSWORD hUnt3r",
    "ENV DB_PASSWORD=hUnt3r",
    "docker run -e DB_PASSWORD=hUnt3r -e X_TOKEN=\"hUnt3r x\" img",
    "docker run -e \"DB_PASS=hUnt3r y\" img",
    "kubectl create secret docker-registry r --docker-password=hUnt3r --docker-username=a",
    "psql \"host=db user=a password=hUnt3r dbname=x\"",
    "psql \"host=db user=a password='hUnt3r a' dbname=x\"",
    "{\"apiKey\":\"hUnt3r\",\"api-key\":\"hUnt3r\",\"api_key\": \"hUnt3r\"}",
    "X-Api-Key: hUnt3r1",
    "-H \"X-Api-Key: hUnt3r1\"",
    "-H 'Authorization: Bearer hUnt3r'",
    "-H 'Authorization: hUnt3r1hUnt3r1hUnt3r1hUnt3r1'",
    "-H \"PRIVATE-TOKEN: hUnt3r1\"",
    "--header=\"Cookie: sid=hUnt3r\"",
    "curl -uadmin:hUnt3r http://x",
    "curl --user=admin:hUnt3r http://x",
    "curl -k --user \"admin:hUnt3r x\" http://x",
    "wget --http-password=hUnt3r --user=a http://x",
    "wget --password hUnt3r",
    "mysql --password=hUnt3r",
    "mysql -u root --password=\"hUnt3r x\"",
    "mongosh -u a -p hUnt3r",
    "helm registry login -u a -p hUnt3r r",
    "etcdctl --user=root:hUnt3r get a",
    "vault login hUnt3r",
    "redis-cli AUTH hUnt3r",
    "{\"secretKey\":\"hUnt3r\",\"accessKey\":\"minio\"}",
    "client_secret: \"hUnt3r\"",
    "clientSecret=hUnt3r",
    "GET /a?api_key=hUnt3r&x=1",
    "GET /a?apikey=hUnt3r&x=1",
    "GET /a?access_token=hUnt3r",
    "POST body=username=a&password=hUnt3r&x=1",
    "user=a;password=hUnt3r;x",
    "{\"credentials\":{\"username\":\"a\",\"password\":\"hUnt3r\"}}",
    "\"authorization\": \"hUnt3r1\"",
    "{\"key\":\"x-api-key\",\"raw_value\":\"hUnt3r\"}",
    "{\"header\":{\"key\":\"authorization\",\"value\":\"Bearer "
    "hUnt3r\"},\"append_action\":\"X\"}",
    "- header: {key: \"authorization\", value: \"Bearer hUnt3r\"}",
    "- header:\n    key: Cookie\n    value: hUnt3r\n",
    "{\"header\":{\"value\":\"hUnt3r\",\"key\":\"authorization\"}}",
    "{\"name\":\"x-api-key\",\"exact_match\":\"hUnt3r\"}",
    "{\"name\":\"x-api-key\",\"stringMatch\":{\"exact\":\"hUnt3r\"}}",
    "{\"name\":\"x-api-key\",\"string_match\":{\"safe_regex\":{\"google_re2\":{},\"regex\":"
    "\"hUnt3r\"}}}",
    "x-api-key:\n  exact: hUnt3r\n",
    "{\"x-api-key\":{\"exact\":\"hUnt3r\"}}",
    "map[X-Api-Key:[hUnt3r a b] Z:[x]]",
    "map[password:hUnt3r user:a]",
    "&{User:a Password:hUnt3r Host:h}",
    "{User:a Token:hUnt3r1}",
    "Password=\"hUnt3r\"",
    "level=info msg=\"login\" password=hUnt3r user=a",
    "level=info secret=\"hUnt3r x\" user=a",
    "mongodb://u:hU/nt3r@h:27017/x",
    "mongodb://u:hU@nt3r@h1,h2/x",
    "amqp://u:hUnt3r@h:5672",
    "postgresql://u:hUnt3r#x@h/d",
    "redis://:hUnt3r@h:6379",
    "jdbc:oracle:thin:u/hUnt3r@//h:1521/s",
    "jdbc:mysql://h/db?user=a&password=hUnt3r",
    "jdbc:sqlserver://h;user=a;password=hUnt3r;x",
    "u:hUnt3r@tcp(h)/d",
    "\"app:hU/nt3r@unix(/s)/d\"",
    "SharedAccessKey=hUnt3r/+=",
    "sv=1&sig=hUnt3r%2B%3D",
    "https://hooks.slack.com/workflows/hUnt3r/x",
    "https://discordapp.com/api/webhooks/1/hUnt3r",
    "https://api.telegram.org/bot1:hUnt3r/x",
    "{\"UserData\":{\"Value\":\"hUnt3raGVsbG8=\"}}",
    "user_data = \"hUnt3raGVsbG8hUnt3raGVsbG8a\"",
    "UserData: hUnt3raGVsbG8hUnt3raGVsbG8a==",
    "%7B%22pw%22%3A%22hUnt3r%22%7D",
    "password%3DhUnt3r%26x%3D1",
    "ansible_become_pass: hUnt3r",
    "ansible_password=hUnt3r",
    "\"DB_PASSWORD\",\"hUnt3r\"",
    "DB_PASSWORD|hUnt3r",
    "DB_PASSWORD\thUnt3r",
    "openssl rsa -passout pass:hUnt3r -in a",
    "openssl enc -pass pass:hUnt3r",
    "ALTER USER a IDENTIFIED BY \"hUnt3r\";",
    "ALTER ROLE a WITH ENCRYPTED PASSWORD 'hUnt3r';",
    "setx /M DB_SECRET \"hUnt3r\"",
    "aws configure set aws_session_token hUnt3r",
    "[\"mysql\",\"-phUnt3r\"]",
    "[\"redis-cli\",\"-a\",\"hUnt3r\"]",
    "- redis-cli\n- -a\n- hUnt3r\n",
    "- --requirepass\n- hUnt3r\n",
    "[\"--password\",\"hUnt3r\"]",
    "args: [\"--api-key=hUnt3r\"]",
    "\"token\":\n   \"hUnt3r\"",
    "{\"kty\":\"oct\",\"kid\":\"x\",\"k\":\"hUnt3r\"}",
    "generic_secret: {secret: {inline_string: hUnt3r}}",
    "generic_secret: {secrets: {a: {inline_string: \"hUnt3r\"}}}",
    "\"session_ticket_keys\": {\"keys\": [{\"inline_string\": \"hUnt3r\"},{\"inline_string\": "
    "\"hUnt3r\"},{\"inline_string\": \"hUnt3r\"}]}",
    "pkcs12: {inline_bytes: hUnt3r}",
    "password: {inline_string: hUnt3r}",
};

static void test_nothing_is_left(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(leaky); i++)
        for (size_t before = 0; before <= filler.len; before += filler.len) {
            char *out = redacted(leaky[i], before);
            if (strstr(out, "hU"))
                fail_msg("%s becomes %s", leaky[i], out + before);
            free(out);
        }
}

/* Evidence that looks like secrets, and without which a report is worth nothing. */
static const char *const evidence[] = {
    "SERVER_KEY=/app/k.pem",
    "FEATURE_AUTH=enabled",
    "ENABLE_AUTH=1",
    "REQUIRE_AUTH=true MTLS_AUTH=false",
    "KAFKA_PARTITION_KEY=user_id",
    "SERVICE_AUTH=http://authz:8080",
    "EXT_AUTH=authz.shop.svc:9191",
    "AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE",
    "ACCESS_KEY=AKIAIOSFODNN7EXAMPLE",
    "AWS_ACCESS_KEY=ASIAIOSFODNN7EXAMPLE",
    "\"IdempotencyToken\": \"5f3c1d2e-8a7b-4c6d-9e0f-1a2b3c4d5e6f\"",
    "\"ClientToken\": \"5f3c1d2e8a7b4c6d9e0f1a2b3c4d5e6f\"",
    "\"NextToken\": \"eyJfoo5f3c1d2e8a7b4c6d9e0f1a2b3c4d5e6f\"",
    "\"subject_key_identifier\": \"5F3C1D2E8A7B4C6D9E0F1A2B3C4D5E6F5F3C1D2E\"",
    "\"authority_key_identifier\": \"5F:3C:1D:2E\"",
    "\"token_sha\": \"5f3c1d2e8a7b4c6d9e0f1a2b3c4d5e6f\"",
    "\"secret_sha256\": \"9f86d081884c7d659a2feaa0c55ad0159f86d081884c7d659a2feaa0c55ad015\"",
    "private_key: /etc/envoy/tls/tls.key",
    "\"private_key\": {\"filename\": \"/etc/certs/key.pem\"}",
    "{\"name\": \"DB_PASSWORD\", \"valueFrom\": "
    "\"arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db-a1B2c3:password::\"}",
    "{\"name\":\"API_TOKEN\",\"valueFrom\":\"/prod/api-token\"}",
    "token: ${VAULT_TOKEN}",
    "password: \"$DB_PASSWORD\"",
    "password: <set-me>",
    "password: '***'",
    "- name: DB_PASSWORD\n  valueFrom:\n    secretKeyRef:\n      name: db\n      key: password",
    "existingSecret: web-credentials",
    "imagePullSecret: regcred-1",
    "\"tlsSecret\": \"web-tls-2026\"",
    "\"token_type\": \"Bearer\"",
    "spiffe://cluster.local/ns/shop/sa/token-service",
    "\"exact\": \"spiffe://td/ns/a/sa/secret\"",
    "http://host:8080/path?email=a@b.com",
    "http://10.0.0.1:9901/clusters?format=json&token_bucket=1",
    "docker-pullable://"
    "nginx:1.25@sha256:9f86d081884c7d659a2feaa0c55ad0159f86d081884c7d659a2feaa0c55ad015",
    "outlier_detection: {consecutive_5xx: 5} key: x-request-id",
    "{\"key\": \"x-envoy-upstream-service-time\", \"value\": \"12\"}",
    "{\"name\": \":authority\", \"string_match\": {\"exact\": \"shop.example.com\"}}",
    "- name: x-user-group\n  string_match:\n    exact: beta",
    "{\"name\": \"authorization\", \"present_match\": true}",
    "{\"name\": \"cookie\", \"ttl\": \"0s\", \"path\": \"/\"}",
    "JWT verification fails: Jwt is missing",
    "\"private_key_provider\": {\"provider_name\": \"cryptomb\"}",
    "sds.token.update_success: 3",
    "cluster.secret.upstream_cx_total: 12",
    "\"max_tokens\": 100, \"tokens_per_fill\": 10",
    "failed to fetch token: connection refused",
    "error reading secret: permission denied",
    "unexpected token: '}' at line 3",
    "\"secrets\": [{\"name\": \"web\", \"mount\": \"/run/secrets/web\"}]",
    "curl -s -o /dev/null http://localhost:9901/stats",
    "curl --cacert ca.pem --user-agent \"envoy: test\" http://x",
    "mysql -h db -P 3306 -u root",
    "docker run -p 8080:80 --user 1000:1000 nginx",
    "kubectl login required",
    "ssh -p 2222 host",
    "PATH=/usr/bin PWD=/root HOME=/root",
    "PASS=12 FAIL=0",
    "test bypass=true compass=north",
    "<token>true</token>",
    "\"inline_bytes\": \"LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t\"",
    "\"text_format_source\": {\"inline_string\": \"%REQ(X-API-KEY)% [%START_TIME%]\"}",
    "x-api-key=%REQ(X-API-KEY)%",
    "\"default_source_code\": {\"inline_string\": \"function envoy_on_request(h) end\"}",
    "\"body\": {\"inline_string\": \"maintenance\"}",
    "\"kty\":\"RSA\",\"kid\":\"abc\",\"n\":"
    "\"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc\""
    ",\"e\":\"AQAB\"",
    "\"k\": \"v\", \"d\": \"s\", \"p\": 99",
    "DB_PASSWORD,DB_USER,API_TOKEN\n",
    "[\"x-auth-token\",\"x-request-id\",\"authorization\"]",
    "response_flags=UAEX auth=denied token=expired",
    "secret=default/web-tls not found",
    "\"kmsKeyId\": \"alias/app\", \"SSEKMSKeyId\": \"1234abcd-12ab-34cd-56ef-1234567890ab\"",
    "licenseKeyFile: /opt/license",
    "www-authenticate: Basic realm=\"x\"",
    "access_token: missing",
    "\"hash_key\": \"sha256-abcdef\"",
    "%22name%22%3A%22token-service%22",
    "?page=2&sidebar=on&keyword=abc",
    "\"Token\": null, \"password\": \"\", \"secret\": true",
    "\"publicKey\": \"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE5f3c1d2e\"",
    "[2026-11-21 07:59:00.000][1][info][main] [source/server/server.cc:430]   "
    "envoy.http.credential_injector: envoy.http.injected_credentials.generic, "
    "envoy.http.injected_credentials.oauth2",
    "authenticate with basic auth: user a",
    "node: pod-template-hash=7d9f8b6c5,app=token-service",
};

static void test_evidence_stays(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(evidence); i++)
        assert_redacts(evidence[i], evidence[i]);
}

static void test_split_records(void **state)
{
    static const char *const rows[][2] = {
        {STAMP " stderr P {\"password\":\"hun\n" STAMP " stderr F ter 2\",\"a\":1}\n",
         STAMP " stderr P {\"password\":\"" PW "\n" STAMP " stderr F \",\"a\":1}\n"},
        {STAMP " stdout P saw DB_PASSWORD=hun\n" STAMP " stdout P ter\n" STAMP
               " stdout F 2 and more\n" STAMP " stdout F next\n",
         STAMP " stdout P saw DB_PASSWORD=" PW "\n" STAMP " stdout P \n" STAMP
               " stdout F  and more\n" STAMP " stdout F next\n"},
        {STAMP " stdout F saw DB_PASSWORD=hun\n" STAMP " stdout F next\n",
         STAMP " stdout F saw DB_PASSWORD=" PW "\n" STAMP " stdout F next\n"},
        {"{\"log\":\"{\\\"password\\\":\\\"hun\",\"stream\":\"stderr\",\"time\":\"" STAMP
         "\"}\n{\"log\":\"ter 2\\\",\\\"a\\\":1}\\n\",\"stream\":\"stderr\"}\n",
         "{\"log\":\"{\\\"password\\\":\\\"" PW "\",\"stream\":\"stderr\",\"time\":\"" STAMP
         "\"}\n{\"log\":\"\\\",\\\"a\\\":1}\\n\",\"stream\":\"stderr\"}\n"},
    };
    (void)state;
    CHECK_ROWS(rows);
}

/* Of the size that runtimes cut at, over the borders of windows. */
static void test_long_split_records(void **state)
{
    enum { RECORDS = 100, RECORD = 1 << 14 };
    struct buf in, out;
    (void)state;
    buf_init(&in, 1 << 26);
    buf_init(&out, 1 << 26);
    for (int i = 0; i < RECORDS; i++) {
        buf_adds(&in, STAMP " stderr P ");
        for (size_t left = RECORD - 16; left > 5; left -= 5)
            buf_adds(&in, "fill ");
        buf_adds(&in, " DB_PASSWORD=hun\n" STAMP " stderr F ter kept\n");
    }
    redact_text(&out, in.data, in.len, policy, NULL);
    assert_null(strstr(buf_str(&out), "=hun"));
    assert_null(strstr(buf_str(&out), "ter kept"));
    assert_non_null(strstr(buf_str(&out), " stderr F  kept\n"));
    buf_release(&in);
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_envoy),
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_short_values),
        cmocka_unit_test(test_urls),
        cmocka_unit_test(test_commands),
        cmocka_unit_test(test_nothing_is_left),
        cmocka_unit_test(test_evidence_stays),
        cmocka_unit_test(test_split_records),
        cmocka_unit_test(test_long_split_records),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
