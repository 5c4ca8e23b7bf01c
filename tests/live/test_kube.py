"""debrief asks a cluster: a real kubectl, a small API server over recorded objects, and a real Envoy behind the pod."""
import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
import unittest
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import calls
from kube_api import Cluster
import kube_objects
from kube_objects import NAMESPACE, POD

PROGRAM = os.path.realpath(os.environ.get("DEBRIEF") or HERE.parent.parent / "build-release/debrief")
CACHE = pathlib.Path(os.environ.get("DEBRIEF_TEST_CACHE") or
                     pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "debrief-test")
TARGET = "k8s:%s/%s" % (NAMESPACE, POD)


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def bootstrap(admin_port, xds_port):
    """An Envoy whose management server refuses every connection."""
    def address(port):
        return {"socket_address": {"address": "127.0.0.1", "port_value": port}}
    options = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
    cluster = {"name": "ads", "type": "STATIC", "connect_timeout": "1s",
               "typed_extension_protocol_options": {options: {
                   "@type": "type.googleapis.com/" + options, "explicit_http_config": {"http2_protocol_options": {}}}},
               "load_assignment": {"cluster_name": "ads", "endpoints": [{"lb_endpoints": [
                   {"endpoint": {"address": address(xds_port)}}]}]}}
    ads = {"ads": {}, "resource_api_version": "V3"}
    service = {"envoy_grpc": {"cluster_name": "ads", "retry_policy": {
        "retry_back_off": {"base_interval": "0.2s", "max_interval": "0.4s"}}}}
    return {"node": {"id": "mesh/shop-mesh/virtualNode/orders_shop", "cluster": "orders"},
            "admin": {"address": address(admin_port)},
            "dynamic_resources": {"cds_config": ads, "lds_config": ads, "ads_config": {
                "api_type": "GRPC", "transport_api_version": "V3", "grpc_services": [service]}},
            "static_resources": {"clusters": [cluster]}}


class Envoy:
    def __init__(self, folder):
        self.port, self.log = free_port(), pathlib.Path(folder) / "envoy.log"
        config = pathlib.Path(folder) / "envoy.json"
        config.write_text(json.dumps(bootstrap(self.port, free_port())))
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [CACHE / "envoy-1.36.4", "-c", config, "--use-dynamic-base-id", "--concurrency", "1"], stderr=log)
        self._wait()

    def _wait(self):
        for _ in range(200):
            with contextlib.suppress(OSError):
                if b"connect_fail" in urllib.request.urlopen(
                        "http://127.0.0.1:%d/stats?filter=connect_fail" % self.port, timeout=2).read():
                    if "closed" in self.log.read_text():
                        return
            time.sleep(0.1)
        raise AssertionError("Envoy does not come up: " + self.log.read_text()[-2000:])

    def stop(self):
        self.process.kill()
        self.process.wait()


class Live(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="debrief-live-")
        cls.kubectls = [path for path in (shutil.which("kubectl"), shutil.which(CACHE / "kubectl-1.37")) if path]
        assert cls.kubectls, "no kubectl here: scripts/setup test installs it"
        cls.envoy = Envoy(cls.folder)

    @classmethod
    def tearDownClass(cls):
        cls.envoy.stop()
        shutil.rmtree(cls.folder)

    def cluster(self, **how):
        logs = {(POD, "app", False): "listening on 8080\n", (POD, "envoy", False): self.envoy.log.read_text,
                (POD, "envoy", True): "[2026-11-21 06:00:03.000][1][info][main] [source/server/server.cc:1] starting\n"}
        cluster = Cluster(kube_objects.cluster(self.envoy.port), logs, **how).__enter__()
        self.addCleanup(cluster.__exit__)
        return cluster

    def run_debrief(self, cluster, *arguments, **more):
        with self.started(cluster, *arguments, **more) as process:
            out, err = process.communicate(timeout=60)
        return process.returncode, out, err

    def started(self, cluster, *arguments, **more):
        config = pathlib.Path(self.folder) / ("kubeconfig-%d" % id(cluster))
        config.write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "test",
            "clusters": [{"name": "test", "cluster": {"server": cluster.url}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "reader"}}],
            "users": [{"name": "reader", "user": {}}]}))
        kept = {name: os.environ[name] for name in ("TMPDIR", "ASAN_OPTIONS", "UBSAN_OPTIONS") if name in os.environ}
        environment = {**kept, "PATH": "%s:%s" % (HERE, os.environ["PATH"]), "HOME": self.folder, "LANG": "C.UTF-8",
                       "KUBECONFIG": str(config), "REAL_KUBECTL": self.kubectls[0], "TEST_PYTHON": sys.executable, **more}
        return subprocess.Popen([PROGRAM, *arguments], env=environment, cwd=self.folder, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def report(self, cluster, *arguments, **more):
        status, out, err = self.run_debrief(cluster, "check", *arguments, "-o", "json", **more)
        try:
            return status, json.loads(out)
        except ValueError:
            raise AssertionError("no report: %d %s %s" % (status, out, err))

    def test_one_pod_end_to_end(self):
        for kubectl in self.kubectls:
            with self.subTest(kubectl=kubectl):
                self.one_pod_end_to_end(kubectl)

    def one_pod_end_to_end(self, kubectl):
        cluster = self.cluster()
        status, report = self.report(cluster, TARGET, REAL_KUBECTL=kubectl)
        target = report["targets"][0]
        self.assertEqual(status, 3, target["findings"])
        if os.environ.get("SHOW"):
            print(self.run_debrief(cluster, "check", TARGET, "-v")[1])
        self.assertEqual(target["findings"][0]["id"], "ems-connection.refused")
        self.assertEqual(target["envoy"]["version"], "1.36.4")
        sources = {source["name"] for source in target["sources"]}
        for name in ("admin/config_dump.json", "k8s/pod-%s.json" % POD, "k8s/deployment-orders.json",
                     "k8s/virtualnodes.appmesh.k8s.aws.json", "log/%s_envoy.log" % POD,
                     "log/%s_envoy.previous.log" % POD, "k8s/events.json", "k8s/node-node-a.json"):
            self.assertIn(name, sources)
        self.assertNotIn("image-pull", json.dumps(target["findings"]), "an event of another pod was used")
        self.assertFalse([path for path in cluster.asked if path.startswith("secrets")])

    def test_a_deployment_is_its_pods(self):
        status, report = self.report(self.cluster(), "k8s:%s/deploy/orders" % NAMESPACE)
        self.assertEqual([target["name"] for target in report["targets"]], [TARGET])
        self.assertEqual(status, 3)

    def test_a_deployment_of_many_pods(self):
        """A target for each, and a word on those that are too many; here none runs, so that it is quick."""
        objects = [item for item in kube_objects.cluster(self.envoy.port) if item["kind"] != "Pod"]
        pods = [kube_objects.pod(self.envoy.port, "orders-%02d" % number, "Pending") for number in range(52)]
        with Cluster(objects + pods) as cluster:
            status, out, err = self.run_debrief(cluster, "check", "k8s:%s/deploy/orders" % NAMESPACE, "--shard", "1/25",
                                                "-o", "json")
        names = [target["name"] for target in json.loads(out)["targets"]]
        self.assertEqual(len(names), 2, names)
        self.assertTrue(all(name.startswith("k8s:shop/orders-") for name in names), names)
        self.assertIn("k8s:shop/deploy/orders stands for more than is asked at once: 50 are taken, 2 are left out", err)

    def test_a_pod_that_never_started(self):
        """Its proxy has no admin page to ask, and its events tell why."""
        image = "111122223333.dkr.ecr.us-west-2.amazonaws.com/shop/envoy:v9"
        objects = [item for item in kube_objects.cluster(self.envoy.port) if item["kind"] != "Event" and
                   item["metadata"]["name"] != POD]
        pod = kube_objects.pod(self.envoy.port, POD, "Pending")
        pod["status"]["containerStatuses"] = [{"name": "envoy", "image": image, "ready": False, "restartCount": 0, "state": {
            "waiting": {"reason": "ImagePullBackOff", "message": 'Back-off pulling image "%s"' % image}}}]
        event = {"apiVersion": "v1", "kind": "Event", "type": "Warning", "reason": "Failed", "count": 4,
                 "metadata": {"name": "e", "namespace": NAMESPACE}, "involvedObject": {
                     "kind": "Pod", "name": POD, "namespace": NAMESPACE, "fieldPath": "spec.containers{envoy}"},
                 "firstTimestamp": "2026-11-21T06:00:05Z", "lastTimestamp": "2026-11-21T06:05:05Z",
                 "message": 'Failed to pull image "%s": failed to resolve reference "%s": %s: not found' % (image, image, image)}
        with Cluster(objects + [pod, event]) as cluster:
            status, report = self.report(cluster, TARGET)
        target = report["targets"][0]
        self.assertEqual((status, target["findings"][0]["id"]), (3, "image-pull.tag-not-found"))
        problems = {source["name"]: source["problems"] for source in target["sources"] if source["problems"]}
        self.assertEqual(problems, {"admin/server_info.json": ["not asked: the pod's phase is Pending"]})

    def test_kube_adds_to_an_address(self):
        status, report = self.report(self.cluster(), "http://127.0.0.1:%d" % self.envoy.port,
                                     "--kube", "%s/%s" % (NAMESPACE, POD))
        names = {source["name"] for source in report["targets"][0]["sources"]}
        self.assertIn("admin/server_info.json", names)
        self.assertIn("k8s/pod-%s.json" % POD, names)
        self.assertEqual(status, 3)

    def test_dry_run_asks_nobody(self):
        cluster = self.cluster()
        status, out, _ = self.run_debrief(cluster, "check", TARGET, "--dry-run")
        self.assertEqual(status, 0)
        self.assertEqual(cluster.asked, [])
        lines = out.splitlines()
        self.assertEqual(lines[0], "kubectl get pod %s -n shop -o json" % POD)
        self.assertTrue(any(line.startswith("then: kubectl logs ") for line in lines), out)
        self.assertTrue(any(line.startswith("then: kubectl port-forward ") for line in lines), out)
        self.assertEqual(len(lines), len(set(lines)), "a line stands twice")

    def test_the_rest_is_judged_when_one_thing_is_forbidden(self):
        status, report = self.report(self.cluster(forbidden=["nodes", "networkpolicies"]), TARGET, "--fail-on", "never")
        target = report["targets"][0]
        self.assertEqual((status, target["findings"][0]["id"]), (0, "ems-connection.refused"))
        problems = {source["name"]: source["problems"] for source in target["sources"] if source["problems"]}
        self.assertEqual(problems["k8s/node-node-a.json"],
                         ["permission missing: get nodes at the cluster scope, for user reader"])
        self.assertIn("permission missing: list networkpolicies.networking.k8s.io in namespace shop, for user reader",
                      problems["k8s/networkpolicies.json"][0])
        self.assertIn("k8s/node-node-a.json.stderr.txt", {source["name"] for source in target["sources"]})

    def test_it_only_reads_and_announces_it_all(self):
        for target in (TARGET, "k8s:%s/deploy/orders" % NAMESPACE, "k8s:%s/nosuch" % NAMESPACE):
            with self.subTest(target=target):
                path = pathlib.Path(self.folder) / ("calls-" + target.replace("/", "_"))
                cluster = self.cluster()
                self.report(cluster, target, CALLS=str(path))
                made = calls.read(path)
                self.assertGreater(len(made), 2)
                self.assertEqual(calls.not_reading(made), [])
                announced = self.run_debrief(cluster, "check", target, "--dry-run", CALLS=str(path))[1]
                self.assertEqual(calls.read(path), made, "the dry run asked somebody")
                self.assertEqual(calls.not_announced(made, announced), [])

    def headline(self, *arguments, **more):
        """The one thing that is said of a target of which nothing could be read."""
        path = pathlib.Path(self.folder) / "calls-headline"
        path.unlink(missing_ok=True)
        status, report = self.report(self.cluster(), *arguments, CALLS=str(path), **more)
        self.assertEqual((status, report["summary"]["verdict"]), (1, "unknown"))
        problems = [problem for source in report["targets"][0]["sources"] for problem in source["problems"]]
        self.assertEqual(len(problems), 1, problems)
        return problems[0], calls.read(path)

    def test_what_is_not_there_is_told_with_what_is(self):
        known = "k8s:%s, k8s:%s/deploy/orders" % (TARGET[4:], NAMESPACE)
        for target, expected in (
                ("shop/nosuch", "no pod 'nosuch' in namespace 'shop'; there are: " + known),
                ("shop/orders", "no pod 'orders' in namespace 'shop'; there are: " + known),
                ("shop/ds/orders", "no daemonset 'orders' in namespace 'shop'; there are: " + known),
                ("typo/" + POD, "no pod '%s' in namespace 'typo'; in another namespace there is %s" % (POD, TARGET)),
                (POD, "no pod '%s' in the namespace of kubectl's context; in another namespace there is %s"
                 % (POD, TARGET)),
                ("typo/deploy/orders", "no deployment 'orders' in namespace 'typo'; nothing is there; namespaces: shop, "
                 "appmesh-system")):
            with self.subTest(target=target):
                self.assertEqual(self.headline("k8s:" + target)[0], expected)

    def test_a_kubectl_that_cannot_ask(self):
        """Told once, with what to do, and nothing else is asked."""
        for said, expected in (
                ("error: You must be logged in to the server (Unauthorized)", "kubectl's login is not valid"),
                ("Unable to connect to the server: getting credentials: exec: executable aws failed with exit code 255",
                 "the program by which kubectl logs in fails"),
                ("Unable to connect to the server: dial tcp: lookup c.eks.amazonaws.com: no such host",
                 "kubectl does not reach the server of its context"),
                ("error: current-context is not set", "kubectl knows no cluster here"),
                ("a surprise", "a surprise")):
            with self.subTest(said=said):
                told, made = self.headline(TARGET, KUBECTL_FAILS=said)
                self.assertTrue(told.startswith(expected), told)
                self.assertIn(said, told)
                self.assertEqual(len(made), 1)

    def test_no_kubectl_and_no_context(self):
        self.assertIn("kubectl knows no cluster here", self.headline(TARGET, KUBECONFIG="/nonexistent")[0])
        self.assertEqual(self.headline(TARGET, PATH="/nonexistent")[0],
                         "'kubectl' is not installed here (not found on PATH)")

    def test_a_workload_without_pods_is_judged_all_the_same(self):
        objects = [item for item in kube_objects.cluster(self.envoy.port) if item["kind"] != "Pod"]
        with Cluster(objects) as cluster:
            _, report = self.report(cluster, "k8s:%s/deploy/orders" % NAMESPACE)
        target = report["targets"][0]
        sources = {source["name"]: source["problems"] for source in target["sources"]}
        self.assertEqual(sources["k8s/pods-of-orders.json"], ["no pod stands behind it"])
        self.assertEqual(sources["k8s/deployment-orders.json"], [])

    def test_warnings_before_the_answer(self):
        status, report = self.report(self.cluster(), TARGET, KUBECTL_WARNS="Your session ends in 5 minutes.")
        target = report["targets"][0]
        self.assertEqual((status, target["findings"][0]["id"]), (3, "ems-connection.refused"))
        self.assertIn("k8s/deployment-orders.json", {source["name"] for source in target["sources"]})

    def test_a_bundle_says_what_was_run_and_holds_no_secret(self):
        path = pathlib.Path(self.folder) / "pod.tar.gz"
        self.run_debrief(self.cluster(), "collect", TARGET, "--bundle", str(path))
        with tarfile.open(path) as archive:
            held = {member.name.split("/", 1)[-1]: archive.extractfile(member).read().decode()
                    for member in archive if member.isfile()}
        rows = {row["name"]: row for row in json.loads(held["bundle.json"])["files"]}
        self.assertEqual(rows["k8s/pod-%s.json" % POD]["origin"], "kubectl get pod %s -n shop -o json" % POD)
        self.assertNotIn("hunter2secret", "".join(held.values()))

    def test_a_kubectl_that_hangs(self):
        before = time.monotonic()
        status, report = self.report(self.cluster(), TARGET, "--timeout", "4s", KUBECTL_HANGS="get")
        self.assertLess(time.monotonic() - before, 20)
        self.assertEqual(status, 1)
        self.assertIn("did not answer within its time", json.dumps(report))
        self.assertEqual(self.left_over(), [])

    def test_an_interrupt_ends_everything(self):
        process = self.started(self.cluster(), "check", TARGET, KUBECTL_HANGS="get")
        time.sleep(1.5)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
        self.assertEqual(process.returncode, 130)
        self.assertEqual(self.left_over(), [])

    def left_over(self):
        """Processes of this test's kubectl that still run: known by the folder that stands in their environment."""
        time.sleep(0.5)
        found = []
        for path in pathlib.Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if ("HOME=%s\0" % self.folder).encode() in (path / "environ").read_bytes():
                    found.append((path / "cmdline").read_bytes())
        return found


if __name__ == "__main__":
    unittest.main()
