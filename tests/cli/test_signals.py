"""Interrupted: status 130, what was finished is reported, nothing is left behind."""
import json
import os
import pathlib
import signal
import socket
import subprocess
import time

import harness
from harness import Case


def children_of(pid):
    """Processes that have PID among their ancestors."""
    parents = {}
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except (OSError, IndexError):
                pass
    found, last = set(), {pid}
    while last:
        last = {child for child, parent in parents.items() if parent in last}
        found |= last
    return found


class Interrupted(Case):
    def interrupt(self, *arguments, number=signal.SIGINT):
        """Starts the program against a silent admin page and interrupts it once somebody asks there."""
        temporary = self.dir / "tmp"
        temporary.mkdir(exist_ok=True)
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen()
            silent.settimeout(30)
            url = "http://127.0.0.1:%d" % silent.getsockname()[1]
            process = subprocess.Popen([harness.PROGRAM, *[str(a).replace("SILENT", url) for a in arguments]],
                                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                       env=harness.environment(TMPDIR=str(temporary)), cwd=self.dir)
            peer, _ = silent.accept()
            time.sleep(0.5)
            children = children_of(process.pid)
            begun = time.monotonic()
            process.send_signal(number)
            out, err = process.communicate(timeout=20)
            peer.close()
        self.assertLess(time.monotonic() - begun, 10)
        self.assertEqual(process.returncode, 130, err)
        self.assertEqual(os.listdir(temporary), [])
        time.sleep(0.2)
        self.assertEqual([pid for pid in children if pathlib.Path(f"/proc/{pid}").exists()], [])
        return out

    def test_check_reports_what_was_finished(self):
        done = self.file("done/x.txt", harness.ERROR).parent
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(number):
                out = self.interrupt("check", done, "SILENT", "--jobs", "2", "-o", "json", number=number)
                json.loads(out)

    def test_collect_leaves_nothing(self):
        self.interrupt("collect", "SILENT")
        self.assertEqual([p.name for p in self.dir.iterdir() if p.name != "tmp"], [])

    def test_evidence(self):
        self.interrupt("evidence", "SILENT")


harness.main()
