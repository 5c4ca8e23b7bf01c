"""debrief asks AWS: the real client, a real emulator, and an overlay for the states that the emulator never has."""
import json
import os
import pathlib
import shutil
import subprocess
import tarfile
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
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
        return {**kept, "PATH": "%s:/usr/bin:/bin" % VENV, "HOME": cls.folder, "LANG": "C.UTF-8",
                "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-west-2",
                "AWS_EC2_METADATA_DISABLED": "true", **more}

    def run_debrief(self, *arguments, **more):
        environment = self.environment(AWS_ENDPOINT_URL=self.names["endpoint"], **more)
        return subprocess.run([PROGRAM, *arguments], env=environment, cwd=self.folder, text=True, timeout=120,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def test_a_service_is_followed_to_all_around_its_task(self):
        """Once, because it is some thirty calls of a client that takes half a second to start."""
        path = pathlib.Path(self.folder) / "task.tar.gz"
        self.run_debrief("collect", "--aws", "prod/service/orders", "--bundle", str(path))
        with tarfile.open(path) as archive:
            held = {member.name.split("/", 1)[-1]: archive.extractfile(member).read().decode()
                    for member in archive if member.isfile()}
        index = json.loads(held["bundle.json"])
        self.assertEqual(index["target"], "ecs:prod/" + self.names["task"])
        self.assertNotIn("hunter2secret", "".join(held.values()))
        self.every_call_is_there(index)
        self.the_refusal_is_told(index, held)
        self.the_rest_is_judged(path)

    def every_call_is_there(self, index):
        calls = {" ".join(row["origin"].split()[1:3]) for row in index["files"]}
        self.assertLessEqual({
            "ecs describe-tasks", "ecs describe-task-definition", "ecs describe-services", "iam get-role",
            "iam list-role-policies", "iam get-role-policy", "iam list-attached-role-policies", "iam get-policy",
            "iam get-policy-version", "ec2 describe-network-interfaces", "ec2 describe-security-groups",
            "ec2 describe-subnets", "ec2 describe-route-tables", "ec2 describe-network-acls",
            "ec2 describe-vpc-endpoints", "elbv2 describe-target-groups", "elbv2 describe-target-health",
            "elbv2 describe-listeners", "elbv2 describe-rules", "ecr describe-repositories",
            "ecr get-repository-policy", "appmesh describe-mesh", "appmesh describe-virtual-node",
            "logs filter-log-events"}, calls)

    def the_refusal_is_told(self, index, held):
        row = next(row for row in index["files"] if "describe-vpc-endpoints" in row["name"])
        self.assertIn("not authorized to perform: ec2:DescribeVpcEndpoints on resource: *", row["problems"][0])
        said = next(text for name, text in held.items() if name.endswith(".stderr.txt") and "vpc-endpoints" in name)
        self.assertIn("when calling the DescribeVpcEndpoints operation: You are not authorized", said)

    def the_rest_is_judged(self, path):
        done = self.run_debrief("check", str(path), "-o", "json")
        self.assertEqual(done.returncode, 3)
        target = json.loads(done.stdout)["targets"][0]
        self.assertIn("image-pull.access-denied", [finding["id"] for finding in target["findings"]])
        for finding in target["findings"]:
            for proof in finding["evidence"]:
                self.assertNotIn("stderr", proof["source"], "our own refusal was taken for the task's")
        if os.environ.get("SHOW"):
            print(self.run_debrief("check", str(path)).stdout)

    def test_dry_run(self):
        done = self.run_debrief("check", "--aws", "prod/0123", "--dry-run")
        lines = done.stdout.splitlines()
        self.assertEqual(lines[0], "aws ecs describe-tasks --cluster prod --tasks 0123 --output json")
        self.assertIn("then: aws iam get-role --role-name <executionRoleArn> --output json", lines)
        self.assertEqual(len(lines), len(set(lines)), "a line stands twice")

    def test_no_credentials(self):
        done = self.run_debrief("check", "ecs:prod/0123", "-o", "json", AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="")
        self.assertEqual(done.returncode, 1)
        self.assertIn("redential", done.stdout)


if __name__ == "__main__":
    unittest.main()
