"""Nothing secret leaves: one of each kind that operators hold is planted over evidence of every kind, and looked for in
every output there is."""
import base64
import json

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


class Secrets(Case):
    def setUp(self):
        super().setUp()
        PLAIN.clear()
        self.evidence = self.dir / "evidence"
        self.evidence.mkdir()
        for files in (aws_files, kubernetes_files, proxy_files):
            for name, text in files():
                (self.evidence / name).write_text(text)
        self.assertGreater(len(PLAIN), 50)

    def assertNothing(self, text, where):
        leaked = [what for what, value in PLAIN.items() if value in text]
        with self.subTest(where=where):
            self.assertEqual(leaked, [])

    def test_reports(self):
        for more in ([], ["--verbose"], ["-o", "json"], ["-o", "html"], ["-o", "markdown"], ["-o", "sarif"],
                     ["-o", "junit"], ["-o", "prometheus"], ["-o", "nagios"], ["--dry-run"]):
            result = debrief("check", self.evidence, *more)
            self.assertNothing(result.out + result.err, more)

    def test_the_bundle(self):
        for name in ("b", "b.tar.gz"):
            path = self.dir / name
            debrief("collect", self.evidence, "--bundle", path)
            if path.is_dir():
                for member in path.rglob("*"):
                    if member.is_file():
                        self.assertNothing(member.read_text(), member.name)
                        if member.suffix == ".json":
                            json.loads(member.read_text())
                kept = json.loads((path / "secrets.json").read_text())["items"]
                self.assertEqual(kept[0]["data"], {"whatever": "[redacted:secret]", "tls.key": "[redacted:secret]"})
                self.assertEqual(kept[0]["metadata"]["name"], "s")
            shown = debrief("check", path, "--verbose", "-o", "json")
            self.assertNothing(shown.out + shown.err, name)

    def test_evidence(self):
        """All names, all records, as table and as JSON."""
        for more in ([], ["-o", "json"]):
            shown = debrief("evidence", self.evidence, "*", *more)
            self.assertIn("task_definitions", shown.out)
            self.assertNothing(shown.out + shown.err, more)
        self.assertIn(PLAIN["task env password"], debrief("evidence", self.evidence, "env", "-o", "json", "--no-redact").out)

    def test_a_password_in_the_target(self):
        for more in (["-o", "json"], ["--verbose"], ["--dry-run"]):
            result = debrief("check", "http://me:hunter2hunter2@127.0.0.1:1", *more)
            self.assertNotIn("hunter2hunter2", result.out + result.err, more)


harness.main()
