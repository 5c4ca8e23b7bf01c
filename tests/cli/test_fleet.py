"""Many proxies in one place, in the layouts of the tools that make them."""
import io
import json
import tarfile
import zipfile

import harness
from harness import debrief

START = "[2026-11-21 07:59:00.000][1][info][main] [source/server/server.cc:404] initializing epoch 0\n"
INFO = json.dumps({"version": "a/1.34.1/Clean/RELEASE/BoringSSL", "state": "LIVE"})


def pod(space, name, reason=None):
    """As `kubectl get pod -o json` prints it."""
    state = {"waiting": {"reason": reason, "message": harness.ERROR}} if reason else {"running": {}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"namespace": space, "name": name, "uid": "1"},
            "spec": {"containers": [{"name": "istio-proxy", "image": "istio/proxyv2:1.24.0"}]},
            "status": {"containerStatuses": [{"name": "istio-proxy", "ready": not reason, "state": state}]}}


def listed(*objects):
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})


def tar_of(files):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, text in files.items():
            data = text if isinstance(text, bytes) else text.encode()
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return out.getvalue()


class Fleet(harness.Case):
    def judge(self, place):
        result = self.site(place, "-o", "json")
        verdicts = {"ok": "clean", "unknown": "clean"}
        return {t["name"].split("#", 1)[-1]: verdicts.get(t["verdict"], t["verdict"]) for t in result.report["targets"]}

    def assertFleet(self, files, expected):
        """The same from the archive and from the directory."""
        archive = self.file("in.tar.gz", tar_of(files))
        for name, text in files.items():
            self.file("tree/" + name, text)
        for place in (archive, self.dir / "tree"):
            with self.subTest(place.name):
                self.assertEqual(self.judge(place), expected)

    def test_istioctl_bug_report(self):
        pages = {f"bug-report/proxies/{pod}/{page}": text for pod in ("shop/web-5f4d-x1", "shop/api-6c7e-y2")
                 for page, text in (("server_info", INFO), ("stats/prometheus", "envoy_server_live{} 1\n"), ("certs", "{}"))}
        self.assertFleet({
            **pages,
            "bug-report/proxies/shop/job-8f9a-z3/istio-proxy.log": START + harness.WARNING,
            "bug-report/istio/istio-system/istiod-1/discovery.log": START,
            "bug-report/cluster/k8s-resources": listed(pod("shop", "web-5f4d-x1"), pod("shop", "api-6c7e-y2", "CrashLoopBackOff"),
                                                       pod("shop", "other-1")),
        }, {"bug-report/proxies/shop/web-5f4d-x1": "clean", "bug-report/proxies/shop/api-6c7e-y2": "error",
            "bug-report/proxies/shop/job-8f9a-z3": "warning", "(the rest)": "clean"})

    def test_a_pod_of_no_proxy_is_told_with_the_rest(self):
        logs = {f"b/proxies/n/{name}/istio-proxy.log": START for name in ("a", "b")}
        self.assertFleet({**logs, "b/cluster/k8s-resources": listed(pod("n", "a"), pod("n", "istiod-1", "ImagePullBackOff"))},
                         {"b/proxies/n/a": "clean", "b/proxies/n/b": "clean", "(the rest)": "error"})

    def test_events_go_to_the_pod_that_they_are_about(self):
        logs = {f"b/proxies/n/{name}/istio-proxy.log": START for name in ("a", "b")}
        table = ("NAMESPACE   LAST SEEN   TYPE      REASON   OBJECT      MESSAGE\n"
                 f"n           5m          Warning   Failed   pod/b       {harness.ERROR}"
                 f"n           5m          Warning   Failed   pod/other   {harness.WARNING}")
        self.assertFleet({**logs, "b/cluster/events": table},
                         {"b/proxies/n/a": "clean", "b/proxies/n/b": "error", "(the rest)": "warning"})

    def test_egctl_collect(self):
        dump = json.dumps({"configs": [{"@type": "type.googleapis.com/envoy.admin.v3.BootstrapConfigDump", "bootstrap": {}}]})
        self.assertFleet({
            "envoy-gateway-1/config-dumps/eg/envoy-a-1.json": dump,
            "envoy-gateway-1/config-dumps/eg/envoy-b-2.json": dump,
            "envoy-gateway-1/prometheus-metrics/eg-envoy-b-2.prom": "envoy_server_live{} 1\n",
            "envoy-gateway-1/pod-logs/eg/envoy-b-2/envoy.log": START + harness.ERROR,
            "envoy-gateway-1/pod-logs/eg/envoy-gateway-7/envoy-gateway.log": START + harness.WARNING,
            "envoy-gateway-1/cluster-resources/pods/eg.json": listed(pod("eg", "envoy-a-1")),
        }, {"eg/envoy-a-1": "clean", "eg/envoy-b-2": "error", "(the rest)": "warning"})

    def test_must_gather(self):
        logs = {f"must-gather.local.1/namespaces/n/pods/{name}/istio-proxy/istio-proxy/logs/current.log": START + text
                for name, text in (("a", ""), ("b", harness.ERROR))}
        self.assertFleet({**logs, "must-gather.local.1/namespaces/n/pods/c/app/app/logs/current.log": harness.WARNING,
                          "must-gather.local.1/namespaces/n/pods/a/a.yaml": listed(pod("n", "a", "Unready"))},
                         {"n/a": "error", "n/b": "error", "(the rest)": "warning"})

    def test_support_bundle_and_kubelet(self):
        uid = "0f1e2d3c-0f1e-2d3c-4b5a-0f1e2d3c4b5a"
        self.assertFleet({
            "support-bundle/cluster-resources/pods/logs/n/a/istio-proxy.log": START,
            "support-bundle/cluster-resources/pods/logs/n/a/app-previous.log": harness.ERROR,
            "support-bundle/cluster-resources/pods/logs/n/c/app.log": harness.WARNING,
            f"node/var/log/pods/n_b_{uid}/envoy/0.log": START + harness.WARNING,
            f"node/var/log/containers/b_n_envoy-{'a' * 64}.log": START,
        }, {"n/a": "error", "n/b": "warning", "(the rest)": "warning"})

    def test_cluster_info_dump(self):
        def logs(name, container, text):
            return (f"==== START logs for container {container} of pod n/{name} ====\n{text}"
                    f"==== END logs for container {container} of pod n/{name} ====\n")
        self.assertFleet({
            "dump/n/pods.json": listed(pod("n", "a"), pod("n", "b")),
            "dump/n/a/logs.txt": logs("a", "app", "hello\n" * 20000) + logs("a", "istio-proxy", harness.ERROR),
            "dump/n/b/logs.txt": logs("b", "consul-dataplane", START),
            "dump/n/c/logs.txt": logs("c", "app", harness.WARNING),
        }, {"n/a": "error", "n/b": "clean", "(the rest)": "warning"})

    def test_files_side_by_side(self):
        dump = json.dumps({"configs": [{"@type": "type.googleapis.com/envoy.admin.v3.BootstrapConfigDump", "bootstrap": {}}]})
        self.assertFleet({
            "web-config_dump.json": dump, "api-config_dump.json": dump, "api-stats.txt": "server.live: 1\n",
            "api.log": START + harness.ERROR, "notes.txt": harness.WARNING,
        }, {"api": "error", "web": "clean", "(the rest)": "warning"})

    def test_two_samples_of_counters_are_one_proxy(self):
        self.file("d/stats-1.txt", "server.live: 1\n")
        self.file("d/stats-2.txt", "server.live: 1\n")
        self.assertEqual(list(self.judge(self.dir / "d")), [str(self.dir / "d")])

    def test_an_archive_in_an_archive(self):
        logs = {f"bug-report/proxies/n/{name}/istio-proxy.log": START + text for name, text in (("a", ""), ("b", harness.ERROR))}
        inner = tar_of({**logs, "bug-report/note.txt": harness.WARNING})
        with zipfile.ZipFile(self.dir / "ticket.zip", "w") as outer:
            outer.writestr("files/bug-report.tar.gz", inner)
            outer.writestr("readme.txt", "see inside\n")
        self.file("folder/bug-report.tar.gz", inner)
        self.file("mixed/bug-report.tar.gz", inner)
        self.file("mixed/readme.txt", "see inside\n")
        for place, folder in (("ticket.zip", "files/bug-report.tar.gz/"), ("folder", ""), ("mixed", "bug-report.tar.gz/")):
            with self.subTest(place):
                below = folder + "bug-report/proxies/n/"
                self.assertEqual(self.judge(self.dir / place), {below + "a": "clean", below + "b": "error", "(the rest)": "warning"})

    def test_archives_in_archives_have_an_end(self):
        inner = harness.ERROR
        for depth in range(6):
            inner = tar_of({f"level{depth}.{'txt' if not depth else 'tgz'}": inner})
        result = self.site(self.file("deep.tar.gz", inner), "-o", "json")
        self.assertEqual(result.target["verdict"], "unknown")
        self.assertEqual(len(result.target["unrecognised"]), 1)

    def test_a_member_is_named_and_kept_with_what_concerns_it(self):
        logs = {f"b/proxies/n/{name}/istio-proxy.log": START for name in ("a", "b")}
        archive = self.file("in.tar.gz", tar_of({**logs, "b/cluster/k8s-resources": listed(pod("n", "a", "Bad"), pod("n", "b"))}))
        bundle = self.dir / "kept.tar.gz"
        self.assertStatus(debrief("collect", f"{archive}#b/proxies/n/b", "--bundle", bundle), 0)
        self.assertEqual(self.site(bundle, "-o", "json").target["verdict"], "ok")
        self.assertStatus(debrief("collect", f"{archive}#b/proxies/n/a", "--bundle", self.dir / "other.tar.gz"), 0)
        self.assertEqual(self.site(self.dir / "other.tar.gz", "-o", "json").target["verdict"], "error")

    def test_what_tells_of_others_only_is_listed_once(self):
        logs = {f"b/proxies/n/{name}/istio-proxy.log": START for name in ("a", "b")}
        archive = self.file("in.tar.gz", tar_of({**logs, "b/cluster/strange.bin": b"\0\1\2" * 50}))
        listed_in = [t["name"] for t in self.site(archive, "-o", "json").report["targets"] if t["unrecognised"]]
        self.assertEqual(listed_in, [f"{archive}#(the rest)"])


if __name__ == "__main__":
    harness.main()
