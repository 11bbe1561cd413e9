"""An SSH brute force in a log file becomes a level-10 alert in both alert files within a second."""
import os
import time
import unittest

from harness import Installation, local_configuration, needs_root, wait_for


def brute_force(count=8, address="198.51.100.7"):
    users = ["admin", "oracle", "test", "guest", "ftp", "postgres", "backup", "nagios", "deploy", "jenkins"]
    return "".join(
        "Nov 22 10:00:%02d gw1 sshd[811]: Failed password for invalid user %s from %s port %d ssh2\n"
        % (i, users[i % len(users)], address, 40000 + i) for i in range(count))


@needs_root
class FirstAlert(unittest.TestCase):
    def setUp(self):
        self.ospatrol = Installation()
        self.addCleanup(self.ospatrol.close)
        self.log_file = os.path.join(self.ospatrol.root, "auth.log")
        open(self.log_file, "w").close()
        self.ospatrol.configure(local_configuration(self.log_file))

    def append(self, text):
        with open(self.log_file, "a") as f:
            f.write(text)

    def test_brute_force_becomes_a_level_10_alert_in_both_files_within_a_second(self):
        self.ospatrol.start()
        started = time.monotonic()
        self.append(brute_force())
        alert = wait_for(
            lambda: next((a for a in self.ospatrol.alerts() if a["rule"]["sidid"] == 5712), None), "rule 5712")
        # The promise is a second. No test depends on a time: it is printed.
        print("seconds from line to alert: %.3f" % (time.monotonic() - started))
        self.assertEqual(alert["rule"]["level"], 10)
        self.assertEqual(alert["srcip"], "198.51.100.7")
        self.assertEqual(alert["location"], self.log_file)
        self.assertEqual(alert["hostname"], "gw1")
        wait_for(lambda: "Rule: 5712 (level 10) -> '" in self.ospatrol.alerts_text(), "rule 5712 in alerts.log")

    def test_the_technique_and_the_controls_of_standards_stand_in_the_record(self):
        self.ospatrol.start()
        self.append(brute_force())
        rule = wait_for(
            lambda: next((a["rule"] for a in self.ospatrol.alerts() if a["rule"]["sidid"] == 5712), None), "rule 5712")
        self.assertEqual(rule["mitre"], ["T1110.001"])
        self.assertIn("10.2.4", rule["PCI_DSS"])
        self.assertLessEqual({"gdpr_IV_35.7.d", "nist_800_53_AU.14"}, set(rule["groups"]))

    def test_seven_attempts_are_not_yet_a_brute_force(self):
        self.ospatrol.start()
        self.append(brute_force(7))
        # A line of another kind behind them shows that all seven were judged.
        self.append("Nov 22 10:01:00 gw1 sshd[900]: Failed password for root from 192.0.2.1 port 50000 ssh2\n")
        wait_for(lambda: any(a["rule"]["sidid"] == 5716 for a in self.ospatrol.alerts()), "rule 5716")
        rules = [a["rule"]["sidid"] for a in self.ospatrol.alerts()]
        self.assertEqual((rules.count(5712), rules.count(5710)), (0, 7))

    def test_counting_goes_on_after_an_orderly_restart(self):
        self.ospatrol.start()
        self.append(brute_force(5))
        wait_for(lambda: len([a for a in self.ospatrol.alerts() if a["rule"]["sidid"] == 5710]) == 5, "5 attempts")
        self.assertEqual(self.ospatrol.control("restart").returncode, 0)
        self.append(brute_force(8).split("\n", 5)[5])
        wait_for(lambda: any(a["rule"]["sidid"] == 5712 for a in self.ospatrol.alerts()), "rule 5712")

    def test_text_and_json_tell_the_same_alerts(self):
        self.ospatrol.start()
        self.append(brute_force(15))
        wait_for(lambda: len([a for a in self.ospatrol.alerts() if "sshd" in a["rule"]["groups"]]) == 15,
                 "15 sshd alerts")
        self.ospatrol.control("stop")  # both are written
        text_ids = [line.split()[2].rstrip(":") for line in self.ospatrol.alerts_text().split("\n")
                    if line.startswith("** Alert ")]
        self.assertEqual(text_ids, [a["id"] for a in self.ospatrol.alerts()])
        self.assertEqual(len(set(text_ids)), len(text_ids))

    def test_dated_files_are_linked_to_the_current_names(self):
        self.ospatrol.start()
        self.append(brute_force(1))
        wait_for(lambda: len(self.ospatrol.alerts()) >= 1, "an alert")
        now = time.localtime()
        dated = self.ospatrol.path(time.strftime("logs/alerts/%Y/", now)
                                   + "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()[now.tm_mon - 1]
                                   + time.strftime("/ospatrol-alerts-%d", now))
        for ending, link in ((".log", "alerts.log"), (".json", "alerts.json")):
            self.assertTrue(os.path.samefile(dated + ending, self.ospatrol.path("logs/alerts/" + link)))


if __name__ == "__main__":
    unittest.main()
