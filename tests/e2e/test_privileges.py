"""Which process runs as whom, with which root directory and capabilities: the table of programs, as ps sees it.
Owners and modes of the installed tree: packaging/files.tsv, the same file that installed it."""
import grp
import os
import pwd
import stat
import unittest

from harness import SOURCE, Installation, local_configuration, needs_root, wait_for

CAP_DAC_READ_SEARCH = 2

with open("/proc/self/status") as facts:
    ALL = int(next(line for line in facts if line.startswith("CapBnd:")).split()[1], 16)

# program: (user, chrooted, capabilities)
PROGRAMS = {
    "ospatrol-monitord": ("ospatrol", True, 0),
    "ospatrol-execd": ("root", False, ALL),  # what it runs needs what root has
    "ospatrol-analysisd": ("ospatrol", True, 0),
    "ospatrol-logcollector": ("ospatrol", False, 1 << CAP_DAC_READ_SEARCH),
}


def status(pid):
    with open("/proc/%d/status" % pid) as f:
        return dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)


@needs_root
class Privileges(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.ospatrol = Installation()
        cls.log_file = os.path.join(cls.ospatrol.root, "auth.log")
        open(cls.log_file, "w").close()
        cls.ospatrol.configure(local_configuration(cls.log_file))
        cls.ospatrol.start()

    @classmethod
    def tearDownClass(cls):
        cls.ospatrol.close()

    def test_each_program_has_the_identity_root_directory_and_capabilities_of_the_table(self):
        group = grp.getgrnam("ospatrol").gr_gid
        for program, (user, chrooted, capabilities) in PROGRAMS.items():
            pid = self.ospatrol.pid(program)
            self.assertIsNotNone(pid, program)
            facts = status(pid)
            root = os.readlink("/proc/%d/root" % pid)
            print("%-24s user %-10s root %-40s CapEff %s CapBnd %s" % (
                program, user, root, facts["CapEff"], facts["CapBnd"]))
            uid = str(pwd.getpwnam(user).pw_uid)
            self.assertEqual(facts["Uid"].split(), [uid] * 4, program)
            self.assertEqual(facts["Gid"].split(), [str(group)] * 4, program)
            self.assertEqual(facts["Groups"].split(), [str(group)], program)
            self.assertEqual(root, self.ospatrol.prefix if chrooted else "/", program)
            for name in ("CapPrm", "CapEff", "CapBnd"):
                self.assertEqual(int(facts[name], 16), capabilities, "%s %s" % (program, name))
            for name in ("CapInh", "CapAmb"):
                self.assertEqual(int(facts[name], 16), 0, "%s %s" % (program, name))
            confined = user != "root"
            self.assertEqual(facts["NoNewPrivs"], "1" if confined else "0", program)
            self.assertEqual(facts["Seccomp"], "2" if confined else "0", program)

    def test_installed_tree_has_the_owners_and_modes_of_its_table(self):
        wait_for(lambda: os.path.exists(self.ospatrol.path("var/run/ospatrol-analysisd.state")), "the state file")
        with open(self.log_file, "a") as f:
            f.write("Nov 22 10:00:00 gw1 sshd[1]: Accepted password for root from 192.0.2.1 port 50000 ssh2\n")
        wait_for(lambda: os.path.exists(self.ospatrol.path("queue/logcollector/state.db")), "collector state")
        self.check_tree(self.ospatrol, "L")

    def test_trees_of_managers_and_agents_have_the_owners_and_modes_of_the_table(self):
        for kind, letter, manager in (("server", "S", None), ("agent", "A", "192.0.2.1")):
            with Installation(kind=kind, manager=manager) as other:
                self.check_tree(other, letter)

    def check_tree(self, installation, letter):
        checked = 0
        for line in open(os.path.join(SOURCE, "packaging/files.tsv")):
            if line.startswith("#") or not line.strip():
                continue
            kind, path, on, owner, group, mode = line.rstrip("\n").split("\t")[:6]
            if letter not in on:
                continue
            target = installation.path(path)
            if not os.path.exists(target):
                self.assertIn(kind, ("runtime", "host"), "%s is missing" % path)
                continue
            if kind in ("file", "keep") and os.path.isdir(target):
                continue  # a pattern: the folder has its own line
            facts = os.stat(target)
            seen = (pwd.getpwuid(facts.st_uid).pw_name, grp.getgrgid(facts.st_gid).gr_name,
                    "%04o" % stat.S_IMODE(facts.st_mode))
            self.assertEqual(seen, (owner, group, mode), "%s of %s" % (path, letter))
            checked += 1
        self.assertGreater(checked, 30)

    def test_nothing_below_the_prefix_is_open_to_others(self):
        for folder, folders, files in os.walk(self.ospatrol.prefix):
            for name in folders + files:
                path = os.path.join(folder, name)
                try:
                    mode = os.lstat(path).st_mode
                except FileNotFoundError:
                    continue  # a new state file that has taken the place of the old one meanwhile
                if not stat.S_ISLNK(mode):
                    self.assertEqual(mode & 0o007, 0, "%s is open to everyone: %o" % (path, stat.S_IMODE(mode)))


if __name__ == "__main__":
    unittest.main()
