"""debrief --probe: real name servers, real TLS servers, refused and dropped ports, in a network of the test's own."""
import json
import shutil
import subprocess
import sys
import unittest

import world
from world import PROGRAM, PROXY_ADDRESS, SERVER_ADDRESS, wait_for

ZONE = "mesh.test"
GOOD, EXPIRED, OTHER, SELF, MUTUAL, PLAIN, DROPPED, REJECTED, CLOSED, WEB = 8441, 8442, 8443, 8444, 8445, 8080, 8090, 8091, 8092, 8081
HEALTH = r"""
import http.server, sys
class Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        print(self.path, self.headers["Host"], self.headers["User-Agent"], sorted(self.headers.keys()), flush=True)
        self.send_response({"/ping": 200, "/moved": 301}.get(self.path, 404))
        self.send_header("Location", "https://elsewhere.test/")
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *_):
        pass
http.server.ThreadingHTTPServer(("0.0.0.0", int(sys.argv[1])), Health).serve_forever()
"""
SILENT = r"""
import socket, sys, time
def serve(sock, say):
    while True:
        other, _ = sock.accept()
        say(other)
import threading
quiet = socket.create_server(("0.0.0.0", int(sys.argv[1])))
kept = []
threading.Thread(target=serve, args=(quiet, kept.append), daemon=True).start()
time.sleep(600)
"""
MUTE = 8093
BROKEN = r"""
import socket
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind(("127.0.0.1", 5300))
while True:
    question, who = sock.recvfrom(512)
    sock.sendto(question[:2] + b"\x81\x82" + question[4:], who)  # SERVFAIL
"""


def bootstrap(host, port, tls=True):
    channel = {"channel_credentials": {"ssl_credentials": {}}} if tls else {}
    google = {"target_uri": f"{host}:{port}", "stat_prefix": "x", **channel}
    return {"node": {"id": "n", "cluster": "c"},
            "admin": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": 9901}}},
            "dynamic_resources": {"ads_config": {"api_type": "GRPC", "grpc_services": [{"google_grpc": google}]}}}


def make_certificates(folder):
    """An authority, and certificates by it: good, expired, for another name; and one by itself."""
    def openssl(*arguments, **more):
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, cwd=folder, **more)
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-days", 30, "-subj", "/CN=test authority")
    for name, host, days in (("good", f"xds.{ZONE}", ["-days", "30"]), ("other", "somebody.else.test", ["-days", "30"]),
                             ("expired", f"xds.{ZONE}", ["-days", "-1"])):
        (folder / f"{name}.ext").write_text(f"subjectAltName=DNS:{host}\n")
        openssl("req", *key, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={host}")
        if name == "expired":  # openssl x509 knows no past; `ca` does
            (folder / "index").write_text("")
            (folder / "ca.cnf").write_text("[ca]\ndefault_ca=c\n[c]\ndatabase=index\nnew_certs_dir=.\nrand_serial=yes\n"
                                           "default_md=sha256\npolicy=p\ncopy_extensions=none\n[p]\ncommonName=supplied\n")
            openssl("ca", "-batch", "-config", "ca.cnf", "-cert", "ca.pem", "-keyfile", "ca.key", "-in", "expired.csr", "-out",
                    "expired.pem", "-notext", "-startdate", "20200101000000Z", "-enddate", "20210101000000Z", "-extfile", "expired.ext")
        else:
            openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out", f"{name}.pem",
                    *days, "-extfile", f"{name}.ext")
    openssl("req", "-x509", *key, "-keyout", "self.key", "-out", "self.pem", "-days", 30, "-subj", f"/CN=xds.{ZONE}",
            "-addext", f"subjectAltName=DNS:xds.{ZONE}")


class Probe(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = world.World()
        cls.addClassCleanup(cls.world.close)
        folder = cls.world.folder
        make_certificates(folder)
        start = cls.world.start
        start("server", "dnsmasq", "--keep-in-foreground", "--no-hosts", "--no-resolv", "--conf-file=/dev/null", "--user=root",
              "--pid-file=", "--listen-address=" + SERVER_ADDRESS, "--bind-interfaces", f"--local=/{ZONE}/", "--local-ttl=77",
              f"--host-record=xds.{ZONE},{SERVER_ADDRESS}", f"--host-record=control.svc.cluster.{ZONE},{SERVER_ADDRESS}",
              "--server=/broken.test/127.0.0.1#5300", f"--server=/slow.test/10.97.0.77", "--log-facility=-", log="dnsmasq.log")
        for port, name, more in ((GOOD, "good", []), (EXPIRED, "expired", []), (OTHER, "other", []), (SELF, "self", []),
                                 (MUTUAL, "good", ["-Verify", "1", "-CAfile", folder / "ca.pem", "-verify_return_error"])):
            start("server", "openssl", "s_server", "-accept", f"{SERVER_ADDRESS}:{port}", "-cert", folder / f"{name}.pem",
                  "-key", folder / f"{name}.key", "-cert_chain", folder / "ca.pem", "-alpn", "h2", "-quiet", *more, log=f"tls-{port}.log")
        start("server", sys.executable, "-c", HEALTH, WEB, log="health.log")
        start("server", sys.executable, "-c", SILENT, MUTE)
        start("server", sys.executable, "-c", BROKEN)
        rules = (f"add table inet f\nadd chain inet f in {{ type filter hook input priority 0; }}\n"
                 f"add rule inet f in tcp dport {DROPPED} drop\nadd rule inet f in tcp dport {REJECTED} reject with icmpx type admin-prohibited\n")
        done = cls.world.run("server", "nft", "-f", "-", input=rules)
        assert done.returncode == 0, done.stderr
        cls.world.resolver(f"nameserver {SERVER_ADDRESS}\nsearch cluster.{ZONE} {ZONE}\noptions ndots:2\n")
        for port in (GOOD, EXPIRED, OTHER, SELF, MUTUAL, WEB, MUTE):
            wait_for(lambda: cls.world.listens("server", port), f"port {port}")
        wait_for(lambda: cls.world.listens("server", 53, "-lnu"), "the name server")

    def given(self, **files):
        self.count = getattr(self, "count", 0) + 1
        folder = self.world.folder / f"{self._testMethodName}-{self.count}"
        folder.mkdir()
        for name, content in files.items():
            (folder / f"{name}.json").write_text(json.dumps(content))
        return folder

    def records(self, bundle, name):
        done = subprocess.run([PROGRAM, "evidence", bundle, name, "-o", "json"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        return [record["fields"] for record in json.loads(done.stdout)["evidence"][0]["records"]]

    def probe(self, host, port, tls=True, more=()):
        """What a probe of a management server says: its document, the bundle, the report's findings."""
        folder = self.given(bootstrap=bootstrap(host, port, tls))
        bundle = folder.with_suffix(".bundle")
        done = self.world.run("proxy", PROGRAM, "collect", folder, "--probe", "--bundle", bundle, *more)
        self.assertEqual(done.returncode, 0, done.stderr)
        probes = sorted((bundle / "probe").glob("*.json"))
        self.assertEqual(len(probes), 1, "loopback of another machine is not asked")
        checked = subprocess.run([PROGRAM, "check", bundle, "-o", "json"], capture_output=True, text=True)
        findings = json.loads(checked.stdout)["targets"][0]["findings"]
        return json.loads(probes[0].read_text()), bundle, [finding["id"] for finding in findings]

    # ---- names ----

    def test_a_good_server(self):
        answer, bundle, findings = self.probe(f"xds.{ZONE}", GOOD, more=())
        self.assertNotIn("failed", answer)
        self.assertEqual(answer["dns"]["addresses"], [SERVER_ADDRESS])
        self.assertEqual((answer["dns"]["server"], answer["dns"]["ttl"]), (SERVER_ADDRESS, 77))
        self.assertEqual(answer["connect"][0]["result"], "connected")
        tls, = self.records(bundle, "net.tls")
        self.assertEqual((tls["result"], tls["names"], tls["tool"], tls["version"]), ("ok", f"xds.{ZONE}", "probe", "TLSv1.3"))
        self.assertIn("test authority", tls["issuer"])
        self.assertLess(tls["valid_from"], tls["expires"])
        self.assertEqual(answer["tls"]["alpn"], "h2")
        self.assertFalse([each for each in findings if each.startswith("ems-connection.")], findings)

    def test_a_trusted_authority_verifies(self):
        folder = self.given(bootstrap=bootstrap(f"xds.{ZONE}", GOOD))
        bundle = self.world.folder / "trusted"
        self.world.run("proxy", "env", f"SSL_CERT_FILE={self.world.folder}/ca.pem", PROGRAM, "collect", folder, "--probe", "--bundle", bundle)
        self.assertEqual(self.records(bundle, "net.tls")[0]["verify_code"], "0")

    def test_no_such_name(self):
        answer, _, findings = self.probe(f"nobody.{ZONE}", GOOD)
        self.assertEqual((answer["failed"], answer["dns"]["status"]), ("dns", "NXDOMAIN"))
        self.assertIn("ems-connection.dns-failed", findings)

    def test_a_search_domain_completes_the_name(self):
        answer, _, _ = self.probe("control.svc", GOOD)
        self.assertEqual(answer["dns"]["addresses"], [SERVER_ADDRESS])

    def test_a_name_server_that_fails_or_refuses(self):
        for name, status in (("xds.broken.test", "SERVFAIL"), ("xds.elsewhere.test", "refused")):
            with self.subTest(name):
                answer, bundle, findings = self.probe(name, GOOD)
                self.assertEqual((answer["failed"], answer["dns"]["status"]), ("dns", status))
                self.assertEqual(self.records(bundle, "net.dns")[0]["server"], SERVER_ADDRESS)
                self.assertIn("ems-connection.dns-unreachable", findings)

    def test_a_name_server_that_is_silent(self):
        answer, _, findings = self.probe("a.slow.test", GOOD)
        self.assertEqual((answer["failed"], answer["dns"]["status"]), ("dns", "timeout"))
        self.assertLess(answer["dns"]["ms"], 6000)
        self.assertIn("ems-connection.dns-unreachable", findings)

    # ---- TCP ----

    def test_refused(self):
        answer, _, findings = self.probe(f"xds.{ZONE}", CLOSED)
        self.assertEqual((answer["failed"], answer["connect"][0]["result"]), ("connect", "refused"))
        self.assertIn("ems-connection.refused", findings)

    def test_dropped(self):
        answer, _, findings = self.probe(f"xds.{ZONE}", DROPPED)
        self.assertEqual((answer["failed"], answer["connect"][0]["result"]), ("connect", "timeout"))
        self.assertIn("ems-connection.timeout", findings)

    def test_rejected(self):
        answer, _, findings = self.probe(f"xds.{ZONE}", REJECTED)
        self.assertEqual((answer["failed"], answer["connect"][0]["result"]), ("connect", "unreachable"))
        self.assertIn("ems-connection.timeout", findings)

    # ---- TLS ----

    def test_expired(self):
        answer, bundle, findings = self.probe(f"xds.{ZONE}", EXPIRED)
        self.assertEqual(self.records(bundle, "net.tls")[0]["expires"], "2021-01-01T00:00:00Z")
        self.assertIn("ems-connection.tls-expired", findings)

    def test_another_name(self):
        _, _, findings = self.probe(f"xds.{ZONE}", OTHER)
        self.assertIn("ems-connection.tls-name-mismatch", findings)

    def test_self_signed(self):
        answer, bundle, _ = self.probe(f"xds.{ZONE}", SELF)
        self.assertEqual(self.records(bundle, "net.tls")[0]["verify_code"], "18")

    def test_a_client_certificate_is_wanted_and_not_sent(self):
        answer, _, findings = self.probe(f"xds.{ZONE}", MUTUAL)
        self.assertEqual((answer["failed"], answer["tls"]["client_certificate"]), ("tls", True))
        self.assertIn("certificate required", answer["tls"]["error"])
        self.assertFalse([each for each in findings if each.startswith("ems-connection.")], "a probe has none to present")

    def test_plain_text_where_tls_is_expected(self):
        answer, _, findings = self.probe(f"xds.{ZONE}", WEB)
        self.assertEqual(answer["failed"], "tls")
        self.assertIn("ems-connection.protocol-mismatch", findings)

    def test_a_server_that_says_nothing(self):
        answer, _, _ = self.probe(f"xds.{ZONE}", MUTE)
        self.assertEqual((answer["failed"], answer["tls"]["error"]), ("tls", "Connection timed out"))
        self.assertLess(answer["tls"]["ms"], 6000)

    def test_the_time_limit_holds(self):
        answer, _, _ = self.probe(f"xds.{ZONE}", MUTE, more=("--timeout", "3s"))
        self.assertEqual(answer["failed"], "tls")
        self.assertLess(answer["tls"]["ms"], 3000)

    # ---- HTTP ----

    def group(self, path, port=WEB):
        arn = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/web/0123456789abcdef"
        return self.given(
            groups={"TargetGroups": [{"TargetGroupArn": arn, "TargetGroupName": "web", "Protocol": "HTTP", "Port": 80, "HealthCheckProtocol": "HTTP",
                                      "HealthCheckPort": "traffic-port", "HealthCheckPath": path, "Matcher": {"HttpCode": "200"}, "TargetType": "ip"}]},
            health={"TargetHealthDescriptions": [{"Target": {"Id": SERVER_ADDRESS, "Port": port}, "HealthCheckPort": str(port),
                                                  "TargetHealth": {"State": "unhealthy", "Reason": "Target.ResponseCodeMismatch"}}]})

    def test_a_load_balancers_health_check(self):
        for path, status in (("/ping", "200"), ("/moved", "301")):
            with self.subTest(path):
                bundle = self.world.folder / ("health" + path.replace("/", "-"))
                folder = self.group(path)
                done = self.world.run("proxy", PROGRAM, "collect", folder, "--probe", "--bundle", bundle)
                shutil.rmtree(folder)
                self.assertEqual(done.returncode, 0, done.stderr)
                http_record, = self.records(bundle, "net.http")
                self.assertEqual((http_record["status"], http_record["method"]), (status, "GET"))
                self.assertEqual(http_record["host_header"], f"{SERVER_ADDRESS}:{WEB}")
        heard = (self.world.folder / "health.log").read_text()
        self.assertIn(f"/ping {SERVER_ADDRESS}:{WEB} ELB-HealthChecker/2.0 ['Accept', 'Connection', 'Host', 'User-Agent']", heard)

    # ---- restraint ----

    def test_dry_run_says_what_would_be_sent_and_sends_nothing(self):
        folder = self.group("/dry")
        done = self.world.run("proxy", PROGRAM, "check", folder, "--probe", "--dry-run")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(f"probe TCP connect {SERVER_ADDRESS}:{WEB}; GET /dry, Host: {SERVER_ADDRESS}:{WEB}, User-Agent: ELB-HealthChecker/2.0", done.stdout)
        self.assertNotIn("/dry", (self.world.folder / "health.log").read_text())

    def test_nothing_is_asked_unless_it_is_asked_for(self):
        self.world.run("proxy", PROGRAM, "check", self.group("/quiet"))
        self.assertNotIn("/quiet", (self.world.folder / "health.log").read_text())

    def test_a_path_cannot_smuggle_a_request(self):
        bundle = self.world.folder / "smuggled"
        self.world.run("proxy", PROGRAM, "collect", self.group("/a HTTP/1.1\r\nX-Evil: 1\r\n\r\n"), "--probe", "--bundle", bundle)
        self.assertNotIn("http", json.loads(next((bundle / "probe").glob("*.json")).read_text()))

    def test_no_more_than_eight_places(self):
        many = [{"Target": {"Id": f"10.97.0.{number}", "Port": WEB}, "HealthCheckPort": str(WEB), "TargetHealth": {"State": "initial"}}
                for number in range(20, 40)]
        folder, bundle = self.given(health={"TargetHealthDescriptions": many}), self.world.folder / "many"
        done = self.world.run("proxy", PROGRAM, "collect", folder, "--probe", "--bundle", bundle)
        self.assertEqual(len(list((bundle / "probe").glob("*.json"))), 8)
        self.assertIn("12 were left out", done.stderr)

    def test_a_bundle_keeps_the_certificate_and_finds_the_same(self):
        folder = self.given(bootstrap=bootstrap(f"xds.{ZONE}", EXPIRED))
        live = self.world.run("proxy", PROGRAM, "check", folder, "--probe", "-o", "json")
        bundle = self.world.folder / "kept"
        self.world.run("proxy", PROGRAM, "collect", folder, "--probe", "--bundle", bundle)
        saved = subprocess.run([PROGRAM, "check", bundle, "-o", "json"], capture_output=True, text=True)
        ids = [[finding["id"] for finding in json.loads(done.stdout)["targets"][0]["findings"]] for done in (live, saved)]
        self.assertEqual(*ids)
        self.assertIn("ems-connection.tls-expired", ids[0])


if __name__ == "__main__":
    world.need("nft", "ss", "openssl", "dnsmasq")
    world.main()
