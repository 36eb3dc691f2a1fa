# SPDX-License-Identifier: MIT
"""The status page as a browser shows it."""
import fcntl
import os
import shutil
import struct
import subprocess
import unittest
import zlib

from harness import PATIENCE, SLOWNESS, Client, Server, eventually, message

BROWSER = shutil.which("chromium")


def colours(path):
    """How many different rows of pixels a PNG has: a page that shows nothing has one."""
    data = path.read_bytes()
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    at, packed = 8, b""
    while at < len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        if kind == b"IHDR":
            width, _, depth, colour = struct.unpack_from(">IIBB", data, at + 8)
        if kind == b"IDAT":
            packed += data[at + 8 : at + 8 + length]
        at += 12 + length
    stride = 1 + width * {2: 3, 6: 4}[colour] * depth // 8
    pixels = zlib.decompress(packed)
    return len({pixels[row : row + stride] for row in range(0, len(pixels), stride)})


@unittest.skipUnless(BROWSER, "there is no chromium")
class Browser(unittest.TestCase):
    def browse(self, server, *arguments):
        """Headless, with a profile of its own. A root user has no sandbox there."""
        command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
        command += [f"--user-data-dir={server.folder / 'profile'}", "--window-size=1200,900", *arguments]
        command.append(f"http://127.0.0.1:{server.port}/-/status")
        environment = dict(os.environ, HOME=str(server.folder))
        result = subprocess.run(
            command, capture_output=True, text=True, timeout=60 * SLOWNESS, stdin=subprocess.DEVNULL, env=environment
        )
        self.assertEqual(result.returncode, 0, result.stderr[-2000:])
        return result.stdout

    def test_a_script_that_waits_for_a_lock_is_shown_with_its_holder(self):
        with Server(jobs=4) as server, Client(server) as client, Client(server) as other:
            with open(server.notes / "session", "ab") as held:
                fcntl.flock(held, fcntl.LOCK_EX)
                client.send(message("/cgi-bin/waits_for_lock.sh?<b>bold</b>"))
                other.send(message("/cgi-bin/hang.sh"))
                waiter, hanging = server.note("waiter"), server.note("hang")
                page = self.browse(server, "--dump-dom")
                for text in ("waits_for_lock.sh", waiter, "hang.sh", hanging, "session", str(os.getpid())):
                    self.assertIn(text, page)
                self.assertNotIn("<b>bold</b>", page)
                picture = server.folder / "status.png"
                self.browse(server, f"--screenshot={picture}")
                self.assertGreater(colours(picture), 50)
                kept = os.environ.get("SAFEHOLD_CGI_SCREENSHOT")  # to look at it oneself
                if kept:
                    shutil.copy(picture, kept)
            self.assertEqual(client.response().text, "locked\n")
            other.reset()
            self.assertTrue(eventually(lambda: not server.children(), PATIENCE))
