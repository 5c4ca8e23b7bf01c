"""Nothing secret leaves: one of each kind that operators hold is planted over evidence of every kind, and looked for in
every output there is."""
import base64
import gzip
import io
import json
import re
import tarfile
import zipfile

import harness
from harness import Case, debrief

PLAIN = {}   # what was planted, by what it is


def secret(what, length=40):
    """A value that looks like nothing else, and stands for WHAT; base64 characters only."""
    value = base64.b64encode(("%s/%d/" % (what, len(PLAIN)) * 9).encode()).decode().replace("=", "x")[:length]
    value = value[:-4] + "%04d" % len(PLAIN)
    PLAIN[what] = value
    return value


def base64_secret(what):
    """The same in base64, as Kubernetes and registries hold it: neither form may leave."""
    value = base64.b64encode(secret(what).encode()).decode()
    PLAIN[what + " (base64)"] = value
    return value


def jwt(what):
    part = base64.urlsafe_b64encode(json.dumps({"alg": "RS256", "kid": what}).encode()).decode().rstrip("=")
    PLAIN[what] = part + ".eyJzdWIiOiJ0ZXN0In0." + "c2lnbmF0dXJl%04d" % len(PLAIN)
    return PLAIN[what]


def pem(what, kind="RSA "):
    body = base64.b64encode(("%s key material " % what * 6).encode()).decode()
    PLAIN[what] = body[:60]
    return "-----BEGIN %sPRIVATE KEY-----\n%s\n%s\n-----END %sPRIVATE KEY-----\n" % (kind, body[:64], body[64:128], kind)


def environment():
    return [{"name": "DB_PASSWORD", "value": secret("task env password")},
            {"name": "STRIPE_API_KEY", "value": secret("task env api key")},
            {"name": "GITHUB_TOKEN", "value": secret("task env token")},
            {"name": "SESSION_SECRET", "value": secret("task env secret")},
            {"name": "DB_PASS", "value": secret("task env pass")},
            {"name": "MYSQL_PWD", "value": secret("task env pwd")},
            {"name": "SIGNING_PRIVATE_KEY", "value": secret("task env private key")},
            {"name": "NEW_RELIC_LICENSE_KEY", "value": secret("task env licence key")},
            {"name": "SERVICE_CREDENTIALS", "value": secret("task env credentials")},
            {"name": "AWS_SECRET_ACCESS_KEY", "value": secret("task env aws key")},
            {"name": "AWS_SESSION_TOKEN", "value": secret("task env session token", 120)},
            {"name": "DATABASE_URL", "value": "postgres://app:%s@db.example.com:5432/app" % secret("task env url", 20)}]


def aws_files():
    definition = {"taskDefinition": {"taskDefinitionArn": "arn:aws:ecs:us-west-2:111122223333:task-definition/web:1",
                                     "family": "web", "containerDefinitions": [
        {"name": "envoy", "image": "envoyproxy/envoy:v1.36.4", "environment": environment(),
         "secrets": [{"name": "X", "valueFrom": "arn:aws:secretsmanager:us-west-2:111122223333:secret:x"}]}]}}
    inner = json.dumps({"username": "app", "password": secret("secret string, inner")})
    yield "definition.json", json.dumps(definition, indent=4)
    yield "secret.json", json.dumps({"Name": "x", "SecretString": inner}, indent=4)
    yield "plain-secret.json", json.dumps({"Name": "y", "SecretString": secret("secret string")}, indent=4)
    yield "binary-secret.json", json.dumps({"Name": "y", "SecretBinary": base64_secret("secret binary")})
    yield "parameter.json", json.dumps({"Parameter": {"Name": "p", "Type": "SecureString",
                                                      "Value": secret("secure parameter")}}, indent=4)
    yield "ecr.json", json.dumps({"authorizationData": [{"authorizationToken": base64_secret("registry token"),
                                                         "expiresAt": "2026-11-21T20:00:00Z"}]}, indent=4)
    yield "sts.json", json.dumps({"Credentials": {
        "AccessKeyId": "ASIAIOSFODNN7EXAMPLE", "SecretAccessKey": secret("sts key"),
        "SessionToken": secret("sts session token", 300), "Expiration": "2026-11-21T20:00:00Z"}}, indent=4)
    yield "imds.json", json.dumps({"AccessKeyId": "ASIAIOSFODNN7EXAMPLE", "SecretAccessKey": secret("role key"),
                                   "Token": secret("role token", 300)})


def kubernetes_files():
    metadata = {"name": "s", "namespace": "shop"}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": "shop"},
           "spec": {"containers": [{"name": "envoy", "image": "envoyproxy/envoy:v1.36.4", "env": environment_of_pod(),
                                    "args": ["--db-password=" + secret("argument"), "--token", secret("two arguments")]}]}}
    last = json.dumps({"apiVersion": "v1", "kind": "Secret", "metadata": metadata,
                       "data": {"q": base64_secret("last applied")}}) + "\n"
    annotated = {**metadata, "annotations": {"kubectl.kubernetes.io/last-applied-configuration": last}}
    yield "secrets.json", json.dumps({"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": "v1", "kind": "Secret", "metadata": annotated, "type": "Opaque",
         "data": {"whatever": base64_secret("secret data"), "tls.key": base64.b64encode(pem("tls key").encode()).decode()}},
        {"apiVersion": "v1", "data": {"other": base64_secret("secret data, kind behind")}, "kind": "Secret",
         "metadata": metadata},
        {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"own": secret("string data")}}]},
        indent=4)
    yield "secret.yaml", ("apiVersion: v1\ndata:\n  anything: %s\n  other: %s\nkind: Secret\nmetadata:\n  name: s\n"
                          % (base64_secret("yaml secret"), base64_secret("yaml secret, second")))
    yield "pod.json", json.dumps(pod, indent=4)
    yield "configmap.yaml", ("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c\ndata:\n  server.key: |\n    "
                             + pem("key in a map").strip().replace("\n", "\n    ") + "\n  application.yaml: |\n"
                             "    spring:\n      datasource:\n        password: %s\n" % secret("password in a map"))
    yield "kubeconfig.yaml", ("apiVersion: v1\nkind: Config\nusers:\n- name: me\n  user:\n    token: %s\n"
                              "    client-key-data: %s\n" % (secret("kubeconfig token"), base64_secret("client key data")))
    yield "docker.json", json.dumps({"auths": {"r.example.com": {"auth": base64_secret("registry login")}}}, indent=4)


def environment_of_pod():
    return [{"name": "DB_PASSWORD", "value": secret("pod env password")},
            {"name": "REDIS_URL", "value": "redis://:%s@redis:6379/0" % secret("pod env url", 24)}]


def proxy_files():
    lines = [
        "authorization: Bearer %s" % secret("bearer header"), "Authorization: Basic %s" % base64_secret("basic header"),
        "'authorization', 'Bearer %s'" % jwt("bearer of Envoy's dump"), "x-api-key: %s" % secret("api key header"),
        "cookie: session=%s; lang=de" % secret("cookie"), "set-cookie: id=%s; Path=/" % secret("set-cookie"),
        "GET https://bucket.s3.amazonaws.com/k?X-Amz-Signature=%s&X-Amz-Expires=3600" % secret("presigned url", 64),
        "GET https://b.s3.amazonaws.com/k?X-Amz-Security-Token=%s" % secret("presigned token", 90),
        "GET /callback?access_token=%s&state=1" % secret("token in a query"),
        "GET /callback?code=1&client_secret=%s" % secret("client secret in a query"),
        "https://admin:%s@example.com/" % secret("url password", 16), "token=%s" % jwt("jwt"),
        "export AWS_SECRET_ACCESS_KEY=%s" % secret("exported key"), "aws_session_token = %s" % secret("profile token", 90),
        "x-amz-security-token: %s" % secret("aws token header", 90),
        "x-consul-token: %s" % secret("consul token"), "x-vault-token: %s" % secret("vault token")]
    prefix = "[2026-11-21 07:59:00.000][1][warning][config] [source/x.cc:1] "
    closed = "StreamAggregatedResources gRPC config stream to ads closed: 16, unauthenticated: "
    yield "envoy.log", "".join(prefix + closed + line + "\n" for line in lines) + pem("key in a log")
    route = {"@type": "type.googleapis.com/envoy.admin.v3.RoutesConfigDump", "static_route_configs": [{"route_config": {
        "name": "r", "virtual_hosts": [{"name": "v", "domains": ["*"], "request_headers_to_add": [
            {"header": {"key": "authorization", "value": "Basic " + base64_secret("header that is added")}},
            {"header": {"key": "x-api-key", "value": secret("api key that is added")}}]}]}}]}
    cluster = {"@type": "type.googleapis.com/envoy.admin.v3.ClustersConfigDump", "static_clusters": [{"cluster": {
        "name": "c", "transport_socket": {"typed_config": {"common_tls_context": {"tls_certificates": [
            {"private_key": {"inline_string": pem("key in a dump")}},
            {"private_key": {"inline_bytes": base64.b64encode(pem("key in bytes", "").encode()).decode()}}]}}}}}]}
    yield "config_dump.json", json.dumps({"configs": [route, cluster]}, indent=1)
    yield "proxy.env", "API_TOKEN=%s\nPGPASSWORD=%s\n" % (secret("env file token"), secret("env file password"))


def vendor_tokens():
    """Known by their own look, wherever they stand."""
    tail = lambda what, length: base64.urlsafe_b64encode((what * 9).encode()).decode().replace("-", "x").replace(
        "_", "y")[:length - 4] + "%04d" % len(PLAIN)
    for what, prefix, length in (("GitHub token", "ghp_", 36), ("GitLab token", "glpat-", 20), ("npm token", "npm_", 36),
                                 ("Stripe key", "sk_live_", 24), ("Slack token", "xoxb-123456789012-", 24),
                                 ("Google key", "AIza", 35), ("Vault service token", "hvs.CAES", 90),
                                 ("fine-grained token", "github_pat_", 60)):
        PLAIN[what] = prefix + tail(what, length)
        yield PLAIN[what]
    PLAIN["old Vault token"] = "s." + tail("old vault", 24)
    yield PLAIN["old Vault token"]


def wrapped_files():
    """Log lines in every wrapper that logs travel in."""
    line = "[2026-11-21 07:59:00.000][1][warning][config] [source/x.cc:1] refused: authorization: Bearer %s"
    log = lambda what: line % secret(what)
    stamp = "2026-11-21T07:59:00.000000000Z"
    yield "docker.log", json.dumps({"log": log("docker") + "\n", "stream": "stderr", "time": stamp}) + "\n"
    yield "cri.log", "%s stderr F %s\n" % (stamp, log("cri"))
    yield "firelens.log", json.dumps({"container_name": "envoy", "source": "stderr", "log": log("firelens")}) + "\n"
    yield "cloudwatch.json", json.dumps({"events": [{"timestamp": 1795248000000, "message": log("cloudwatch"),
                                                     "ingestionTime": 1795248000001}]}, indent=1)
    yield "insights.csv", "@timestamp,@message\n2026-11-21 07:59:00.000,\"%s\"\n" % log("csv")
    yield "prefixed.log", "[pod/web-1/envoy] %s\n" % log("kubectl prefix")
    yield "pasted.txt", "$ docker logs envoy\n%s\n$ curl -u admin:%s localhost:9901/ready\nLIVE\n" % (
        log("pasted"), secret("curl user", 20))
    inner = json.dumps({"level": "warn", "msg": json.dumps({"password": secret("json in json") + " and a blank"})})
    yield "nested.log", json.dumps({"log": inner, "stream": "stdout", "time": stamp}) + "\n"
    access = '[2026-11-21T07:59:00.000Z] "GET /k?%s HTTP/1.1" 403 - 0 0 1 1 "-" "curl/8" "id" "b" "10.0.0.1:80"\n'
    signed = ["X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20261121&X-Amz-Signature=" +
              secret("SigV4 in an access log", 64), "AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Expires=1&Signature=" +
              secret("SigV2", 28), "X-Goog-Algorithm=GOOG4&X-Goog-Signature=" + secret("GCS", 80),
              "sv=2022-11-02&se=2026&sig=" + secret("Azure", 44) + "%3D"]
    yield "access.log", "".join(access % query for query in signed)
    yield "escaped.json", json.dumps({"url": "https://b/k?a=1&X-Amz-Signature=" + secret("escaped", 64)}).replace(
        "&", "\\u0026")
    yield "tokens.log", "".join("[2026-11-21 07:59:00.000][1][warning][config] [source/x.cc:1] saw %s there\n" % token
                                for token in vendor_tokens())


def configured_files():
    """What people keep in files that end up in a folder of evidence."""
    yield "credentials", ("[default]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = %s\n"
                          "aws_session_token = %s\n" % (secret("credentials file"), secret("session in the file", 200)))
    yield "values.yaml", ("image:\n  tag: v1.36.4\nauth:\n  existingSecret: web\n  password: &pw %s\n  again: *pw\n"
                          "  token: |\n    %s\nconnectionAuthString: \"%s\"\n" % (
                              secret("Helm value behind an anchor"), secret("Helm block"), secret("random under a name")))
    yield "compose.yaml", ("services:\n  envoy:\n    image: envoyproxy/envoy:v1.36.4\n    environment:\n"
                           "      - DB_PASSWORD=%s\n      SIGNING_KEY: %s\n    command: [\"--token\", \"%s\"]\n" % (
                               secret("compose list"), secret("compose map"), secret("compose command")))
    yield "netrc", "machine h login me password %s\n" % secret("netrc", 24)
    yield "consul.hcl", 'acl { tokens { agent = "%s" } }\nencrypt_verify = true\n' % uuid("Consul agent token")
    yield "consul.json", json.dumps({"AccessorID": "x", "SecretID": uuid("Consul secret id"),
                                     "encrypt": secret("gossip key", 24)}, indent=1)
    yield "consul.env", "CONSUL_HTTP_TOKEN=%s\nVAULT_TOKEN=%s\n" % (uuid("Consul variable"), secret("Vault variable"))
    yield "bootstrap.yaml", ("static_resources:\n  secrets:\n  - name: s\n    generic_secret:\n      secret:\n"
                             "        inline_string: %s\n  - name: t\n    session_ticket_keys:\n      keys:\n"
                             "      - inline_bytes: %s\n" % (secret("generic secret of Envoy"), secret("ticket key")))
    yield "users.yaml", 'users:\n  inline_string: "admin:%s"\n' % secret("basic auth filter")
    yield "run.sh", "exec app --db-password %s -token=%s\n" % (secret("command line"), uuid("single dash"))
    yield "server.pem", pem("key behind a certificate", "EC ")
    yield "base64.env", "TLS_B64=%s\n" % encoded_key("key in base64")
    yield "cookies.log", "'cookie', 'sid=%s; theme=dark'\n" % secret("cookie pair")


def tool_files():
    """What Terraform, Ansible, shells and dashboards write, and the proxy's own configuration with secrets in it."""
    yield "terraform.yaml", ('"apiVersion": "v1"\n"data":\n  "pw": "%s"\n"kind": "Secret"\n"metadata":\n  "name": "s"\n'
                             '---\n"apiVersion": "v1"\n"kind": "Secret"\n"stringData":\n  "own": "%s"\n' % (
                                 base64_secret("quoted YAML secret"), secret("quoted YAML string data")))
    yield "envoy.yaml", (
        "static_resources:\n  secrets:\n  - name: t\n    session_ticket_keys:\n      keys:\n      - inline_bytes: %s\n"
        "      - inline_bytes: %s\n      - inline_string: %s\n  - name: g\n    generic_secret:\n      secrets:\n"
        "        api: {inline_string: \"%s\"}\n        web: {inline_string: \"%s\"}\n  - name: p\n    tls_certificate:\n"
        "      pkcs12: {inline_bytes: %s}\n      password: {inline_string: %s}\n" % tuple(
            secret("of Envoy, %d" % i, 28) for i in range(7)) +
        "  routes:\n  - match:\n      headers:\n      - name: x-api-key\n        string_match:\n          exact: %s\n"
        "    request_headers_to_add:\n    - header:\n        key: Authorization\n        value: \"Bearer %s\"\n"
        "    - header:\n        key: Cookie\n        value: sid=%s\n" % tuple(secret("header %d" % i, 8) for i in range(3)) +
        "  lua: |\n    function envoy_on_request(h)\n      h:headers():add(\"x-api-key\", \"%s\")\n    end\n" % secret("Lua", 8))
    keys = {"keys": [{"kty": "RSA", "kid": "a", "n": "sXchDaQe", "e": "AQAB",
                      **{name: secret("member %s of a key" % name, 60) for name in ("d", "p", "q", "dp", "dq", "qi")}},
                     {"kty": "oct", "kid": "b", "k": secret("symmetric key", 12)}]}
    match = {"headers": [{"name": "x-api-key", "string_match": {"exact": secret("matched header", 8)}}]}
    yield "jwks.json", json.dumps({"local_jwks": {"inline_string": json.dumps(keys)}, "match": match}, indent=1)
    yield "kubeconfig-short.yaml", "apiVersion: v1\nkind: Config\nusers:\n- user:\n    token: %s\n" % secret("short token", 6)
    yield "user-data.json", json.dumps({"LaunchTemplateData": {"UserData": base64_secret("user data")}})
    yield "run-book.sh", "".join(line % secret(line.split()[0] + " of a run book", 9) + "\n" for line in (
        "curl -sSu a:%s http://h", "curl --proxy-user a:%s http://h", "mysql -uroot -p%s", "redis-cli -a %s ping",
        "sshpass -p %s ssh h", "docker login -u a -p %s r", "redis-server --requirepass %s", "etcdctl --user root:%s get a",
        "kubectl create secret generic s --from-literal=pw=%s", "openssl rsa -passin pass:%s -in k",
        "aws configure set aws_secret_access_key %s", "setx NAME_SECRET %s", "ALTER USER a WITH PASSWORD '%s'",
        "CREATE USER a IDENTIFIED BY '%s'", "h ansible_ssh_pass=%s", "db_pass=%s", "Server=h;Pwd=%s;", "SECRET=%s", "DB_PASSWORD,%s",
        "postgres://a:p@%s@db/x", "postgres://a:p/%s@db/x", "dsn app:%s@tcp(db:3306)/x", "jdbc:oracle:thin:scott/%s@h:1521/x",
        "https://discord.com/api/webhooks/1/%s", "https://x.webhook.office.com/webhookb2/%s", "https://h/a?sid=%s", "https://h/a?pw=%s",
        "https://p.logic.azure.com/workflows/a?sv=1.0&sig=%s", "GET /?q=%%7B%%22password%%22%%3A%%22%s%%22%%7D",
        "SharedAccessKey=a/b+%s=", "map[Accept:[*/*] Cookie:[%s] Host:[h]]", "map[Authorization:[Bearer %s]]",
        '{"password":["%s"]}', "PRIVATE-TOKEN: %s", "'api-key','%s'"))
    value, stamp = secret("split over records"), "2026-11-21T07:59:00.000000000Z stderr"
    PLAIN["its second half"] = value[20:]
    yield "split.log", '%s P {"password":"%s\n%s F %s","a":1}\n' % (stamp, value[:20], stamp, value[20:])


def uuid(what):
    PLAIN[what] = "b1946ac9-2ed2-4c1c-8f2e-0d4a1c7b%04d" % len(PLAIN)
    return PLAIN[what]


def encoded_key(what):
    PLAIN[what] = base64.b64encode(pem(what + ", plain", "").encode()).decode()
    return PLAIN[what]


# Look-alikes: evidence that must not go.
HEX = "9f86d081884c7d659a2feaa0c55ad015"
KEPT = [
    "AKIAIOSFODNN7EXAMPLE", "sha256:" + HEX + HEX, "arn:aws:secretsmanager:us-west-2:111122223333:secret:x-a1B2c3",
    "arn:aws:iam::111122223333:role/token-vending-machine-role", "x-request-id: " + HEX,
    "traceparent: 00-" + HEX + "-b7ad6b7169203331-01", "version_info: 2026-11-21T07:50:12Z/" + HEX,
    "config_hash=" + HEX, "serial_number: 0" + HEX, "key_sha256=" + HEX, "fingerprint: " + HEX,
    "publicKeyHash=" + HEX + "aB", "keyId: " + HEX, "node id mesh/shop/virtualNode/token-service-v2-1234",
    "http://127.0.0.1:9901/ready", "mail@example.com", "secretName: web-tls-certificate-2026",
    "tokenPath: /var/run/secrets/kubernetes.io/serviceaccount/token", "AWS_WEB_IDENTITY_TOKEN_FILE=/var/run/secrets/t",
    "PASSWORD_FILE=/run/secrets/db", "valueFrom: arn:aws:ssm:us-west-2:111122223333:parameter/db-password",
    "author: Kim-Example-Person-1234", "authority: " + HEX + ".example.com", "jwt_authn.denied: 3",
    "sds.key_rotation_failed: 0", "token bucket of 100 tokens per second", "authorization: allowed by policy",
    "basic health checks of 12 hosts", "WWW-Authenticate: Bearer realm=\"https://auth.docker.io/token\"",
    "SERVER_KEY=/app/k.pem", "FEATURE_AUTH=enabled", "ENABLE_AUTH=1", "KAFKA_PARTITION_KEY=user_id",
    "SERVICE_AUTH=http://authz:8080", "AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE", "IdempotencyToken: " + HEX, "token_sha=" + HEX,
    "subject_key_identifier: " + HEX, "docker-pullable://nginx:1.25@sha256:" + HEX, "secret=default/web-tls is not there",
    "failed to fetch token: connection refused", "http://host:8080/path?email=a@b.com",
    "closed: 16, unauthenticated: no token", "key rotation of 2026-11-21T07:50:12Z", "secret not found: web-tls",
    "s.example.com/" + HEX, "image envoyproxy/envoy:v1.36.4-" + HEX[:12], "password authentication failed for user app",
]


class Secrets(Case):
    def setUp(self):
        super().setUp()
        PLAIN.clear()
        self.evidence = self.dir / "evidence"
        self.evidence.mkdir()
        for files in (aws_files, kubernetes_files, proxy_files, wrapped_files, configured_files,
                      tool_files):
            for name, text in files():
                (self.evidence / name).write_text(text)
        with gzip.open(self.evidence / "old.log.gz", "wt") as packed:
            packed.write("[2026-11-21 07:59:00.000][1][warning][config] [source/x.cc:1] PASSWORD=%s\n" % secret("gzip"))
        with tarfile.open(self.evidence / "inner.tar.gz", "w:gz") as archive:
            text = ("API_TOKEN=%s\n" % secret("archive in the folder")).encode()
            member = tarfile.TarInfo("app.env")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text))
        self.assertGreater(len(PLAIN), 100)

    def assertNothing(self, text, where):
        leaked = [what for what, value in PLAIN.items() if value in text]
        with self.subTest(where=where):
            self.assertEqual(leaked, [])

    def test_reports(self):
        """In every format there is: the program says which."""
        known = re.search("known: (.*)", debrief("check", self.evidence, "-o", "nonsense").err).group(1)
        formats = known.strip().split(", ")
        self.assertGreaterEqual(len(formats), 2)
        saved = self.dir / "report.json"
        for more in ([], ["--verbose"], ["--quiet"], ["--dry-run"], *(["-o", name] for name in formats)):
            result = debrief("check", self.evidence, *more)
            self.assertNothing(result.out + result.err, more)
            if more == ["-o", "json"]:
                saved.write_text(result.out)
        kinds = {row["kind"] for row in json.loads(saved.read_text())["targets"][0]["redactions"]}
        self.assertIn("authorization", kinds)
        for old, new in ((saved, saved), (self.dir / "none.json", saved)):
            if not old.exists():
                empty = json.loads(saved.read_text())
                empty["targets"][0]["findings"] = []
                old.write_text(json.dumps(empty))
            result = debrief("diff", old, new)
            self.assertNothing(result.out + result.err, "diff")

    def test_long_files_are_looked_at_as_closely(self):
        """Behind much text a coarse look comes first: it must pass over none of what the exact one knows."""
        filler = "a line of a healthy log that says nothing at all\n" * 4000
        for path in sorted(self.evidence.rglob("*")):
            if path.suffix in (".log", ".sh", ".env"):
                path.write_text(filler + path.read_text() + filler)
        (self.evidence / "described.txt").write_text(filler + "Environment:\n      DB_PASSWORD:%s%s\n" % (" " * 40, secret("described variable")))
        (self.evidence / "requests.log").write_text(filler + "".join(
            "GET /cb?state=1%s%s HTTP/1.1\n" % (name, secret(name, 40))
            for name in ("&code_verifier=", "&client_assertion=", "%26X-Amz-Signature%3D", "&amp;sig=", "&X-Goog-Credential=")))
        debrief("collect", self.evidence, "--bundle", self.dir / "long")
        for member in (self.dir / "long").rglob("*"):
            if member.is_file():
                self.assertNothing(member.read_text(), member.name)

    def test_the_bundle(self):
        for name in ("b", "b.tar.gz", "b.zip"):
            path = self.dir / name
            result = debrief("collect", self.evidence, "--bundle", path)
            self.assertNothing(result.out + result.err, "collect")
            for member, text in members(path):
                if member != "inner.tar.gz":
                    self.assertNothing(text, member)
            shown = debrief("check", path, "--verbose", "-o", "json")
            self.assertNothing(shown.out + shown.err, name)
            removed = {row["source"]: row for row in shown.target["redactions"]}
            self.assertIn("docker.log", removed)
        for member, text in members(self.dir / "b"):
            if member.endswith(".json"):
                json.loads(text)
        kept = json.loads((self.dir / "b" / "secrets.json").read_text())["items"]
        self.assertEqual(kept[0]["data"], {"whatever": "[redacted:secret]", "tls.key": "[redacted:secret]"})
        self.assertEqual(kept[0]["metadata"]["name"], "s")

    def test_evidence(self):
        """All names, all records, as table and as JSON."""
        for more in ([], ["-o", "json"]):
            shown = debrief("evidence", self.evidence, "*", *more)
            self.assertIn("task_definitions", shown.out)
            self.assertNothing(shown.out + shown.err, more)
        self.assertIn(PLAIN["task env password"], debrief("evidence", self.evidence, "env", "-o", "json", "--no-redact").out)

    def test_what_looks_alike_stays(self):
        prefix = "[2026-11-21 07:59:00.000][1][warning][config] [source/x.cc:1] "
        log = self.dir / "alike.log"
        log.write_text("".join(prefix + line + "\n" for line in KEPT))
        self.assertGreater(len(KEPT), 30)
        debrief("collect", log, "--bundle", self.dir / "kept")
        self.assertEqual((self.dir / "kept" / "alike.log").read_text(), log.read_text())

    def test_a_password_in_the_target(self):
        for more in (["-o", "json"], ["--verbose"], ["--dry-run"]):
            result = debrief("check", "http://me:hunter2hunter2@127.0.0.1:1", *more)
            self.assertNotIn("hunter2hunter2", result.out + result.err, more)


def members(path):
    """Name and text of each file in a bundle of any form."""
    if path.is_dir():
        for member in sorted(path.rglob("*")):
            if member.is_file():
                yield str(member.relative_to(path)), member.read_text(errors="replace")
    elif path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                yield name, archive.read(name).decode(errors="replace")
    else:
        with tarfile.open(path) as archive:
            for member in archive:
                yield member.name, archive.extractfile(member).read().decode(errors="replace")


harness.main()
