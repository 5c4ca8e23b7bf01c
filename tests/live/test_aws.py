"""debrief asks AWS: the real client, a real emulator, and an overlay for the states that the emulator never has."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE.parent))
import calls
import transcripts

TOP = HERE.parent.parent
PROGRAM = os.path.realpath(os.environ.get("DEBRIEF") or HERE.parent.parent / "build-release/debrief")
CACHE = pathlib.Path(os.environ.get("DEBRIEF_TEST_CACHE") or
                     pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "debrief-test")
VENV = CACHE / "aws-venv/bin"


class Live(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        assert (VENV / "aws").exists(), "no aws client in %s: scripts/setup test installs it" % VENV
        cls.folder = tempfile.mkdtemp(prefix="debrief-live-")
        cls.scene = subprocess.Popen([VENV / "python", HERE / "aws_scene.py", "DescribeVpcEndpoints"], stdin=subprocess.PIPE,
                                     stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                                     env=cls.environment())
        cls.names = json.loads(cls.scene.stdout.readline())

    @classmethod
    def tearDownClass(cls):
        cls.scene.stdin.close()
        cls.scene.kill()
        cls.scene.wait()
        cls.scene.stdout.close()
        shutil.rmtree(cls.folder)

    @classmethod
    def environment(cls, **more):
        kept = {name: os.environ[name] for name in ("TMPDIR", "ASAN_OPTIONS", "UBSAN_OPTIONS") if name in os.environ}
        return {**kept, "PATH": "%s:/usr/bin:/bin" % HERE, "REAL_AWS": str(VENV / "aws"), "HOME": cls.folder, "LANG": "C.UTF-8",
                "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-west-2",
                "AWS_EC2_METADATA_DISABLED": "true", **more}

    def run_debrief(self, *arguments, **more):
        environment = self.environment(AWS_ENDPOINT_URL=self.names["endpoint"], **more)
        return subprocess.run([PROGRAM, *arguments], env=environment, cwd=self.folder, text=True, timeout=400,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def test_a_service_is_followed_to_all_around_its_task(self):
        """Once, because it is some thirty calls of a client that takes half a second to start."""
        path = pathlib.Path(self.folder) / "task.tar.gz"
        made = pathlib.Path(self.folder) / "calls"
        self.run_debrief("collect", "--aws", "prod/service/orders", "--bundle", str(path), "--timeout", "5m",
                         CALLS=str(made))
        self.it_only_reads_and_announces_it_all(made)
        with tarfile.open(path) as archive:
            held = {member.name.split("/", 1)[-1]: archive.extractfile(member).read().decode()
                    for member in archive if member.isfile()}
        index = json.loads(held["bundle.json"])
        self.assertEqual(index["target"], "ecs:prod/" + self.names["task"])
        self.assertNotIn("hunter2secret", "".join(held.values()))
        self.every_call_is_there(index)
        self.the_refusal_is_told(index, held)
        self.the_rest_is_judged(path)

    def it_only_reads_and_announces_it_all(self, path):
        made = calls.read(path)
        self.assertGreater(len(made), 20)
        self.assertEqual(calls.not_reading(made), [])
        announced = self.run_debrief("check", "--aws", "prod/service/orders", "--dry-run", CALLS=str(path)).stdout
        self.assertEqual(calls.read(path), made, "the dry run asked somebody")
        self.assertEqual(calls.not_announced(made, announced), [])

    def every_call_is_there(self, index):
        asked = {" ".join(row["origin"].split()[1:3]) for row in index["files"]}
        self.assertLessEqual({
            "ecs describe-tasks", "ecs describe-task-definition", "ecs describe-services", "iam get-role",
            "iam list-role-policies", "iam get-role-policy", "iam list-attached-role-policies", "iam get-policy",
            "iam get-policy-version", "ec2 describe-network-interfaces", "ec2 describe-security-groups",
            "ec2 describe-subnets", "ec2 describe-route-tables", "ec2 describe-network-acls",
            "ec2 describe-vpc-endpoints", "elbv2 describe-target-groups", "elbv2 describe-target-health",
            "elbv2 describe-listeners", "elbv2 describe-rules", "ecr describe-repositories",
            "ecr get-repository-policy", "appmesh describe-mesh", "appmesh describe-virtual-node",
            "appmesh describe-virtual-service", "appmesh describe-virtual-router", "appmesh list-routes",
            "appmesh describe-route", "servicediscovery get-service", "servicediscovery list-instances",
            "servicediscovery get-namespace", "logs filter-log-events"}, asked)

        nodes = {row["origin"].split("--virtual-node-name ")[1].split()[0] for row in index["files"]
                 if "describe-virtual-node" in row["origin"]}
        self.assertEqual(nodes, {"orders", "stock"})

    def test_a_virtual_gateway_is_followed_to_its_routes(self):
        done = self.run_debrief("check", "--aws", "mesh/shop/virtualGateway/edge", "-o", "json")
        target = json.loads(done.stdout)["targets"][0]
        names = {source["name"] for source in target["sources"] if not source["problems"]}
        self.assertLessEqual({"aws/appmesh-describe-virtual-gateway-edge.json", "aws/appmesh-describe-gateway-route-all.json",
                              "aws/appmesh-describe-virtual-service-stock.json", "aws/appmesh-describe-route-all.json",
                              "aws/appmesh-describe-virtual-node-stock.json"}, names)
        self.assertEqual(target["unrecognised"], [])

    def the_refusal_is_told(self, index, held):
        row = next(row for row in index["files"] if "describe-vpc-endpoints" in row["name"])
        self.assertEqual(row["problems"], ["permission missing: ec2:DescribeVpcEndpoints on *, for "
                                           "arn:aws:sts::123456789012:assumed-role/reader/me"])
        said = next(text for name, text in held.items() if name.endswith(".stderr.txt") and "vpc-endpoints" in name)
        self.assertIn("when calling the DescribeVpcEndpoints operation: You are not authorized", said)

    def the_rest_is_judged(self, path):
        done = self.run_debrief("check", str(path), "-o", "json")
        self.assertEqual(done.returncode, 3)
        target = json.loads(done.stdout)["targets"][0]
        self.assertEqual(target["unrecognised"], [])
        self.assertIn("image-pull.access-denied", [finding["id"] for finding in target["findings"]])
        for finding in target["findings"]:
            for proof in finding["evidence"]:
                self.assertNotIn("stderr", proof["source"], "our own refusal was taken for the task's")
        if os.environ.get("SHOW"):
            print(self.run_debrief("check", str(path)).stdout)

    def test_the_documents_show_what_is_printed(self):
        """`debrief check` and its dry run beside it, as docs/live.md has them."""
        shown = [block for block in transcripts.blocks(TOP / "docs/live.md") if block[0][1].startswith("ecs:")]
        self.assertEqual(len(shown), 2)
        for command, parts in shown:
            task = command[1].split("/")[1]
            words = [word.replace(task, self.names["task"]) for word in command]
            done = self.run_debrief(*words, *([] if "--dry-run" in words else ["--timeout", "5m"]))
            parts = [part.replace(task, self.names["task"]) for part in parts]
            self.assertIsNone(transcripts.missing(parts, done.stdout), done.stdout)

    def test_dry_run(self):
        done = self.run_debrief("check", "--aws", "prod/0123", "--dry-run")
        lines = done.stdout.splitlines()
        self.assertEqual(lines[0], "aws ecs describe-tasks --cluster prod --tasks 0123 --output json")
        self.assertIn("then: aws iam get-role --role-name <executionRoleArn> --output json", lines)
        self.assertEqual(len(lines), len(set(lines)), "a line stands twice")

    def headline(self, target, **more):
        done = self.run_debrief("check", target, "-o", "json", **more)
        report = json.loads(done.stdout)
        self.assertEqual((done.returncode, report["summary"]["verdict"]), (1, "unknown"))
        problems = [problem for source in report["targets"][0]["sources"] for problem in source["problems"]]
        self.assertEqual(len(problems), 1, problems)
        return problems[0]

    def test_what_is_not_there_is_told_with_what_is(self):
        self.assertEqual(self.headline("ecs:prod/0123"), "no task '0123' in cluster 'prod'; ECS forgets a stopped task "
                         "after an hour; running: %s" % self.names["task"])
        self.assertEqual(self.headline("ecs:prod/service/nosuch"), "no service 'nosuch' in cluster 'prod'; services: orders")
        self.assertEqual(self.headline("ecs:nope"), "no cluster 'nope'; clusters: prod")

    def test_an_aws_that_cannot_ask(self):
        self.assertIn("aws has no credentials here",
                      self.headline("ecs:prod/0123", AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY=""))
        self.assertIn("see 'aws configure list-profiles'", self.headline("ecs:prod/0123", AWS_PROFILE="nosuch"))
        self.assertEqual(self.headline("ecs:prod/0123", PATH="/nonexistent"),
                         "'aws' is not installed here (not found on PATH)")


if __name__ == "__main__":
    unittest.main()
