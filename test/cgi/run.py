# SPDX-License-Identifier: MIT
"""
python3 run.py SERVER MODULE [CLASS[.TEST]...]: runs test_MODULE.py, or some of it, against that CGI server. Speaks at
the end as CMocka does, which is what cmake/run_test.cmake believes; a skipped test says why and is counted.
"""
import os
import pathlib
import sys
import unittest

# What was freed is kept, but not so much of it that a server's memory says nothing any more.
SANITIZER = "exitcode=99:detect_leaks=1:quarantine_size_mb=16"


class Result(unittest.TextTestResult):
    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.stream.writeln(f"[  SKIPPED ] {test}: {reason}")


def main():
    os.environ["SAFEHOLD_CGI_SERVER"] = str(pathlib.Path(sys.argv[1]).resolve())
    os.environ["ASAN_OPTIONS"] = SANITIZER + ":" + os.environ.get("ASAN_OPTIONS", "")
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
    module = "test_" + sys.argv[2]
    names = [f"{module}.{name}" for name in sys.argv[3:]] or [module]
    suite = unittest.defaultTestLoader.loadTestsFromNames(names)
    print(f"[==========] {module}: Running {suite.countTestCases()} test(s).", flush=True)
    runner = unittest.TextTestRunner(stream=sys.stdout, verbosity=2, resultclass=Result)
    result = runner.run(suite)
    skipped = len(result.skipped)
    passed = result.testsRun - skipped - len(result.failures) - len(result.errors)
    if skipped:
        print(f"[  SKIPPED ] {module}: {skipped} test(s)")
    if not result.wasSuccessful() or result.testsRun == 0:
        print(f"[  FAILED  ] {module}: {len(result.failures) + len(result.errors)} test(s)")
        return 1
    print(f"[  PASSED  ] {passed} test(s).")
    return 0


if __name__ == "__main__":
    sys.exit(main())
