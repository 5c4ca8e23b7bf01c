"""Pre-flight: the recipes of docs/preflight.md, run exactly as they stand there."""
import json
import os
import re
import subprocess

import harness
from harness import Case

TASK = {
    "family": "cart", "networkMode": "awsvpc",
    "proxyConfiguration": {"type": "APPMESH", "containerName": "envoy", "properties": [
        {"name": "IgnoredUID", "value": "1337"}, {"name": "ProxyIngressPort", "value": "15000"},
        {"name": "ProxyEgressPort", "value": "15001"}, {"name": "AppPorts", "value": "8080"},
        {"name": "EgressIgnoredIPs", "value": "169.254.170.2,169.254.169.254"}]},
    "containerDefinitions": [
        {"name": "app", "image": "registry.example/cart:1.4.2", "portMappings": [{"containerPort": 8080}],
         "dependsOn": [{"containerName": "envoy", "condition": "HEALTHY"}]},
        {"name": "envoy", "image": "registry.example/envoy:v1.31.0", "user": "1337",
         "healthCheck": {"command": ["CMD-SHELL", "curl -s http://localhost:9901/server_info | grep state | grep -q LIVE"],
                         "interval": 5, "timeout": 2, "retries": 3, "startPeriod": 10}}],
}


def task(user="1337", app_port="8080"):
    changed = json.loads(json.dumps(TASK))
    changed["containerDefinitions"][1]["user"] = user
    changed["proxyConfiguration"]["properties"][3]["value"] = app_port
    return json.dumps(changed, indent=2)


def recipe(name):
    text = (harness.TOP / "docs/preflight.md").read_text()
    return re.search(rf"<!-- recipe: {name} -->\n```sh\n(.*?)```", text, re.S)[1]


class Preflight(Case):
    def setUp(self):
        super().setUp()
        (self.dir / "bin").mkdir()
        (self.dir / "bin/debrief").symlink_to(harness.PROGRAM)
        (self.dir / "repo/manifests").mkdir(parents=True)
        self.env = harness.environment(GIT_CONFIG_GLOBAL="/dev/null", GIT_AUTHOR_NAME="a", GIT_AUTHOR_EMAIL="a@example.org",
                                       GIT_COMMITTER_NAME="a", GIT_COMMITTER_EMAIL="a@example.org")
        self.env["PATH"] = f"{self.dir}/bin:{os.environ['PATH']}"

    def run_in_repo(self, *command):
        return subprocess.run(command, cwd=self.dir / "repo", env=self.env, capture_output=True, text=True, timeout=120)

    def manifest(self, text, name="task.json"):
        (self.dir / "repo/manifests" / name).write_text(text)

    def ci(self):
        return self.run_in_repo("sh", "-c", recipe("ci"))

    def commit(self):
        self.run_in_repo("git", "add", "manifests")
        return self.run_in_repo("git", "commit", "-q", "-m", "x")

    def test_ci_step(self):
        for text, status, found in ((task(), 0, []), (task(user="0"), 3, ["traffic-capture.uid-mismatch"]),
                                    (task(app_port="9080"), 4, ["traffic-capture.app-port-missing"])):
            with self.subTest(status):
                self.manifest(text)
                done = self.ci()
                self.assertEqual(done.returncode, status, done.stdout + done.stderr)
                report = json.loads((self.dir / "repo/preflight.json").read_text())
                self.assertEqual([f["id"] for f in report["targets"][0]["findings"] if f["severity"] != "info"], found)
                self.assertIn("task.json", done.stdout)

    def test_ci_step_with_what_is_left_open(self):
        self.manifest(task().replace('"1337"', '"${PROXY_UID}"').replace('"family": "cart"', '"family": $NAME'))
        done = self.ci()
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("$NAME (line 2)", done.stdout)

    def test_ci_step_with_half_a_template_beside_it(self):
        self.manifest(task(user="0"))
        self.manifest("AWSTemplateFormatVersion: '2010-09-09'\nResources:\n  A: {Type: [x\n", "half.yaml")
        done = self.ci()
        self.assertEqual(done.returncode, 3, done.stdout + done.stderr)
        self.assertIn("half.yaml: not YAML at line", done.stdout)

    def test_hook(self):
        if self.run_in_repo("git", "init", "-q").returncode:
            self.skipTest("there is no git here")
        hook = self.dir / "repo/.git/hooks/pre-commit"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(recipe("hook"))
        hook.chmod(0o755)
        self.manifest(task(user="0"))
        refused = self.commit()
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("traffic-capture.uid-mismatch", refused.stdout + refused.stderr)
        self.manifest(task())
        taken = self.commit()
        self.assertEqual(taken.returncode, 0, taken.stdout + taken.stderr)

    def test_hook_judges_what_is_staged(self):
        if self.run_in_repo("git", "init", "-q").returncode:
            self.skipTest("there is no git here")
        self.manifest(task())
        self.run_in_repo("git", "add", "manifests")
        self.manifest(task(user="0"))
        done = self.run_in_repo("sh", "-c", recipe("hook"))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


harness.main()
