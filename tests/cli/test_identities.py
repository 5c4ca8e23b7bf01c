"""--redact identities: accounts, addresses, names of hosts and users are planted over evidence of every kind, and looked
for in every output; what the report needs to be read stays, and pseudonyms keep what the originals had in common."""
import ipaddress
import json
import re
import stat
import tarfile

import harness
from harness import TOP, Case, debrief

ACCOUNTS = ["111122223333", "444455556666"]
ADDRESSES = ["10.20.30.41", "10.20.30.42", "10.20.77.5", "172.18.9.7", "192.168.44.5", "52.94.233.17", "203.0.113.77",
             "fd12:3456:789a::41", "2600:1f18:4321::7"]
SPELLED = ["2a05_d018__1f", "2a05:d018::1f", "172_19_44_23", "::ffff:ac13:2c17", "64:ff9b::ac13:2c17", "0a:58:0a:f4:02:01",
           "23.44.19.172.in-addr.arpa", "f.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.1.0.d.5.0.a.2.ip6.arpa"]
HOSTS = ["checkout.zebracorp.com", "zebracorp", "ledger.kiwi.svc.cluster.local", "ledger", "kiwi", "ip-10-20-30-41",
         "zebra-uploads", "inventory-db", "quokka.internal"]
USERS = ["mallory", "kim.walrus", "walrus", "ledgerrole", "dugong", "narwhal", "pangolin", "wombat@zebracorp.com", "wombat"]
ARNS = ["arn:aws:appmesh:eu-west-1:111122223333:mesh/marmoset/virtualNode/ledger_kiwi", "marmoset",
        "arn:aws:iam::111122223333:role/LedgerRole"]
PLANTED = ACCOUNTS + ["4815-1623-4299", "481516234299"] + ADDRESSES + SPELLED + HOSTS + USERS + ARNS
# Within other words, too.
GLUED = ["okapi", "zebracorp", "marmoset"]


def log_lines():
    prefix = "[2026-11-21 07:59:00.000][1][warning][config] [source/x.cc:1] "
    said = ["connecting to checkout.zebracorp.com:443 from 10.20.30.41:51234 by way of 10.20.30.42, 10.20.77.5",
            "refused for %s in arn:aws:iam::111122223333:role/LedgerRole" % ARNS[0],
            "peer spiffe://cluster.local/ns/kiwi/sa/ledger at [fd12:3456:789a::41]:80 and [2600:1f18:4321::7]:443",
            "wrote to wombat@zebracorp.com, seen from 203.0.113.77 and 52.94.233.17, host ip-10-20-30-41.ec2.internal",
            'User "system:serviceaccount:kiwi:pangolin" cannot get resource; mallory may',
            "cluster outbound|80||ledger.kiwi.svc.cluster.local has no hosts; uploads at "
            "https://zebra-uploads.s3.eu-west-1.amazonaws.com/k and 172.18.9.7, resolver 192.168.44.5 of quokka.internal",
            "closed: 7, User: arn:aws:sts::444455556666:assumed-role/LedgerRole/kim.walrus is not authorized",
            "the owner's account 4815-1623-4299 pays for 481516234299, resolver says %s and %s" % (SPELLED[6], SPELLED[7]),
            "no route to [::ffff:ac13:2c17]:80 and 64:ff9b::ac13:2c17 by way of 0a:58:0a:f4:02:01 (172.19.44.23)",
            "okapiService and OkapiService wait for ZEBRACORPPROD, marmosetbackend answers for the user okapi of okapi.zebracorp.com",
            "kept: 127.0.0.1:9901, 169.254.169.254, 0.0.0.0:15001, sts.eu-west-1.amazonaws.com, istiod.istio-system.svc",
            "kept: public.ecr.aws/appmesh/envoy:v1.29.12.1-prod, type.googleapis.com/envoy.api, source/common/x.cc:32",
            "kept: 840364872350.dkr.ecr.eu-west-1.amazonaws.com/aws-appmesh-envoy, xds_cluster, local_app"]
    return "".join(prefix + line + "\n" for line in said)


KEPT = ["127.0.0.1:9901", "169.254.169.254", "0.0.0.0:15001", "sts.eu-west-1.amazonaws.com", "istiod.istio-system.svc",
        "public.ecr.aws/appmesh/envoy:v1.29.12.1-prod", "type.googleapis.com/envoy.api", "840364872350.dkr.ecr", "xds_cluster"]


def files():
    yield "envoy.log", log_lines()
    yield "task.json", json.dumps({"taskDefinition": {
        "taskDefinitionArn": "arn:aws:ecs:eu-west-1:111122223333:task-definition/ledger:7", "family": "ledger",
        "taskRoleArn": ARNS[2], "containerDefinitions": [
            {"name": "envoy", "user": "dugong", "image": "444455556666.dkr.ecr.eu-west-1.amazonaws.com/ledger:1",
             "environment": [{"name": "APPMESH_RESOURCE_ARN", "value": ARNS[0]}, {"name": "PGUSER", "value": "narwhal"},
                             {"name": "DB_HOST", "value": "inventory-db.zebracorp.com"}]}]}}, indent=1)
    yield "pod.yaml", ("apiVersion: v1\nkind: Pod\nmetadata:\n  name: ledger-5\n  namespace: kiwi\nspec:\n"
                       "  nodeName: ip-10-20-30-41.eu-west-1.compute.internal\n  containers:\n  - name: envoy\n"
                       "    image: envoyproxy/envoy:v1.36.4\nstatus:\n  podIP: 10.20.30.42\n  hostIP: 10.20.30.41\n")
    yield "stats.txt", (
        "cluster.ledger_kiwi.upstream_cx_total: 5\ncluster.checkout.zebracorp.com.upstream_rq_total: 3\n"
        "listener.[2a05_d018__1f]_8080.downstream_cx_total: 4\nlistener.172.19.44.23_8080.downstream_cx_total: 4\n"
        "listener.172_19_44_23_8080.downstream_cx_total: 4\ncluster.okapiService.upstream_cx_total: 1\n"
        "cluster.marmosetbackend.upstream_cx_total: 1\n")
    yield "10.20.30.41.env", "USER=mallory\nHOME=/home/mallory\nDATABASE_URL=postgres://narwhal:pw@10.20.77.5/x\n"
    yield "site.txt", "SITE error ledger.kiwi.svc.cluster.local refuses 10.20.30.41 of 111122223333\n"


class Identities(Case):
    def setUp(self):
        super().setUp()
        self.evidence = self.dir / "evidence"
        self.evidence.mkdir()
        for name, text in files():
            (self.evidence / name).write_text(text)
        self.map = self.dir / "map"
        self.options = ["--redact", "identities", "--redact-map", self.map]

    def assertNobody(self, text, where):
        text = text.replace(str(self.dir), "")
        found = [word for word in PLANTED if re.search(r"(?i)(?<![a-z0-9])%s(?![a-z0-9])" % re.escape(word), text)]
        found += [word for word in GLUED if word in text.lower()]
        with self.subTest(where=where):
            self.assertEqual(found, [])

    def test_reports(self):
        known = re.search("known: (.*)", debrief("check", self.evidence, "-o", "nonsense").err).group(1).strip()
        for more in ([], ["--verbose"], ["--quiet"], *(["-o", name] for name in known.split(", "))):
            result = debrief("check", self.evidence, *self.options, *more)
            self.assertNobody(result.out, more)
        target = debrief("check", self.evidence, *self.options, "-o", "json").target
        kinds = {row["kind"] for row in target["redactions"] if row["source"] == "report"}
        self.assertLessEqual({"ip-address", "name"}, kinds)

    def test_bundles_and_evidence(self):
        for name in ("b", "b.tar.gz"):
            debrief("collect", self.evidence, "--bundle", self.dir / name, *self.options)
        with tarfile.open(self.dir / "b.tar.gz") as archive:
            self.assertNobody(" ".join(archive.getnames()), "names")
        for member in (self.dir / "b").rglob("*"):
            self.assertNobody(member.name + "\n" + member.read_text(), member.name)
        log = (self.dir / "b" / "envoy.log").read_text()
        for text in KEPT:
            self.assertIn(text, log)
        for more in (["*"], ["*", "-o", "json"], []):
            self.assertNobody(debrief("evidence", self.evidence, *more, *self.options).out, more)
        index = json.loads((self.dir / "b" / "bundle.json").read_text())
        self.assertTrue(all(row["pseudonyms"] for row in index["files"]))
        self.assertGreater(next(row for row in index["files"] if row["name"] == "envoy.log")["redactions"]["ip-address"], 5)

    def test_what_is_kept_of_them(self):
        debrief("collect", self.evidence, "--bundle", self.dir / "b", *self.options)
        pairs = {original: pseudonym for pseudonym, original in
                 (line.split("\t") for line in self.map.read_text().splitlines()[1:])}
        one, two, far = (ipaddress.ip_address(pairs[address]) for address in ADDRESSES[:3])
        self.assertTrue(one.is_private and two.is_private and far.is_private)
        net = lambda address, bits: ipaddress.ip_network("%s/%d" % (address, bits), strict=False)
        self.assertEqual(net(one, 24), net(two, 24))
        self.assertEqual(net(one, 16), net(far, 16))
        self.assertNotEqual(net(one, 24), net(far, 24))
        self.assertTrue(ipaddress.ip_address(pairs["52.94.233.17"]).is_global)
        stats = (self.dir / "b" / "stats.txt").read_text()
        here = pairs["172.19.44.23"]
        for name in ("listener.[%s]_8080" % pairs["2a05:d018::1f"].replace(":", "_"), "listener.%s_8080" % here,
                     "listener.%s_8080" % here.replace(".", "_"), "cluster.%sService" % pairs["okapi"],
                     "cluster.%sbackend" % pairs["marmoset"]):
            self.assertIn(name + ".", stats)
        self.assertRegex(pairs["111122223333"], "^0000[0-9]{8}$")
        self.assertRegex(pairs["zebracorp"], "^anon[a-z2-7]{6}[0-9]$")
        log = (self.dir / "b" / "envoy.log").read_text()
        self.assertIn("resolver says %s and" % ipaddress.ip_address(here).reverse_pointer, log)
        self.assertIn("and %s" % ipaddress.ip_address(pairs["2a05:d018::1f"]).reverse_pointer, log)
        self.assertIn("account %.4s-%.4s-%.4s pays for %s," % (
            *(pairs["481516234299"][at:] for at in (0, 4, 8)), pairs["481516234299"]), log)
        self.assertIn("checkout." if "checkout" not in pairs else pairs["checkout"] + "." + pairs["zebracorp"] + ".com", log)
        self.assertIn("arn:aws:appmesh:eu-west-1:%s:mesh/%s/virtualNode/%s_%s" % tuple(
            pairs[word] for word in ("111122223333", "marmoset", "ledger", "kiwi")), log)

    def test_the_map(self):
        debrief("collect", self.evidence, "--bundle", self.dir / "one", *self.options)
        self.assertEqual(stat.S_IMODE(self.map.stat().st_mode), 0o600)
        kept = self.map.read_text()
        debrief("collect", self.evidence, "--bundle", self.dir / "two", *self.options)
        self.assertEqual(self.map.read_text(), kept)
        self.assertEqual((self.dir / "one" / "envoy.log").read_text(), (self.dir / "two" / "envoy.log").read_text())
        # Without a map every run has names of its own; a bundle of pseudonyms keeps them.
        debrief("collect", self.evidence, "--bundle", self.dir / "three", "--redact", "identities")
        self.assertNotEqual((self.dir / "one" / "envoy.log").read_text(), (self.dir / "three" / "envoy.log").read_text())
        debrief("collect", self.dir / "one", "--bundle", self.dir / "again", *self.options)
        self.assertEqual((self.dir / "one" / "envoy.log").read_text(), (self.dir / "again" / "envoy.log").read_text())
        self.map.chmod(0o644)
        result = debrief("check", self.evidence, *self.options)
        self.assertEqual(result.status, 2)
        self.assertIn("chmod 600", result.err)

    def test_usage(self):
        for arguments in (["--no-redact", "--redact", "identities"], ["--no-redact", "--redact-map", "m"],
                          ["--redact-map", self.dir / "m"], ["--redact", "everything"]):
            self.assertEqual(debrief("check", self.evidence, *arguments).status, 2, arguments)
        self.assertFalse((self.dir / "m").exists())

    def test_published_accounts_stay(self):
        """Every account that the table of them says AWS publishes images from."""
        accounts = re.findall(r'"([0-9]{12})"', (TOP / "core/source/published.c").read_text())
        self.assertGreater(len(accounts), 10)
        (self.evidence / "images.txt").write_text("".join(
            "%s.dkr.ecr.eu-west-1.amazonaws.com/x arn:aws:ecr:eu-west-1:%s:repository/x\n" % (one, one) for one in accounts))
        debrief("collect", self.evidence, "--bundle", self.dir / "b", *self.options)
        shown = (self.dir / "b" / "images.txt").read_text()
        self.assertEqual([one for one in accounts if shown.count(one) != 2], [])


harness.main()
