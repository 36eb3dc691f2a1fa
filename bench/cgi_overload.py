# SPDX-License-Identifier: MIT
"""More clients than a server can serve: each asks again as soon as it was answered, or a while after it was refused."""
import http.client
import threading
import time

PAUSE = 0.1  # after a 503: shorter than any Retry-After, so that the queue is never empty


class Client(threading.Thread):
    def __init__(self, port, path, end):
        super().__init__(daemon=True)
        self.port, self.path, self.end = port, path, end
        self.answered, self.refused, self.problem = [], 0, None

    def ask(self, connection):
        began = time.monotonic()
        connection.request("GET", self.path)
        response = connection.getresponse()
        response.read()
        if response.status == 200:
            self.answered.append(time.monotonic() - began)
        elif response.status == 503 and response.getheader("Retry-After"):
            self.refused += 1
            time.sleep(PAUSE)
        else:
            raise RuntimeError(f"the answer was {response.status}")

    def run(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            while time.monotonic() < self.end:
                self.ask(connection)
        except (OSError, RuntimeError, http.client.HTTPException) as problem:
            self.problem = problem
        connection.close()


def load(port, path, clients, seconds):
    """The seconds that each answered request took, and how many were refused."""
    end = time.monotonic() + seconds
    threads = [Client(port, path, end) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    problems = [thread.problem for thread in threads if thread.problem is not None]
    if problems:
        raise RuntimeError(f"{len(problems)} clients had a problem: {problems[0]!r}")
    return [time for thread in threads for time in thread.answered], sum(thread.refused for thread in threads)
