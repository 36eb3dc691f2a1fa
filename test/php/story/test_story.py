# SPDX-License-Identifier: MIT
"""
python3 test_story.py SAFEHOLD_SO CGI_SERVER: an application that locks files and starts something in the background,
behind real web servers: with stock PHP its visitors wait for ever, and with safehold.replace=all none does.
"""
import concurrent.futures
import os
import pathlib
import sys
import time
import unittest

import servers
from harness import PATIENCE, SLOWNESS, eventually
from servers import visit
from run import Result  # of the CGI server's tests: says why something is skipped

WATCH = 5.0  # seconds that stock PHP is given before it counts as hanging
LOCK_TIMEOUT = 1.0 * SLOWNESS
WORK = int(6 * SLOWNESS)  # seconds that a slow page takes


class Story:
    def setUp(self):
        if self.kind.missing():
            self.skipTest(self.kind.missing())
        self.clients = concurrent.futures.ThreadPoolExecutor(16)
        self.addCleanup(self.clients.shutdown)

    def begin(self, *request):
        return self.clients.submit(visit, *request)

    def test_stock_php_hangs(self):
        with self.kind(None) as server:
            status, text, cookie, _ = visit(server, "?report=1")
            self.assertEqual((status, text), (200, "visit 1 of yours, 1 of all\n"))
            stranger = self.begin(server)
            same = self.begin(server, "", cookie)
            done, _ = concurrent.futures.wait((stranger, same), WATCH)
            self.assertEqual(done, set(), "stock PHP has answered: there is nothing to be mended")
            self.assertEqual([servers.name(pid) for pid in server.daemons()], ["sleep"])
            self.assertEqual(server.holders(server.counter), server.daemons(), "somebody else holds the lock")
            server.end_daemons()
            self.assertEqual(stranger.result()[0], 200)
            self.assertEqual(same.result()[0], 200)

    def test_with_safehold_every_request_is_answered(self):
        with self.kind(module, lock_timeout=6 * PATIENCE) as server:
            _, text, cookie, _ = visit(server, "?report=1")
            self.assertEqual(text, "visit 1 of yours, 1 of all\n")
            self.assertEqual(visit(server)[1], "visit 1 of yours, 2 of all\n")
            self.assertEqual(visit(server, "", cookie)[1], "visit 2 of yours, 3 of all\n")
            crowd = [self.begin(server, "?report=1", cookie) for _ in range(6)] + [self.begin(server) for _ in range(6)]
            self.assertEqual([request.result()[0] for request in crowd], [200] * 12)
            self.assertEqual(visit(server, "", cookie)[1], "visit 9 of yours, 16 of all\n")
            daemons = server.daemons()
            self.assertEqual(len(daemons), 7)
            for pid in daemons:
                self.assertEqual(
                    set(servers.files(pid).values()), {"/dev/null"}, "a daemon has what is the application's"
                )

    def test_who_really_holds_a_lock_is_named(self):
        with self.kind(module, lock_timeout=LOCK_TIMEOUT) as server:
            slow = self.begin(server, f"?work={WORK}")
            self.assertTrue(eventually(lambda: server.counter.exists() and server.counter.stat().st_size > 0))
            self.refused(server, slow, server.counter.name)

    def test_who_really_holds_a_session_is_named(self):
        with self.kind(module, lock_timeout=6 * PATIENCE, session_lock_timeout=LOCK_TIMEOUT) as server:
            cookie = visit(server)[2]
            slow = self.begin(server, f"?work={WORK}", cookie)
            self.assertTrue(eventually(lambda: server.counter.read_text() == "2"))
            self.refused(server, slow, "sess_" + cookie.partition("=")[2], cookie)

    def refused(self, server, slow, file, *session):
        """Requests in time, while the slow one has the lock; the log names its worker."""
        # Where very many others want the processor, the look for the holder ends before it is through, and says so.
        for _ in range(3):
            before = len(server.log())
            began = time.monotonic()
            status, text, _, _ = visit(server, "", *session)
            self.assertEqual((status, text), (503, "busy\n"))
            self.assertGreaterEqual(time.monotonic() - began, LOCK_TIMEOUT)
            self.assertFalse(slow.done(), "it was answered after the lock was free")
            said = server.log()[before:]
            if "The time for looking was over" not in said:
                break
        status, _, _, holder = slow.result()
        self.assertEqual(status, 200)
        self.assertRegex(said, rf"{file}.*{self.kind.worker}[^\n]*\b{holder}\b")
        self.assertEqual(visit(server, "", *session)[0], 200)


class NginxAndFpm(Story, unittest.TestCase):
    kind = servers.NginxFpm


class CgiServerAndCgi(Story, unittest.TestCase):
    kind = servers.CgiServer


def main():
    global module
    module = pathlib.Path(sys.argv.pop(1)).resolve()
    os.environ["SAFEHOLD_CGI_SERVER"] = str(pathlib.Path(sys.argv.pop(1)).resolve())
    servers.adopt_orphans()
    suite = unittest.defaultTestLoader.loadTestsFromNames(sys.argv[1:] or ["__main__"])
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2, resultclass=Result).run(suite)
    passed = result.testsRun - len(result.skipped) - len(result.failures) - len(result.errors)
    print(f"run_test: php.story: {passed} passed, {len(result.skipped)} skipped")
    return 0 if result.wasSuccessful() and passed > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
