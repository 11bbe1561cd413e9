"""Trees of decoders, rules and lists below a temporary folder, tried with the tools of the build. The tools run without
privileges here (as user nobody when the test itself is root), so no installation and no service user is needed."""
import json
import os
import shutil
import subprocess
import tempfile

from harness import BUILD

NOBODY = 65534


class Tree:
    """A copy of a tree that tests may change. Close it, or use it as a context manager."""

    def __init__(self, source=None):
        self.root = tempfile.mkdtemp(prefix="ospatrol-tree-")
        os.chmod(self.root, 0o755)
        if source is not None:
            shutil.copytree(source, self.root, dirs_exist_ok=True)
        if os.getuid() == 0:  # makelists writes beside its lists
            for folder, _, files in os.walk(self.root):
                for name in [folder] + [os.path.join(folder, f) for f in files]:
                    os.chown(name, NOBODY, NOBODY)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        shutil.rmtree(self.root, ignore_errors=True)

    def path(self, relative):
        return os.path.join(self.root, relative)

    def run(self, tool, *arguments, text=""):
        """Runs ospatrol-logtest or ospatrol-makelists with this tree as prefix; text or bytes on standard input.
        The result has standard output as text and, in `raw`, as bytes."""
        identity = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.getuid() == 0 else {}
        data = text if isinstance(text, bytes) else text.encode("utf-8")
        result = subprocess.run([os.path.join(BUILD, "src", tool), "-D", self.root, *arguments], input=data,
                                capture_output=True, timeout=600, cwd=self.root, **identity)
        result.raw = result.stdout
        result.stdout = result.stdout.decode("utf-8", "replace")
        result.stderr = result.stderr.decode("utf-8", "replace")
        return result

    def logtest(self, *arguments, text=""):
        return self.run("ospatrol-logtest", *arguments, text=text)

    def judge(self, *lines):
        """The short JSON objects for lines that one process sees in this order."""
        result = self.logtest("--json", text="".join(line + "\n" for line in lines))
        objects = [json.loads(o) for o in result.stdout.splitlines()]
        if result.returncode != 0 or len(objects) != len(lines):
            raise AssertionError("exit %d, %d of %d lines judged:\n%s" % (
                result.returncode, len(objects), len(lines), result.stderr))
        return objects
