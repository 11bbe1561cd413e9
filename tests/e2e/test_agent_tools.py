"""manage_agents, agent_control and list_agents: what they print, write and ask for; and monitord, which watches."""
import base64
import json
import os
import pwd
import socket
import stat
import time
import unittest

from harness import SOURCE, Installation, local_configuration, needs_root, read, wait_for

KEY = "0123456789abcdef0123456789abcdeffedcba9876543210fedcba9876543210"
KEYS = """001 web01 10.0.0.5 %(key)s
002 db any %(key)s
003 lan-cidr 192.168.2.0/24 %(key)s
004 local4 10.0.0.8 %(key)s
""" % {"key": KEY}


class Manager(unittest.TestCase):
    def setUp(self):
        self.manager = Installation(kind="server")
        self.addCleanup(self.manager.close)
        self.manager.write("etc/client.keys", KEYS)

    def tool(self, name, *arguments, **options):
        return self.manager.run("bin/" + name, "-D", self.manager.prefix, *arguments, **options)

    def keys(self):
        return read(self.manager.path("etc/client.keys"))

    def heard(self, name, seconds_ago, content="Linux web01 6.1.0 #1 SMP x86_64 - OSSEC HIDS v4.2.0 / 0123\n"
                                               "crypto_method:aes\n"):
        path = self.manager.path("queue/agent-info/" + name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(content)
        owner = pwd.getpwnam("ospatrolr")
        os.chown(path, owner.pw_uid, owner.pw_gid)
        os.chmod(path, 0o640)
        when = time.time() - seconds_ago
        os.utime(path, (when, when))


@needs_root
class ManageAgents(Manager):
    def test_exports_as_the_vectors_say(self):
        with open(os.path.join(SOURCE, "tests/data/wire-vectors.json"), encoding="utf-8") as f:
            vectors = json.load(f)["manage_agents_export"]
        rows = [v for v in vectors if "client_keys_line" in v]
        self.assertGreater(len(rows), 5)
        for row in rows:
            self.manager.write("etc/client.keys", row["client_keys_line"] + "\n")
            result = self.tool("manage_agents", *row["command"].split()[1:])
            self.assertEqual((result.stdout, result.returncode), (row["stdout"], 0), row["id"])
        result = self.tool("manage_agents", "-e", "4")
        self.assertEqual((result.stdout, result.returncode),
                         ("\n** Invalid ID '004' given. ID is not present.\n", 1))

    def test_adds_with_flags_and_keeps_owner_and_mode(self):
        result = self.tool("manage_agents", "-a", "10.0.0.9", "-n", "new9")
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertIn("Agent added with ID 005.\n", result.stdout)
        self.assertIn("You must restart OSPatrol for your changes", result.stdout)
        line = self.keys().splitlines()[-1].split(" ")
        self.assertEqual(line[:3], ["005", "new9", "10.0.0.9"])
        self.assertRegex(line[3], "^[0-9a-f]{64}$")
        facts = os.stat(self.manager.path("etc/client.keys"))
        self.assertEqual((stat.S_IMODE(facts.st_mode), facts.st_uid), (0o640, 0))

    def test_asks_a_person(self):
        typed = "a\nx\n10.1.1.1\n\ny\nnew5\nnot-an-address\n\ny\nnew5\n10.1.1.1\n\ny\nl\n\nq\n"
        result = self.tool("manage_agents", stdin=None, input=typed)
        self.assertEqual(result.returncode, 0, result.stdout)
        self.assertIn("** Invalid name 'x' given.", result.stdout)
        self.assertIn("** Invalid IP 'not-an-address'.", result.stdout)
        self.assertIn("   * An ID for the new agent[005]: ", result.stdout)
        self.assertIn("Agent added with ID 005.", result.stdout)
        self.assertIn("   ID: 005, Name: new5, IP: 10.1.1.1\n", result.stdout)
        self.assertTrue(result.stdout.endswith("manage_agents: Exiting.\nmanage_agents: Exiting.\n"))

    def test_ends_at_the_end_of_its_input(self):
        result = self.tool("manage_agents", stdin=None, input="a\n")
        self.assertEqual(result.returncode, 1)
        self.assertIn("manage_agents: Input too large. Not adding it.", result.stdout)
        result = self.tool("manage_agents", stdin=None, input="a\n" + "n" * 600 + "\n")
        self.assertEqual(result.returncode, 1)

    def test_takes_answers_from_the_environment_of_either_name(self):
        for prefix, name in (("OSSEC_", "env-a"), ("OSPATROL_", "env-b")):
            environment = dict(os.environ, **{prefix + "ACTION": "a", prefix + "AGENT_NAME": name,
                                              prefix + "AGENT_IP": "any", prefix + "AGENT_ID": "0",
                                              prefix + "ACTION_CONFIRMED": "y"})
            self.assertEqual(self.tool("manage_agents", env=environment).returncode, 0)
            self.assertIn(" %s any " % name, self.keys())

    def test_a_duplicate_is_refused_once_and_for_all(self):
        result = self.tool("manage_agents", "-a", "10.0.0.5", "-n", "other")
        self.assertEqual(result.returncode, 1)
        self.assertEqual(result.stdout.count("** Duplicated IP '10.0.0.5'."), 1)
        self.assertEqual(self.tool("manage_agents", "-a", "10.0.0.6", "-n", "web01").returncode, 1)
        self.assertEqual(self.keys(), KEYS)

    def test_a_silent_duplicate_makes_room(self):
        self.heard("web01-10.0.0.5", 100)
        self.assertEqual(self.tool("manage_agents", "-F", "1000", "-a", "10.0.0.5", "-n", "other").returncode, 1)
        self.assertEqual(self.tool("manage_agents", "-F", "50", "-a", "10.0.0.5", "-n", "other").returncode, 0)
        self.assertIn("\n005 other 10.0.0.5 ", self.keys())
        self.assertIn("001 #*#*#*#*#*#*#*#*#*#*#\n", self.keys())
        backup = os.listdir(self.manager.path("backup/agents"))
        self.assertEqual(len(backup), 1)
        self.assertRegex(backup[0], r"^web01-10\.0\.0\.5-\d{4}-\d\d-\d\d-\d{6}$")
        self.assertEqual(os.listdir(self.manager.path("backup/agents/" + backup[0])), ["agent-info"])

    def test_removes_without_leaving_a_byte_of_the_key(self):
        self.heard("local4-10.0.0.8", 5)
        result = self.tool("manage_agents", "-r", "4")
        self.assertEqual(result.returncode, 0, result.stdout)
        self.assertIn("Agent '004' removed.", result.stdout)
        self.assertEqual(self.keys().splitlines()[3], "004 #*#*#*#*#*#*#*#*#*#*#")
        self.assertFalse(os.path.exists(self.manager.path("queue/agent-info/local4-10.0.0.8")))
        self.assertEqual(self.tool("manage_agents", "-r", "4").returncode, 1)
        self.assertIn("005", self.tool("manage_agents", "-a", "any", "-n", "next").stdout)

    def test_speaks_json(self):
        self.assertEqual(json.loads(self.tool("manage_agents", "-j", "-a", "any", "-n", "jay").stdout),
                         {"error": 0, "response": "Agent added with ID 005"})
        self.assertEqual(json.loads(self.tool("manage_agents", "-j", "-r", "5").stdout),
                         {"error": 0, "response": "Agent removed"})
        rows = [(("-e", "99"), 70), (("-r", "99"), 78), (("-a", "any", "-n", "a b"), 76),
                (("-a", "10.0.0", "-n", "ok"), 77), (("-a", "10.0.0.5", "-n", "ok"), 79)]
        for arguments, code in rows:
            result = self.tool("manage_agents", "--json", *arguments)
            self.assertEqual((json.loads(result.stdout)["error"], result.returncode), (code, 1), arguments)
        exported = json.loads(self.tool("manage_agents", "-j", "-e", "1").stdout)["response"]
        self.assertEqual(base64.b64decode(exported).decode(), KEYS.splitlines()[0])

    def test_loads_many(self):
        lines = "10.5.0.1, bulk1\n\nnonsense\n10.5.0.2 ,bulk2\n10.5.0.1,bulk3\n10.5.0.4,../etc\n"
        result = self.tool("manage_agents", "-f", "-", stdin=None, input=lines)
        self.assertEqual(result.returncode, 1)
        self.assertIn("Agent added with ID 005.", result.stdout)
        self.assertIn("Agent added with ID 006.", result.stdout)
        self.assertIn("** Invalid line 'nonsense'", result.stdout)
        self.assertIn("** Duplicated IP '10.5.0.1'", result.stdout)
        self.assertIn("** Invalid name '../etc' given", result.stdout)
        self.assertEqual(len(self.keys().splitlines()), 6)

    def test_loads_many_with_one_answer_a_line_as_json(self):
        lines = "10.6.0.1, bulk1\n\nnonsense\n10.6.0.4,../etc\n"
        result = self.tool("manage_agents", "-j", "-f", "-", stdin=None, input=lines)
        self.assertEqual(result.returncode, 1)
        answers = [json.loads(line) for line in result.stdout.splitlines()]
        self.assertEqual([answer["error"] for answer in answers], [0, 77, 76], answers)
        self.assertRegex(answers[0]["response"], r"^Agent added with ID \d{3,}$")
        self.assertIn("nonsense", answers[1]["description"])

    def test_flags_that_make_no_sense_are_named_and_change_nothing(self):
        before = self.keys()
        for arguments, named in ((("-F", "soon", "-a", "10.6.0.9", "-n", "web9"), "-F 'soon': expected a number of seconds"),
                                 (("-F", "-5", "-a", "10.6.0.9", "-n", "web9"), "-F '-5': expected a number of seconds"),
                                 (("-l", "extra"), "unexpected argument 'extra'")):
            result = self.tool("manage_agents", *arguments)
            self.assertEqual((result.returncode, result.stdout), (1, ""), arguments)
            self.assertEqual(result.stderr.splitlines()[0], "manage_agents: " + named)
        self.assertEqual(self.keys(), before)

    def test_an_agent_imports_and_nothing_else(self):
        with Installation(kind="agent", manager="192.0.2.1") as agent:
            line = "007 imported any " + KEY
            text = base64.b64encode(line.encode()).decode()
            result = agent.run("bin/manage_agents", "-D", agent.prefix, "-i", text)
            self.assertEqual((result.stdout, result.returncode), ("Added.\n", 0), result.stderr)
            self.assertEqual(read(agent.path("etc/client.keys")), line + "\n")
            for flags in (("-e", "1"), ("-r", "1"), ("-a", "any", "-n", "x1"), ("-f", "-"), ("-i", "%%%")):
                self.assertEqual(agent.run("bin/manage_agents", "-D", agent.prefix, *flags).returncode, 1, flags)
            self.assertEqual(read(agent.path("etc/client.keys")), line + "\n")


@needs_root
class AgentControl(Manager):
    def test_lists_agents_in_three_forms(self):
        host = socket.gethostname()
        self.heard("local4-10.0.0.8", 5)
        self.heard("lan-cidr-192.168.2.0", 4000)
        self.assertEqual(self.tool("agent_control", "-l").stdout, """
OSPatrol agent_control. List of available agents:
   ID: 000, Name: %s (server), IP: 127.0.0.1, Active/Local
   ID: 001, Name: web01, IP: 10.0.0.5, Never connected
   ID: 002, Name: db, IP: any, Never connected
   ID: 003, Name: lan-cidr, IP: 192.168.2.0/24, Disconnected, Config: wanted none received none, """
                         """agent.conf wanted none applied 0123
   ID: 004, Name: local4, IP: 10.0.0.8, Active, Config: wanted none received none, agent.conf wanted none applied 0123

""" % host)
        self.assertEqual(self.tool("agent_control", "-lc", "-s").stdout,
                         "000,%s (server),127.0.0.1,Active/Local,\n004,local4,10.0.0.8,Active,\n" % host)
        rows = json.loads(self.tool("agent_control", "-l", "-j").stdout)
        self.assertEqual([(row["id"], row["status"]) for row in rows["response"]],
                         [("000", "Active"), ("001", "Never connected"), ("002", "Never connected"),
                          ("003", "Disconnected"), ("004", "Active")])

    def test_tells_what_is_known_of_one(self):
        self.heard("local4-10.0.0.8", 5)
        text = self.tool("agent_control", "-i", "4").stdout
        for line in ("   Agent ID:   004\n", "   IP address: 10.0.0.8/32\n", "   Status:     Active\n",
                     "   Operating system:    Linux web01 6.1.0 #1 SMP x86_64\n",
                     "   Client version:      OSSEC HIDS v4.2.0 / 0123\n", "   Encryption:          aes\n",
                     "   Syscheck last started  at: Unknown\n", "   FIM maintenance mode:  disabled\n"):
            self.assertIn(line, text)
        self.assertIn("   Agent ID:   000 \n", self.tool("agent_control", "-i", "000").stdout)
        result = self.tool("agent_control", "-i", "77")
        self.assertEqual(result.returncode, 1)
        self.assertIn("\n** Invalid agent id '77'.", result.stdout)
        result = self.tool("agent_control", "-j", "-i", "77")
        self.assertEqual((result.stdout, result.returncode), ('{"error":40,"description":"Invalid agent id"}\n', 0))

    def test_asks_remoted(self):
        result = self.tool("agent_control", "-R", "004")
        self.assertEqual((result.stdout, result.returncode), ("\n** Unable to connect to remoted.\n", 1))
        path = self.manager.path("queue/alerts/ar")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as remoted:
            remoted.bind(path)
            remoted.settimeout(10)
            os.chmod(path, 0o666)
            rows = [(("-R", "4"), "(msg_to_agent) [] NNS 004 restart-ossec0 - null (from_the_server) (no_rule_id)",
                     "Restarting agent: 004"),
                    (("-r", "-u", "004"), "(msg_to_agent) [] N!S 004 syscheck restart",
                     "Restarting Syscheck/Rootcheck on agent: 004"),
                    (("-r", "-a"), "(msg_to_agent) [] A!N (null) syscheck restart",
                     "Restarting Syscheck/Rootcheck on all agents."),
                    (("-b", "192.0.2.9", "-f", "host-deny600", "-u", "001"),
                     "(msg_to_agent) [] NNS 001 host-deny600 - 192.0.2.9 (from_the_server) (no_rule_id)",
                     "Running active response 'host-deny600' on: 001")]
            for arguments, request, answer in rows:
                result = self.tool("agent_control", *arguments)
                self.assertEqual((result.stdout, result.returncode),
                                 ("\nOSPatrol agent_control: %s\n" % answer, 0), result.stderr)
                self.assertEqual(remoted.recv(2000).rstrip(b"\0").decode(), request)
        self.assertTrue(os.path.exists(self.manager.path("var/run/.syscheck_run")))

    def test_responses(self):
        self.manager.write("etc/shared/ar.conf", "restart-ossec0 - restart-ossec.sh - 0\nhost-deny600 - host-deny.sh - 600\n")
        self.assertIn("\n   Response name: host-deny600, command: host-deny.sh\n", self.tool("agent_control", "-L").stdout)
        self.assertEqual(json.loads(self.tool("agent_control", "-L", "-j").stdout),
                         {"error": 0, "response": [{"name": "host-deny600", "command": "host-deny.sh"}]})
        for address in ("web01", "192.0.2.9 x", "192.0.2.0/24", ""):
            result = self.tool("agent_control", "-b", address, "-f", "host-deny600", "-u", "001")
            self.assertEqual(result.returncode, 1, address)
            self.assertIn("** Invalid IP '%s'" % address, result.stdout)
        self.assertIn("'host-denny' is not in etc/shared/ar.conf",
                      self.tool("agent_control", "-b", "192.0.2.9", "-f", "host-denny", "-u", "001").stderr)

    def test_refuses_what_makes_no_sense_together(self):
        for arguments in (("-l", "-L"), ("-c", "-L"), ("-r",), ("-r", "-a", "-u", "1"), ("-b", "192.0.2.1"), ("-u", "1"),
                          ("-b", "192.0.2.1", "-f", "x"), ("-M", "status"), ("-e", "-l")):
            result = self.tool("agent_control", *arguments)
            self.assertEqual(result.returncode, 1, arguments)
            self.assertIn("\n** Invalid argument combination.\n", result.stdout, arguments)

    def test_maintenance(self):
        marker = self.manager.path("queue/syscheck/.(local4) 10.0.0.8.maint")
        self.assertEqual(self.tool("agent_control", "-M", "enable", "-u", "4").returncode, 0)
        self.assertRegex(read(marker), r"^#!maint\nenabled_at=\d+\npending_end=0\nsilent_updates=0\n$")
        self.assertIn("10.0.0.8, Never connected, Maint\n", self.tool("agent_control", "-l").stdout)
        status = json.loads(self.tool("agent_control", "-j", "-M", "status", "-u", "4").stdout)["response"]
        self.assertEqual((status["agent"], status["fimMaintenance"]), ("004", "enabled"))
        self.assertEqual(self.tool("agent_control", "-M", "disable", "-u", "4").returncode, 0)
        self.assertFalse(os.path.exists(marker))
        self.assertEqual(self.tool("agent_control", "-M", "end", "-u", "4").returncode, 1)
        self.assertFalse(os.path.exists(marker))

    def test_the_limit_and_the_short_list(self):
        self.assertEqual(self.tool("agent_control", "-m").stdout, "Limit of agents: 65536\n")
        self.assertEqual(self.tool("agent_control", "-j", "-m").stdout, '{"error":0,"data":{"max_agents":65536}}\n')
        self.assertEqual(self.tool("list_agents", "-a").stdout, "** No agent available.\n")
        self.heard("local4-10.0.0.8", 5)
        self.heard("web01-10.0.0.5", 4000)
        self.heard("gone-10.9.9.9", 5)
        self.assertEqual(self.tool("list_agents", "-a").stdout,
                         "web01-10.0.0.5 is available.\nlocal4-10.0.0.8 is available.\n")
        self.assertEqual(self.tool("list_agents", "-c").stdout, "local4-10.0.0.8 is active.\n")
        self.assertEqual(self.tool("list_agents", "-n").stdout, "web01-10.0.0.5 is not active.\n")
        self.assertEqual(self.tool("list_agents", "-x").returncode, 1)


@needs_root
class VerifyAgentConf(Manager):
    def verify(self, text):
        self.manager.write("etc/shared/agent.conf", text)
        return self.tool("verify-agent-conf")

    def test_says_ok_or_what_is_wrong_and_where(self):
        good = """<agent_config os="Linux" profile="web">
  <localfile><log_format>syslog</log_format><location>/var/log/auth.log</location></localfile>
</agent_config>
"""
        result = self.verify(good)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(result.stdout, "\nverify-agent-conf: Verifying [%s].\n\nOK\n" %
                         self.manager.path("etc/shared/agent.conf"))
        bad = [(good.replace("profile=", "profil="), ":1: <agent_config>: unknown attribute 'profil'"),
               (good.replace("</agent_config>", ""), "agent.conf:"),
               (good.replace("syslog", "sislog"), ":2: <localfile><log_format>: 'sislog' is no log format"),
               (good.replace("localfile", "locallfile"), ":2: <locallfile>: unknown section"),
               (good.replace("agent_config", "ospatrol_config"), ":1: <ospatrol_config>: unknown root element")]
        for text, line in bad:
            result = self.verify(text)
            self.assertEqual(result.returncode, 255, text)
            self.assertIn(line, result.stderr)
            self.assertRegex(result.stdout, r"\n\d+ problems\n$")
        self.assertEqual(self.tool("verify-agent-conf", "-f", "/nowhere").returncode, 255)


@needs_root
class Monitord(Manager):
    def rules(self):
        return [alert["rule"]["sidid"] if "sidid" in alert["rule"] else int(alert["rule"]["id"])
                for alert in self.manager.alerts()]

    def alerted(self, rule, text):
        wait_for(lambda: any(text in json.dumps(alert) and rule in self.rules() for alert in self.manager.alerts()),
                 "rule %d with %r in %s" % (rule, text, self.manager.alerts_text()))

    def test_tells_who_is_lost_comes_back_and_is_removed(self):
        self.manager.write("etc/local_internal_options.conf", "monitord.notify_time=60\n")
        self.manager.configure(local_configuration())
        self.heard("web01-10.0.0.5", 5)
        self.manager.start()
        wait_for(lambda: "a " in read(self.manager.path("queue/ospatrol/.monitord_agents")), "the first look")
        self.manager.write("etc/client.keys", "".join(KEYS.splitlines(True)[:3]))
        self.manager.control("reload")
        self.alerted(505, "Agent removed: 'local4-10.0.0.8'")
        # Lost: older than 3 x 60 + 30 s, after 90 s of watching.
        self.heard("web01-10.0.0.5", 300)
        self.alerted(504, "Agent disconnected: 'web01-10.0.0.5'")
        # Remembered over a kill, and told once.
        self.manager.kill("ospatrol-monitord")
        self.assertEqual(self.manager.run_daemon("ospatrol-monitord").returncode, 0)
        self.heard("web01-10.0.0.5", 1)
        self.alerted(507, "Agent reconnected: 'web01-10.0.0.5'")
        self.assertEqual(self.manager.alerts_text().count("Agent disconnected: 'web01-10.0.0.5'"), 1)


if __name__ == "__main__":
    unittest.main()
