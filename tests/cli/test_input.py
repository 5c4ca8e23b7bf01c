"""Bad input: a clear line that names the source, the rest still judged."""
import io
import os
import shutil
import subprocess
import tarfile
import time

import harness
from harness import Case, debrief


def problems(result):
    return {s["name"]: s["problems"] for t in result.report["targets"] for s in t["sources"] if s["problems"]}


class Files(Case):
    def judged_beside(self, name, content):
        """CONTENT beside a good text: the text is judged whatever CONTENT is."""
        folder = self.file("in/note.txt", harness.ERROR).parent
        (folder / name).write_bytes(content)
        result = self.site(folder, "-o", "json")
        self.assertStatus(result, 3)
        return result

    def test_truncated_json(self):
        result = self.judged_beside("server_info.json", harness.PAGES["/server_info"][:-40].encode())
        self.assertIn("server_info.json", problems(result))

    def test_broken_json_of_other_kinds(self):
        for name, text in {"comma": b'{"version": "x",,}', "python": b"{'state': 'LIVE', 'x': None}",
                           "nan": b'{"state": NaN}', "two": b'{"a":1}{"b":2}', "deep": b"[" * 5000}.items():
            with self.subTest(name):
                self.judged_beside("server_info.json", text)

    def test_nul_bytes_and_binary(self):
        self.judged_beside("x.bin", bytes(range(256)) * 64)
        self.judged_beside("y.log", b"SITE\x00error\n" * 100)
        result = self.site(self.file("nul.txt", b"a\x00b\nSITE error behind\n"), "-o", "json")
        self.assertStatus(result, 3)

    def test_broken_utf8_becomes_valid(self):
        result = self.site(self.file("a.txt", b"SITE error \xff\xfe\xc3(\n"), "-o", "json")
        self.assertStatus(result, 3)
        self.assertIn("\ufffd", result.target["findings"][0]["message"])

    def test_utf16_and_crlf(self):
        self.assertStatus(self.site(self.file("a.txt", "SITE error a\r\n".encode("utf-16"))), 3)
        result = self.site(self.file("b.txt", b"SITE error a\r\n"), "-o", "json")
        self.assertNotIn("\r", result.out)

    def test_an_empty_file_and_an_empty_directory(self):
        self.assertStatus(debrief("check", self.file("empty.txt", "")), 1)
        (self.dir / "nothing").mkdir()
        self.assertStatus(debrief("check", self.dir / "nothing"), 1)

    def test_every_format_for_people_says_that_a_directory_is_empty(self):
        (self.dir / "nothing").mkdir()
        for form in ("text", "markdown", "html", "junit", "nagios", "sarif"):
            with self.subTest(form):
                result = debrief("check", self.dir / "nothing", "-o", form)
                self.assertStatus(result, 1)
                self.assertIn("it is empty", result.out)

    def test_devices_are_refused_before_they_are_read(self):
        """/dev/zero has no end."""
        device = "'/dev/zero': it is a device"
        for arguments in (["report"], ["merge"], ["check", "--targets"], ["check", self.dir, "--config"],
                          ["check", self.dir, "--baseline"], ["check"], ["check", "--evidence"]):
            with self.subTest(arguments):
                result = debrief(*arguments, "/dev/zero")
                self.assertIn(result.status, (1, 2))
                self.assertIn(device, result.out + result.err)
        self.assertIn("/dev/zero", debrief("report", "/dev/zero").err)
        self.assertStatus(debrief("check", "/dev/null"), 1)
        with open("/dev/zero", "rb") as zero:
            for arguments in (["check", "-"], ["report", "-"]):
                done = subprocess.run([harness.PROGRAM, *arguments], stdin=zero, capture_output=True, text=True, timeout=60,
                                      env=harness.environment())
                self.assertIn("'standard input': it is a device", done.stdout + done.stderr)

    def test_a_pipe_that_nobody_writes_to(self):
        os.mkfifo(self.dir / "pipe")
        result = debrief("check", self.dir / "pipe", "--timeout", "500ms")
        self.assertStatus(result, 1)
        self.assertIn("no end within the time limit", result.out)

    def test_a_pipe_without_end_that_holds_nothing_known_is_one_file(self):
        os.mkfifo(self.dir / "pipe")
        writer = os.open(self.dir / "pipe", os.O_RDWR)
        self.addCleanup(os.close, writer)
        os.write(writer, b"\x01\x02 noise\n")
        result = debrief("check", self.dir / "pipe", "--timeout", "500ms", "--quiet")
        self.assertIn("no end within the time limit", result.out)

    def test_a_line_without_end(self):
        self.assertStatus(self.site(self.file("a.txt", b"x" * 10_000_000 + b"\nSITE error a\n")), 3)

    def test_a_truncated_archive(self):
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
            for name, content in (("a.txt", harness.ERROR.encode()), ("b.bin", os.urandom(200_000))):
                entry = tarfile.TarInfo(name)
                entry.size = len(content)
                tar.addfile(entry, io.BytesIO(content))
        whole = buffer.getvalue()
        result = self.site(self.file("cut.tar.gz", whole[:len(whole) // 2]), "-o", "json")
        self.assertStatus(result, 3)
        self.assertTrue(problems(result), "the cut is named")

    def test_an_archive_that_leaves_its_directory(self):
        path = self.dir / "evil.tar"
        with tarfile.open(path, "w") as tar:
            for name in ("../../evil.txt", "/tmp/evil.txt"):
                entry = tarfile.TarInfo(name)
                entry.size = 4
                tar.addfile(entry, io.BytesIO(b"evil"))
            link = tarfile.TarInfo("link.txt")
            link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
            tar.addfile(link)
        result = debrief("check", path, "-o", "json")
        self.assertIn(result.status, (0, 1))
        self.assertNotIn("root:", result.out)
        self.assertFalse((self.dir.parent / "evil.txt").exists())

    def test_a_directory_that_is_not_readable(self):
        closed = self.dir / "closed"
        closed.mkdir()
        closed.chmod(0)
        self.addCleanup(closed.chmod, 0o700)
        program, options = harness.PROGRAM, {}
        if os.geteuid() == 0:  # root may read everything: somebody else asks
            self.dir.chmod(0o755)
            program, options = shutil.copy(program, self.dir / "debrief"), {"user": 65534, "group": 65534}
        done = subprocess.run([program, "check", closed], capture_output=True, text=True, timeout=60,
                              env=harness.environment(HOME="/nonexistent", TMPDIR="/tmp"), **options)
        self.assertIn(done.returncode, (1, 2))
        self.assertIn("Permission denied", done.stdout + done.stderr)

    def test_a_link_to_itself_and_a_pipe(self):
        folder = self.file("in/note.txt", harness.ERROR).parent
        (folder / "loop").symlink_to("loop")
        os.mkfifo(folder / "pipe")
        self.assertStatus(self.site(folder), 3)


class Said(Case):
    """Standard error ends in logs of pipelines: what was named by mistake does not."""

    def test_secrets_in_arguments(self):
        secret = "hunter2hunter2"
        for arguments in (["check", "nofile?password="], ["collect", "nofile?token="], ["report", "x.json?password="],
                          ["check", self.dir, "--select", "password="], ["check", self.dir, "--config", "/x/password="],
                          ["explain", "password="], ["password="], ["check", self.dir, "-o", "json=/nowhere/password="]):
            with self.subTest(arguments):
                result = debrief(*arguments[:-1], arguments[-1] + secret)
                self.assertNotEqual(result.status, 0)
                self.assertNotIn(secret, result.out + result.err)
                self.assertIn("[redacted:", result.err)

    def test_patterns_of_the_configuration(self):
        config = self.file("debrief.yaml", "redact:\n  patterns:\n    - {name: site, pattern: 'zz-[0-9]+'}\n")
        self.file("a.txt", "")
        result = debrief("check", self.dir / "a.txt", self.dir / "zz-123", "--config", config)
        self.assertIn("[redacted:site]", result.err)
        self.assertNotIn("zz-123", result.err)

    def test_long_subjects_and_controls_of_a_terminal(self):
        result = debrief("x" * 100_000)
        self.assertStatus(result, 2)
        self.assertIn("xxx...'; see 'debrief --help'", result.err)
        self.assertLess(len(result.err), 300)
        self.assertNotIn("\x1b", debrief("check", "\x1b[31mred").err)
        config = self.file("debrief.yaml", f"waivers:\n  - finding: x.y\n    ? {'é' * 400_000}\n    : 1\n")
        result = debrief("check", self.dir, "--config", config)
        self.assertStatus(result, 2)
        self.assertIn("é...' in a waiver; known:", result.err)
        self.assertLess(len(result.err), 500)


class Pages(Case):
    def test_another_program_at_the_admin_address(self):
        pages = {path: "<html><body>It works!</body></html>" for path in ("/server_info", "/ready", "/stats")}
        with harness.admin_page(pages) as page:
            result = debrief("check", page.url, "-o", "json")
        self.assertEqual(result.target["findings"], [])
        self.assertEqual(result.target["verdict"], "unknown")
        self.assertStatus(result, 1)

    def test_a_proxy_that_dies_in_mid_answer(self):
        def die(handler):
            handler.send_response(200)
            handler.send_header("Content-Length", "100000")
            handler.end_headers()
            handler.wfile.write(b"server.live: 1\n" * 10)
            handler.wfile.flush()
            handler.connection.close()

        with harness.admin_page({**harness.PAGES, "/stats": die}) as page:
            result = debrief("check", page.url, "-o", "json")
        self.assertIn("admin/stats.txt", problems(result))
        self.assertEqual(result.target["envoy"]["version"], "1.36.4")
        self.assertStatus(result, 0)

    def test_statuses_and_redirects(self):
        def refuse(handler):
            handler.send_error(503)

        def redirect(handler):
            handler.send_response(302)
            handler.send_header("Location", "/server_info")
            handler.end_headers()

        with harness.admin_page({**harness.PAGES, "/stats": refuse, "/ready": redirect}) as page:
            result = debrief("check", page.url, "-o", "json")
        self.assertTrue(any("503" in text for text in problems(result)["admin/stats.txt"]), problems(result))
        self.assertIn("admin/ready.txt", problems(result))

    def test_a_slow_page_costs_that_source_only(self):
        def slow(handler):
            time.sleep(30)

        with harness.admin_page({**harness.PAGES, "/stats": slow}) as page:
            begun = time.monotonic()
            result = debrief("check", page.url, "--timeout", "3s", "-o", "json")
        self.assertLess(time.monotonic() - begun, 20)
        self.assertIn("admin/stats.txt", problems(result))

    def test_garbage_instead_of_http(self):
        import socket
        import threading
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen()

            def answer():
                while True:
                    try:
                        peer, _ = listener.accept()
                    except OSError:
                        return
                    peer.sendall(b"\x16\x03\x01\x00\xff garbage\r\n")
                    peer.close()

            threading.Thread(target=answer, daemon=True).start()
            result = debrief("check", "http://127.0.0.1:%d" % listener.getsockname()[1], "-o", "json")
            self.assertStatus(result, 1)
            self.assertTrue(problems(result))


harness.main()
