# SPDX-License-Identifier: MIT
"""
cacti.py EXTENSION: Debian's cacti, unmodified, with stock PHP and with safehold.replace=all, which must do the same.

Each of the two gets a MariaDB server, an installation, polls and a web server of its own (cacti_site.py), in name
spaces of its own for mounts and processes: its configuration lies over /etc/cacti without the machine's being touched,
and whatever is left behind is seen, and ends with the name space. Installs the packages it needs.
"""
import collections
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
# php-fpm besides php: else Debian takes Apache's module. dbconfig-no-thanks: nobody is asked for a database.
PACKAGES = (
    "cacti dbconfig-no-thanks php php-fpm php-mysql php-intl mariadb-server-core mariadb-client-core nginx rrdtool"
)
KINDS = ("stock", "replaced")
PATIENCE = 900


class Skip(Exception):
    pass


def install_packages():
    asked = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Package} ${db:Status-Abbrev}\n", *PACKAGES.split()],
        capture_output=True,
        text=True,
        timeout=60,
    ).stdout
    there = {line.split()[0] for line in asked.splitlines() if line.split()[1:] == ["ii"]}
    missing = [name for name in PACKAGES.split() if name not in there]
    if not missing:
        return
    print("installing", *missing, flush=True)
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    for command in (["update"], ["-y", "--no-install-recommends", "install", *PACKAGES.split()]):
        done = subprocess.run(
            ["apt-get", "-q", *command],
            env=environment,
            stdin=subprocess.DEVNULL,
            timeout=600,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        if done.returncode != 0:
            raise Skip(f"{' '.join(missing)} cannot be installed: {done.stdout[-500:]}")


NAME_SPACES = ["unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--mount-proc"]


def can_run():
    if os.geteuid() != 0:
        raise Skip("it installs packages and mounts, and needs root")
    if not shutil.which("apt-get"):
        raise Skip("this is no Debian")
    done = subprocess.run([*NAME_SPACES, "true"], capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        raise Skip(f"there are no name spaces to be had: {done.stderr.strip()}")
    install_packages()


def begin(kind, folder, extension):
    """sh is the first process of the name space, as it reaps what cacti leaves in the background."""
    options = {"folder": str(folder), "extension": str(extension) if kind == "replaced" else None}
    command = 'python3 "$1" "$2"; exit $?'
    with open(folder / "said", "wb") as said:
        return subprocess.Popen(
            [*NAME_SPACES, "sh", "-c", command, "sh", str(HERE / "cacti_site.py"), json.dumps(options)],
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
        )


def plain(line):
    """A line of a log without what differs each time."""
    line = re.sub(r"^[\d/: -]+ - |^\[[^]]*\] ", "", line)
    line = re.sub(r"output: .*", "output", line)
    return re.sub(r"\d+(\.\d+)?", "N", line)


def statistics(log):
    """What each poll says of itself: hosts, data sources, files that were written to."""
    return collections.Counter(
        re.sub(r"Time:\S+ ", "", line.partition(" - ")[2]) for line in log if "SYSTEM STATS" in line
    )


def compare(stock, ours):
    """What is not the same, in sentences."""
    faults = []
    for what in ("files", "graphs", "exports"):
        if stock[what] != ours[what]:
            faults.append(f"{what}: stock {stock[what]}, replaced {ours[what]}")
    if statistics(stock["log"]) != statistics(ours["log"]):
        faults.append(f"polls: stock {statistics(stock['log'])}, replaced {statistics(ours['log'])}")
    for log in ("log", "php_log", "stderr_log"):
        theirs, mine = ({plain(line) for line in side[log]} for side in (stock, ours))
        faults += [
            f"{log}: only with {who}: {line}"
            for who, lines in (("stock PHP", theirs - mine), ("safehold", mine - theirs))
            for line in sorted(lines)
        ]
    return faults


def both(folder, extension):
    """The two at once, as most of the time is spent in waiting for the next poll."""
    running, results = [], {}
    for kind in KINDS:
        (folder / kind).mkdir()
        running.append((kind, begin(kind, folder / kind, extension)))
    try:
        for kind, process in running:
            code = process.wait(PATIENCE)
            said = (folder / kind / "said").read_text(errors="replace")
            print(f"--- {kind}\n{said}", flush=True)
            if code != 0:
                raise RuntimeError(f"{kind} ended with {code}")
            results[kind] = json.loads((folder / kind / "result.json").read_text())
    finally:
        for _, process in running:
            if process.poll() is None:
                process.kill()  # and with it all that is in its name space
                process.wait()
    return results


def main():
    try:
        can_run()
    except Skip as why:
        print(f"[  SKIPPED ] cacti: {why}\nrun_test: every test skipped: 1 in php.cacti")
        return 0
    folder = pathlib.Path(tempfile.mkdtemp(prefix="cacti-", dir=os.environ.get("SAFEHOLD_TEST_DIR")))
    folder.chmod(0o755)
    for parent in (folder, *folder.parents):  # the user that cacti runs as has to come here
        if not parent.stat().st_mode & 0o001:
            parent.chmod(parent.stat().st_mode | 0o011)
    try:
        results = both(folder, pathlib.Path(sys.argv[1]).resolve())
        faults = compare(results["stock"], results["replaced"])
    except (RuntimeError, subprocess.TimeoutExpired) as why:
        faults = [str(why)]
    finally:
        if os.environ.get("SAFEHOLD_CACTI_KEEP") is None:  # to look at it oneself
            shutil.rmtree(folder)
    for fault in faults:
        print(fault)
    if not faults:
        print("run_test: php.cacti: 1 passed, 0 skipped")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
