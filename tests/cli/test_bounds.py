"""Input made to cost much, and manifests as people leave them: bounded, named, and the rest judged."""
import io
import json
import tarfile
import time

import harness
from harness import Case, debrief

POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: NAME}\nspec:\n  containers:\n  - {name: envoy, image: 'envoyproxy/envoy:v1.30.0'}\n"


def problems(result):
    return " | ".join(problem for source in result.target["sources"] for problem in source["problems"])


class Bounds(Case):
    def checked(self, path, most=60):
        began = time.monotonic()
        result = debrief("check", path, "-o", "json")
        self.assertLess(time.monotonic() - began, most)
        self.assertIn(result.status, (0, 1))
        for check in result.target["checks"]:
            self.assertNotEqual(check["outcome"], "error", check)
        return result

    def test_nested_too_deep(self):
        for name, text in {"a.json": "[" * 100_000, "b.json": '{"apiVersion": "v1", "kind": "List", "items": ' + '[{"a":' * 100_000,
                           "c.yaml": "apiVersion: v1\nkind: Pod\nx: " + "[" * 100_000}.items():
            with self.subTest(name):
                result = self.checked(self.file(name, text))
                self.assertTrue(name in result.target["unrecognised"] or "nested" in problems(result), problems(result))

    def test_anchors_that_multiply(self):
        lines = ["apiVersion: v1", "kind: Pod", 'a0: &a0 ["lol", "lol", "lol", "lol", "lol", "lol", "lol", "lol", "lol"]']
        lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
        self.assertIn("larger than 1 MB", problems(self.checked(self.file("pod.yaml", "\n".join(lines)))))

    def test_many_tiny_objects(self):
        self.checked(self.file("a.json", "[" + '{"a":1},' * 500_000 + "{}]"))
        pods = '{"kind":"Pod","metadata":{"name":"p"}},' * 60_000
        result = self.checked(self.file("pods.json", '{"apiVersion":"v1","kind":"List","items":[' + pods + "{}]}"))
        self.assertIn("more objects than are kept", problems(result))

    def test_an_archive_of_very_many_members(self):
        path = self.dir / "many.tar"
        with tarfile.open(path, "w") as tar:
            for number in range(20_050):
                content = (POD.replace("NAME", "web") if number == 7 else "").encode()
                entry = tarfile.TarInfo(f"f/{number}.yaml")
                entry.size = len(content)
                tar.addfile(entry, io.BytesIO(content))
        result = self.checked(path)
        self.assertIn("holds more than 20000 members; 'f/20000.yaml' and what follows was left", problems(result))
        self.assertIn("kubernetes", {source.get("kind") for source in result.target["sources"]})

    def test_one_line_that_is_all_there_is(self):
        line = "[2026-11-21 07:59:00.000][1][info][main] [source/server/server.cc:1] " + "x " * 10_000_000
        self.assertEqual(self.checked(self.file("envoy.log", line)).target["sources"][0]["kind"], "log.envoy")


class Manifests(Case):
    def records(self, path, name):
        shown = json.loads(debrief("evidence", path, name, "-o", "json").out)["evidence"]
        return [record["fields"] for record in shown[0]["records"]]

    def containers(self, name, text, *wanted):
        """The containers read of TEXT; each of WANTED is named as a problem."""
        path = self.file(name, text)
        result = debrief("check", path, "-o", "json", "--fail-on", "never")
        for each in wanted:
            self.assertIn(each, problems(result))
        if not wanted:
            self.assertEqual(problems(result), "")
        return [fields.get("workload", "") for fields in self.records(path, "containers")]

    def test_a_broken_document_among_others(self):
        text = "---\n".join([POD.replace("NAME", "one"), "a: b\n c: d\n\te: f\n", POD.replace("NAME", "three")])
        self.assertEqual(self.containers("all.yaml", text, "not YAML at line 9"), ["one", "three"])

    def test_a_template_of_helm_among_others(self):
        text = "---\n".join([POD.replace("NAME", "{{ include \"x.name\" . }}"), POD.replace("NAME", "two")])
        self.assertEqual(self.containers("all.yaml", text, "it looks like a template: render it first"), ["two"])

    def test_comments_and_commas_in_json(self):
        text = '// ours\n{"apiVersion": "v1", "kind": "Pod", /* the\npod */ "metadata": {"name": "p",},\n "spec": {"containers": [{"name": "envoy",},]}}\n'
        self.assertEqual(self.containers("pod.json", text, "comments, or commas behind a last element"), ["p"])

    def test_a_patch_of_kustomize(self):
        patch = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  template:\n    spec:\n      containers:\n      - {name: envoy, $patch: delete}\n"
        self.assertEqual(self.containers("patch.yaml", patch), ["web"])

    def test_placeholders_everywhere(self):
        text = ('{"family": "${FAMILY}", "cpu": ${CPU}, "containerDefinitions": [{"name": "envoy", "image": "${IMAGE}", "essential": ${E},\n'
                ' "portMappings": [{"containerPort": ${PORT}}], "environment": [{"name": "A", "value": "x-${B}"}, ${MORE}]}]}')
        self.assertEqual(len(self.containers("task.json", text, "${CPU} (line 1)", "${MORE} (line 2)")), 1)

    def test_compose_with_anchors_and_profiles(self):
        text = ("x-base: &base\n  restart: always\n  environment: &env {A: '1'}\nservices:\n  envoy:\n    <<: *base\n    image: envoyproxy/envoy:v1.30.0\n"
                "    extends: {file: base.yml, service: proxy}\n    profiles: [mesh]\n    environment: {<<: *env, B: '2'}\n")
        self.assertEqual(len(self.containers("docker-compose.yml", text)), 1)
        variables = self.records(self.dir / "docker-compose.yml", "env")
        self.assertEqual({fields["name"] for fields in variables}, {"A", "B"})

    def test_half_a_template(self):
        text = "AWSTemplateFormatVersion: '2010-09-09'\nResources:\n  Task:\n    Type: AWS::ECS::TaskDefinition\n    Properties:\n" \
               "      ContainerDefinitions:\n        - Name: envoy\n          Image: envoyproxy/envoy:v1.30.0\n          User: \"13"
        self.assertEqual(len(self.containers("t.yaml", text, "not YAML at line 9")), 1)


harness.main()
