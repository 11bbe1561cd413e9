"""The scenarios of test_agent_network.py with the protocol of old managers, which acknowledges no event: nothing may be
repeated or wait for ever, and the table says how much was lost."""
import unittest

import books
import test_agent_network
from network import needs_network


@needs_network
class Version1(test_agent_network.Scenarios, books.Books):
    protocol = "v1"


if __name__ == "__main__":
    unittest.main()
