"""Log files in which nothing has happened for a while are left alone by the collector. What happens to them then (lines,
rotation, truncation, deletion, a directory that is replaced) loses and repeats no line, with and without inotify."""
import os
import shutil
import subprocess
import time
import unittest

from harness import NumberedLines, local_configuration, needs_root, read, unsanitized, wait_for

FILES = ("appended", "renamed", "truncated", "same-size", "recreated", "copied", "moved/app", "linked", "missing", "late/missing")
LEFT_ALONE = 5  # seconds without a read of the collector: two rounds of it and more


@needs_root
class QuietLogs(NumberedLines):
    def setUp(self):
        super().setUp()
        self.folder = os.path.join(self.ospatrol.root, "logs")
        os.makedirs(self.file("moved"))
        for name in FILES:
            if not name.endswith("missing"):
                self.write("target" if name == "linked" else name, 3)
        os.symlink("target", self.file("linked"))
        self.ospatrol.configure(local_configuration(*map(self.file, FILES)))

    def file(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, count, mode="w"):
        """`count` more numbered lines."""
        first = self.written + 1001  # of four digits, so that all are of one length
        self.written += count
        with open(self.file(name), mode, encoding="ascii") as f:
            f.write("".join("Nov 22 10:00:00 gw1 app[1]: numbered test line %d\n" % n for n in range(first, first + count)))

    def arrive(self):
        """Waits until each line has made its alert; none twice."""
        expected = list(range(1001, 1001 + self.written))
        seen = lambda: self.numbers_in(self.ospatrol.alerts_text())
        wait_for(lambda: set(seen()) >= set(expected),
                 lambda: "lines %s\n%s" % (sorted(set(expected) - set(seen())), self.ospatrol.log()))
        self.assertEqual(sorted(seen()), expected)

    def is_left_alone(self):
        reads = lambda: read("/proc/%d/io" % self.ospatrol.pid("ospatrol-logcollector")).split("syscr: ")[1].split()[0]
        before = reads()
        time.sleep(LEFT_ALONE)
        return reads() == before

    def change_all(self):
        self.write("appended", 2, "a")
        self.write("renamed", 2, "a")
        os.rename(self.file("renamed"), self.file("renamed.1"))
        self.write("renamed", 2)
        self.write("truncated", 2)
        self.write("same-size", 3)
        os.unlink(self.file("recreated"))
        self.write("recreated", 2)
        self.write("copied", 2, "a")
        shutil.copyfile(self.file("copied"), self.file("copied.1"))
        self.write("copied", 1)
        self.write("moved/app", 2, "a")
        os.rename(self.file("moved"), self.file("moved.1"))
        os.mkdir(self.file("moved"))
        self.write("moved/app", 2)
        self.write("target2", 2)
        os.symlink("target2", self.file("link2"))
        os.rename(self.file("link2"), self.file("linked"))
        self.write("missing", 2)
        os.makedirs(self.file("late"))
        self.write("late/missing", 2)

    def check(self):
        self.ospatrol.start()
        self.arrive()
        wait_for(self.is_left_alone, "the collector to leave its files alone")
        self.change_all()
        self.arrive()
        for name, notice in (("renamed", "File rotated (inode changed)"), ("recreated", "File rotated (inode changed)"),
                             ("moved/app", "File rotated (inode changed)"), ("linked", "File rotated (inode changed)"),
                             ("truncated", "File size reduced (inode remained)"),
                             ("copied", "File size reduced (inode remained)"),
                             ("same-size", "File size reduced (inode remained)")):
            text = "ossec: %s: '%s'." % (notice, self.file(name))
            wait_for(lambda: text in self.ospatrol.alerts_text(), text)

    def test_what_happens_to_them_is_noticed(self):
        self.check()

    @unsanitized
    @unittest.skipUnless(shutil.which("cc"), "no C compiler")
    def test_what_happens_to_them_is_noticed_without_inotify(self):
        library = os.path.join(self.ospatrol.root, "no_inotify.so")
        source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "no_inotify.c")
        subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", library, source], check=True)
        self.ospatrol.environment = {**os.environ, "LD_PRELOAD": library}
        self.check()
        self.assertIn("(9357)", self.ospatrol.log(), "the collector says that it has no inotify")


if __name__ == "__main__":
    unittest.main()
