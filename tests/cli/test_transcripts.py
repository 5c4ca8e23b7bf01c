"""What the documents show of saved evidence is what is printed. Transcripts of live calls: tests/live."""
import sys

import harness
from harness import Case, debrief

sys.path.insert(0, str(harness.TOP / "tests"))
import transcripts


class Documents(Case):
    def test_transcripts(self):
        shown = transcripts.blocks(harness.TOP / "docs/live.md")
        saved = [(command, parts) for command, parts in shown if command[1].startswith("plugins/")]
        self.assertEqual(len(saved), 3)
        for command, parts in saved:
            with self.subTest(command):
                printed = debrief(*command, cwd=harness.TOP).out
                self.assertIsNone(transcripts.missing(parts, printed), printed)


harness.main()
