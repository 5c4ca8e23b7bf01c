"""debrief check --host: a real Envoy without privileges, in a network namespace of the test's own, that may not bind
port 80, with redirect rules around it."""
import json
import os
import shutil
import subprocess
import unittest

import world
from world import NOBODY, PROGRAM, wait_for

ADMIN = 9901
RULES = """add table ip nat
add chain ip nat OUTPUT { type nat hook output priority -100; }
add rule ip nat OUTPUT meta skuid 1337 return
add rule ip nat OUTPUT tcp dport 8765 redirect to :15001
"""


def listener(name, port):
    kind = "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy"
    return {"@type": "type.googleapis.com/envoy.config.listener.v3.Listener", "name": name,
            "address": {"socket_address": {"address": "0.0.0.0", "port_value": port}},
            "filter_chains": [{"filters": [{"name": "tcp", "typed_config": {"@type": kind, "stat_prefix": "tcp", "cluster": "app"}}]}]}


class Host(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = world.World()
        cls.addClassCleanup(cls.world.close)
        folder = cls.world.folder
        binary = folder / "envoy"
        shutil.copy(world.envoy_binary(), binary)
        lds, config = folder / "lds.json", folder / "envoy.json"
        lds.write_text(json.dumps({"version_info": "1", "resources": [listener("web", 80), listener("high", 8080)]}))
        config.write_text(json.dumps({
            "node": {"id": "n", "cluster": "c"},
            "admin": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": ADMIN}}},
            "dynamic_resources": {"lds_config": {"path_config_source": {"path": str(lds)}, "resource_api_version": "V3"}},
            "static_resources": {"clusters": [{"name": "app", "type": "STATIC"}]}}))
        cls.world.resolver("nameserver 10.97.0.2\nsearch shop.svc.cluster.local\n")
        rules = cls.world.run("proxy", "nft", "-f", "-", input=RULES)
        assert rules.returncode == 0, rules.stderr
        cls.envoy = cls.world.start("proxy", binary, "-c", config, "--concurrency", "1", "--use-dynamic-base-id", uid=NOBODY, log="envoy.log")
        wait_for(lambda: cls.world.listens("proxy", 8080), "Envoy to listen")
        cls.pid = cls.envoy.pid  # every wrapper becomes the next by exec

    def bundle(self, *arguments, side="proxy", uid=None):
        path = self.world.folder / f"bundle-{self.id()}"
        command = [PROGRAM, "collect", *arguments, "--bundle", str(path)]
        if uid:
            shutil.copy(PROGRAM, self.world.folder / "debrief")
            command[0] = str(self.world.folder / "debrief")
            home = self.world.folder / "home"
            home.mkdir(exist_ok=True)
            os.chown(home, uid, uid)
            path = home / "bundle"
            command[-1] = str(path)
        done = subprocess.run(self.world.wrap(side, command, uid), capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        return path, done.stderr

    def records(self, bundle, name):
        done = subprocess.run([PROGRAM, "evidence", bundle, name, "-o", "json"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        return [record["fields"] for record in json.loads(done.stdout)["evidence"][0]["records"]]

    def test_what_the_machine_says(self):
        bundle, said = self.bundle(f"http://127.0.0.1:{ADMIN}", "--host")
        for line in said.splitlines():  # `ip netns exec` hides the tree of control groups
            self.assertIn("/cgroup: ", line)
        process, = self.records(bundle, "host.process")
        self.assertEqual((process["pid"], process["uid"]), (str(self.pid), str(NOBODY)))
        self.assertEqual(int(process["cap_eff"], 16), 0)
        sockets = {record["port"]: record for record in self.records(bundle, "host.sockets")}
        self.assertEqual(sockets["8080"]["pid"], str(self.pid))
        self.assertNotIn("80", sockets)
        self.assertIn({"kind": "search", "value": "shop.svc.cluster.local"},
                      self.records(bundle, "host.resolver"))
        settings = {record["name"]: record.get("value") for record in self.records(bundle, "host.sysctl")}
        self.assertEqual(settings["net.ipv4.ip_unprivileged_port_start"], "1024")
        redirect, = [record for record in self.records(bundle, "host.firewall") if record.get("action") == "REDIRECT"]
        self.assertIn("8765", redirect["rule"])
        self.assertIn("10.97.0.0/24", [record["destination"] for record in self.records(bundle, "host.routes")])
        files, = [record for record in self.records(bundle, "host.limits") if record["name"] == "open files"]
        self.assertGreater(int(files["open"]), 5)
        self.assertIn(self.records(bundle, "host.clock")[0]["synchronized"], ("yes", "no"))

    def test_the_namespace_is_the_envoys_and_not_ours(self):
        """From outside, the one Envoy is looked at where it lives."""
        self.world.run("proxy", "sysctl", "-qw", "net.ipv4.ip_unprivileged_port_start=1000")
        self.addCleanup(self.world.run, "proxy", "sysctl", "-qw", "net.ipv4.ip_unprivileged_port_start=1024")
        done = subprocess.run([PROGRAM, "collect", "--host", "--bundle", self.world.folder / "outside"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        bundle = self.world.folder / "outside"
        if not (bundle / "bundle.json").exists():  # other Envoys run on this machine: each is a target
            bundle = bundle / f"host_{self.pid}.tar.gz"
        self.assertIn("8080", [record["port"] for record in self.records(bundle, "host.sockets")])
        settings = {record["name"]: record.get("value") for record in self.records(bundle, "host.sysctl")}
        self.assertEqual(settings["net.ipv4.ip_unprivileged_port_start"], "1000")
        self.assertIn("8765", str(self.records(bundle, "host.firewall")))
        self.assertIn("10.97.0.2", str(self.records(bundle, "host.resolver")))

    def test_the_denied_port_is_proved(self):
        done = self.world.run("proxy", PROGRAM, "check", f"http://127.0.0.1:{ADMIN}", "--host", "--evidence",
                              self.world.folder / "envoy.log", "-o", "json")
        self.assertEqual(done.returncode, 3, done.stderr)
        target, = json.loads(done.stdout)["targets"]
        finding = next(each for each in target["findings"] if each["id"] == "low-ports.bind-denied")
        self.assertEqual(finding["rank"], 1)
        self.assertTrue(any(proof["source"].startswith("host/") for proof in finding["evidence"]), finding["evidence"])
        self.assertFalse([ask for ask in target["asks"] if ask["evidence"] == "host.process"])

    def test_a_bundle_finds_the_same(self):
        bundle, _ = self.bundle(f"http://127.0.0.1:{ADMIN}", "--host", "--evidence", str(self.world.folder / "envoy.log"))
        live = self.world.run("proxy", PROGRAM, "check", f"http://127.0.0.1:{ADMIN}", "--host", "--evidence",
                              self.world.folder / "envoy.log", "-o", "json")
        saved = subprocess.run([PROGRAM, "check", bundle, "-o", "json"], capture_output=True, text=True)
        ids = [[finding["id"] for finding in json.loads(done.stdout)["targets"][0]["findings"]] for done in (live, saved)]
        self.assertEqual(*ids)

    def test_without_privileges_the_rest_is_kept(self):
        bundle, said = self.bundle(f"http://127.0.0.1:{ADMIN}", "--host", uid=NOBODY + 1)
        self.assertIn("run as root", said)
        process = self.records(bundle, "host.process")
        self.assertEqual([each["pid"] for each in process], [str(self.pid)])
        self.assertIn("8080", [record["port"] for record in self.records(bundle, "host.sockets")])

    def test_dry_run_names_all_and_asks_nothing(self):
        done = self.world.run("proxy", PROGRAM, "check", "--host", "--dry-run")
        self.assertEqual(done.returncode, 0)
        for line in ("read /proc/<envoy>/status", "iptables-save -c", "nft list ruleset"):
            self.assertIn(line, done.stdout)

    def test_several_targets_are_a_mistake(self):
        done = subprocess.run([PROGRAM, "check", "127.0.0.1:1", "127.0.0.1:2", "--host"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 2)
        self.assertIn("--host belongs to one target", done.stderr)


if __name__ == "__main__":
    world.need("nft", "setpriv", "ss")
    if not world.envoy_binary():
        world.skip("no Envoy in " + str(world.CACHE) + " (scripts/setup test fetches it)")
    world.main()
