"""Targets: what can be named, and that one bad target costs only itself."""
import os
import socket
import tarfile
import zipfile

import harness
from harness import Case, debrief


def names(result):
    return [target["name"] for target in result.report["targets"]]


class Naming(Case):
    def test_admin_address_with_and_without_scheme(self):
        with harness.admin_page() as page:
            for target in (page.url, page.url.removeprefix("http://"), page.url + "/"):
                result = debrief("check", target, "-o", "json")
                self.assertStatus(result, 0)
                self.assertEqual(result.target["envoy"]["version"], "1.36.4")
                self.assertEqual(result.target["envoy"]["state"], "LIVE")

    def test_unix_socket(self):
        with harness.admin_page(path=self.dir / "admin.sock") as page:
            result = debrief("check", page.url, "-o", "json")
        self.assertStatus(result, 0)
        self.assertEqual(result.target["envoy"]["version"], "1.36.4")

    def test_a_proxy_in_the_environment_is_not_asked(self):
        with harness.admin_page() as page:
            result = debrief("check", page.url, "-o", "json", env={"http_proxy": harness.closed_port()})
        self.assertEqual(result.target["envoy"]["version"], "1.36.4")

    def test_files_of_one_call_are_one_target(self):
        a, b = self.file("a.txt", harness.ERROR), self.file("b.txt", harness.WARNING)
        result = self.site(a, b, "-o", "json")
        self.assertEqual(len(result.report["targets"]), 1)
        self.assertEqual(result.report["summary"]["errors"], 1)
        self.assertEqual(result.report["summary"]["warnings"], 1)

    def test_directories_are_targets_of_their_own(self):
        a, b = self.file("a/x.txt", harness.ERROR).parent, self.file("b/x.txt", harness.NOTHING).parent
        result = self.site(a, b, "-o", "json")
        self.assertEqual(names(result), [str(a), str(b)])
        self.assertEqual([t["verdict"] for t in result.report["targets"]], ["error", "ok"])

    def test_archives(self):
        self.file("in/note.txt", harness.ERROR)
        with tarfile.open(self.dir / "a.tar.gz", "w:gz") as tar:
            tar.add(self.dir / "in", "in")
        with zipfile.ZipFile(self.dir / "a.zip", "w") as archive:
            archive.write(self.dir / "in/note.txt", "in/note.txt")
        for name in ("a.tar.gz", "a.zip"):
            with self.subTest(name):
                self.assertStatus(self.site(self.dir / name), 3)

    def test_an_archive_of_many_proxies(self):
        for pod in ("a", "b"):
            self.file(f"report/proxies/{pod}/server_info", '{"version": "x/1.36.4/Clean/RELEASE/y", "state": "LIVE"}')
            self.file(f"report/proxies/{pod}/stats", "server.live: 1\n")
        self.file("report/proxies/b/note.txt", harness.ERROR)
        self.file("report/cluster/note.txt", harness.WARNING)
        with tarfile.open(self.dir / "report.tar.gz", "w:gz") as tar:
            tar.add(self.dir / "report", "report")
        for place, folder in ((self.dir / "report.tar.gz", "report/"), (self.dir / "report", "")):
            with self.subTest(place):
                result = self.site(place, "-o", "json")
                members = [f"{place}#{folder}proxies/a", f"{place}#{folder}proxies/b", f"{place}#(the rest)"]
                self.assertEqual(names(result), members)
                self.assertEqual([t["verdict"] for t in result.report["targets"]], ["unknown", "error", "warning"])
                self.assertEqual(names(self.site(members[1], "-o", "json")), [members[1]])
                refused = debrief("evidence", place)
                self.assertStatus(refused, 2)
                self.assertIn("holds 3 targets", refused.err)

    def test_standard_input(self):
        result = self.site("-", "-o", "json", input=harness.ERROR)
        self.assertStatus(result, 3)
        self.assertIn("SITE error a", result.target["findings"][0]["message"])

    def test_evidence_belongs_to_the_one_target(self):
        log = self.file("more.txt", harness.ERROR)
        with harness.admin_page() as page:
            self.assertStatus(self.site(page.url, "--evidence", log), 3)
            a = self.file("a/x.txt", "").parent
            self.assertUsage(self.site(page.url, a, "--evidence", log), "--evidence")

    def test_evidence_alone_is_the_target(self):
        log = self.file("more.txt", harness.ERROR)
        self.assertStatus(self.site("--evidence", log), 3)
        self.assertStatus(self.site("--evidence", self.file("d/more.txt", harness.ERROR).parent), 3)

    def test_a_proxy_that_does_not_answer_is_not_well(self):
        """However good the log beside it looks: that is of before."""
        result = debrief("check", harness.closed_port(), "--evidence", self.file("envoy.log", harness.NOTHING))
        self.assertStatus(result, 1)
        self.assertIn("unknown: its admin page does not answer; nothing wrong found in what else was read", " ".join(result.out.split()))
        self.assertStatus(debrief("check", self.file("envoy.log", harness.NOTHING)), 0)

    def test_no_such_file(self):
        self.assertUsage(self.site(self.dir / "nothing.txt"), "nothing.txt")

    def test_a_host_without_its_port(self):
        for host in ("127.0.0.1", "localhost", "[::1]"):
            self.assertUsage(self.site(host), f"add the port: {host}:9901 (Istio: 15000, Consul and Envoy Gateway: 19000)")


class Many(Case):
    def test_a_list_with_a_dead_target_among_good_ones(self):
        good = self.file("good/x.txt", harness.NOTHING).parent
        bad = self.file("bad/x.txt", harness.ERROR).parent
        with harness.admin_page() as page:
            listed = self.file("targets.txt", f"# the fleet\n{good} name=first\n\n{harness.closed_port()} name=dead\n"
                                              f"{bad}\n{page.url} name=live\n")
            result = self.site("--targets", listed, "-o", "json")
        self.assertStatus(result, 3)
        self.assertEqual(names(result), ["first", "dead", str(bad), "live"])
        self.assertEqual([t["verdict"] for t in result.report["targets"]][:3], ["ok", "unknown", "error"])
        dead = result.report["targets"][1]
        self.assertTrue([p for s in dead["sources"] for p in s["problems"]], "the dead one says why")

    def test_a_yaml_list(self):
        good = self.file("good/x.txt", harness.NOTHING).parent
        more = self.file("more.txt", harness.ERROR)
        listed = self.file("targets.yaml", f"- target: {good}\n  name: one\n  labels: {{zone: a}}\n  evidence: [{more}]\n")
        result = self.site("--targets", listed, "-o", "json")
        self.assertEqual(names(result), ["one"])
        self.assertStatus(result, 3)

    def test_a_list_with_a_mistake_names_its_line(self):
        listed = self.file("targets.txt", f"{self.dir}\n/nonexistent/file\n")
        self.assertUsage(self.site("--targets", listed), "2")
        self.assertUsage(self.site("--targets", self.dir / "nothing"), "nothing")

    def test_the_order_is_that_of_the_list_however_many_at_once(self):
        folders = [self.file(f"{i:02}/x.txt", harness.NOTHING).parent for i in range(12)]
        for jobs in ("1", "7"):
            result = self.site(*folders, "--jobs", jobs, "-o", "json")
            self.assertEqual(names(result), list(map(str, folders)))

    def test_causes_that_many_share_are_summed_up(self):
        texts = [harness.ERROR] * 3 + [harness.WARNING] * 4 + [harness.NOTHING]
        out = self.site(*[self.file(f"{i}/x.txt", text).parent for i, text in enumerate(texts)]).out
        self.assertRegex(out, r"(?s)\n8 targets: 3 with errors, 4 with warnings, 1 ok\n"
                              r"  ✖ 3 targets: \S.* \[site-said\.thing\], first\s\S+/0\n  ▲ 4 targets: .*first\s\S+/3\n$")

    def test_shards_cover_the_list_once(self):
        folders = [self.file(f"{i}/x.txt", harness.NOTHING).parent for i in range(5)]
        seen = []
        for shard in ("1/3", "2/3", "3/3"):
            seen += names(self.site(*folders, "--shard", shard, "-o", "json"))
        self.assertEqual(sorted(seen), sorted(map(str, folders)))
        empty = self.site(folders[0], "--shard", "2/2", "-o", "json")
        self.assertStatus(empty, 0)
        self.assertEqual(empty.report["targets"], [])

    def test_a_silent_target_ends_by_its_time_limit(self):
        good = self.file("good/x.txt", harness.NOTHING).parent
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen()
            result = self.site("http://127.0.0.1:%d" % silent.getsockname()[1], good, "--timeout", "2s", "-o", "json")
        self.assertStatus(result, 1)
        self.assertEqual([t["verdict"] for t in result.report["targets"]], ["unknown", "ok"])


class Sample(Case):
    """--sample asks again for what moves, and checks see by how much."""

    def growing(self):
        counts = iter((3, 5))

        def stats(request):
            body = f"cluster_manager.cds.update_rejected: {next(counts)}\n".encode()
            request.send_response(200)
            request.send_header("Content-Length", str(len(body)))
            request.end_headers()
            request.wfile.write(body)
        return {**harness.PAGES, "/stats": stats}

    def test_counters_are_taken_twice(self):
        with harness.admin_page(self.growing()) as page:
            result = debrief("collect", page.url, "--sample", "300ms", "--bundle", str(self.dir / "b"))
            self.assertStatus(result, 0)
            self.assertEqual(page.asked.count("GET /stats"), 2)
            self.assertEqual(page.asked.count("GET /config_dump"), 1)
        rows = debrief("evidence", str(self.dir / "b"), "stats")
        self.assertRegex(rows.out, r"cds.update_rejected +5 +2\b")

    def test_the_wait_is_no_part_of_the_time_limit(self):
        with harness.admin_page(self.growing()) as page:
            result = debrief("check", page.url, "--sample", "1500ms", "--timeout", "1s", "-o", "json")
        self.assertEqual([source["name"] for source in result.target["sources"] if source.get("problems")], [])
        self.assertIn("sample-2/admin/stats.txt", [source["name"] for source in result.target["sources"]])

    def test_it_is_said_beforehand(self):
        with harness.admin_page() as page:
            result = debrief("check", page.url, "--sample", "10s", "--dry-run")
        self.assertIn(f"GET {page.url}/stats  (again after 10 s)\n", result.out)

    def test_a_file_has_no_second_sample(self):
        result = debrief("check", self.file("stats.txt", "server.live: 1\n"), "--sample", "1s")
        self.assertIn("--sample: no target has an admin address", result.err)


class DryRun(Case):
    def test_it_asks_nothing(self):
        with harness.admin_page() as page:
            for command in ("check", "collect"):
                result = debrief(command, page.url, "--dry-run", cwd=self.dir)
                self.assertStatus(result, 0)
                self.assertIn(f"GET {page.url}/server_info", result.out)
            self.assertEqual(page.asked, [])
        self.assertEqual(list(self.dir.iterdir()), [])

    def test_without_a_target_it_tells_where_it_would_look(self):
        result = debrief("check", "--dry-run")
        self.assertStatus(result, 0)
        self.assertIn("GET http://127.0.0.1:9901/server_info\n", result.out)

    def test_it_tells_what_will_be_asked(self):
        with harness.admin_page() as page:
            told = debrief("check", page.url, "--dry-run").out.splitlines()
            debrief("check", page.url)
            asked = ["GET " + page.url + line.removeprefix("GET ") for line in page.asked]
        self.assertEqual(sorted(set(asked)), sorted(line for line in told if line.startswith("GET ")))

    def test_only_get_is_ever_asked(self):
        with harness.admin_page() as page:
            debrief("collect", page.url, cwd=self.dir)
            self.assertTrue(page.asked)
            self.assertEqual([line for line in page.asked if not line.startswith("GET /")], [])

    def test_only_what_some_check_needs_is_asked(self):
        with harness.admin_page() as page:
            self.site(page.url)
            self.assertFalse([line for line in page.asked if "config_dump" in line], page.asked)


harness.main()
