"""Pasted text in every encoding and dress: the same evidence, the same places."""
import json

import harness
from harness import Case, debrief

TASKS = """{
  "tasks": [
    {
      "taskArn": "arn:aws:ecs:us-west-2:111122223333:task/shop/0f6d1c2b",
      "lastStatus": "STOPPED",
      "stoppedReason": "Essential container in task exited – häh?"
    }
  ]
}
"""
LOG = ("[2026-11-21 08:00:00.123][12][warning][config] [a.cc:163] gRPC config for x rejected: Error adding/updating "
       "listener(s) a: cannot bind '0.0.0.0:80': Permission denied\n")
PASTE = "Hi,\n$ aws ecs describe-tasks --cluster shop\n" + TASKS + "$ docker logs envoy\n" + LOG


class Pastes(Case):
    def evidence(self, content, name):
        path = self.dir / "paste.txt"
        path.write_bytes(content)
        result = debrief("evidence", path, name, "-o", "json")
        self.assertStatus(result, 0)
        return json.loads(result.out)

    def judged(self, content):
        path = self.dir / "paste.txt"
        path.write_bytes(content)
        return debrief("check", path, "-o", "json")

    def assertRead(self, content):
        text = json.dumps(self.evidence(content, "aws.tasks"))
        self.assertIn("line 3/tasks/0", text)
        self.assertIn("0f6d1c2b", text)
        text = json.dumps(self.evidence(content, "log.bind_failed"))
        self.assertIn("line 13", text)
        self.assertIn("0.0.0.0", text)

    def test_encodings(self):
        for name in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"):
            with self.subTest(name):
                self.assertRead(PASTE.encode(name))
        with self.subTest("utf-16-be with a mark"):
            self.assertRead(b"\xfe\xff" + PASTE.encode("utf-16-be"))

    def test_line_ends(self):
        for end in ("\r\n", "\r", "\r\r\n"):
            with self.subTest(repr(end)):
                self.assertRead(PASTE.replace("\n", end).encode())
        self.assertRead(PASTE.replace("\n", "\r\n").encode("utf-16"))

    def test_colours(self):
        for sign in ("\x1b", "", "^[", "\\u001b", "\\x1b", "\\033", "\u241b"):
            with self.subTest(repr(sign)):
                lines = [f"{sign}[1;33m{line}{sign}[0m" for line in PASTE.splitlines()]
                self.assertRead("\n".join(lines).encode())

    def test_quotes_fences_numbers(self):
        lines = PASTE.splitlines()
        dresses = {
            "mail": "\n".join("> " + line if line else ">" for line in lines),
            "mail twice": "\n".join(">> " + line for line in lines),
            "html": PASTE.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;").replace("'", "&#39;"),
            "numbers": "\n".join(f"{n:6}\t{line}" for n, line in enumerate(lines, 1)),
            "times": "\n".join(f"2026-11-21T08:00:00.0000000Z {line}" for line in lines),
            "compose": "\n".join(f"envoy-1  | {line}" for line in lines),
            "bar": "\n".join("| " + line for line in lines),
        }
        for name, text in dresses.items():
            with self.subTest(name):
                self.assertRead(text.encode())

    def test_standard_input(self):
        done = debrief("check", "-", "-o", "json", input=PASTE)
        ids = [finding["id"] for finding in done.target["findings"]]
        self.assertIn("low-ports.bind-denied", ids)

    def test_what_nobody_reads_is_named(self):
        result = self.judged(("hello\n{\n \"x\": 1,\n \"y\": {\n  \"z\": 2\n }\n}\n" + LOG).encode())
        problems = result.target["sources"][0]["problems"]
        self.assertEqual(problems, ["lines 2 to 7 hold JSON with x, y, which no reader knows"])

    def test_a_long_log_goes_on_behind_its_head(self):
        text = PASTE + LOG.replace(":80", ":8080").replace("Permission denied", "Address already in use") * 40_000
        text += LOG.replace(":80", ":81")
        found = json.dumps(self.evidence(text.encode(), "log.bind_failed"))
        self.assertIn("line 40014", found)
        self.assertRead(text.encode())


harness.main()
