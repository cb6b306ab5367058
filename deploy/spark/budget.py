"""One budget of requests for all workers of a job.

The driver runs a Budget; workers ask it for a turn before each model and tell it
when a server asked to wait. So a 429 that one worker meets holds all of them.
"""

import json
import secrets
import socket
import socketserver
import threading
import time


class Budget:
    """Gives turns at a rate, and none before a time that a server named."""

    def __init__(self, rate, clock=time.monotonic):
        self.rate, self.clock = rate, clock
        self.next = 0.0
        self.lock = threading.Lock()
        self.turns = self.pauses = 0

    def turn(self):
        """Reserves the next turn and returns the seconds until it comes."""
        with self.lock:
            now = self.clock()
            at = max(now, self.next)
            self.next = at + (1 / self.rate if self.rate else 0)
            self.turns += 1
            return at - now

    def pause(self, seconds):
        """Lets no further turn come before so many seconds have passed."""
        with self.lock:
            self.next = max(self.next, self.clock() + seconds)
            self.pauses += 1


class Server(socketserver.ThreadingTCPServer):
    """Serves a budget to workers who know its key."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, budget, host):
        self.budget, self.key = budget, secrets.token_hex(16)
        super().__init__((host, 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def address(self):
        host, port = self.server_address[:2]
        return host, port, self.key


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            ask = json.loads(line)
            if not secrets.compare_digest(str(ask.get("key")), self.server.key):
                return
            answer = 0.0
            if "pause" in ask:
                self.server.budget.pause(min(float(ask["pause"]), 3600.0))
            else:
                answer = self.server.budget.turn()
            self.wfile.write(json.dumps(answer).encode() + b"\n")


class Client:
    """A worker's side. A driver that is gone limits nothing: its tasks end."""

    def __init__(self, address):
        host, port, self.key = address
        self.stream = socket.create_connection((host, port), timeout=60).makefile("rwb")

    def _ask(self, **what):
        self.stream.write(json.dumps({"key": self.key, **what}).encode() + b"\n")
        self.stream.flush()
        return json.loads(self.stream.readline())

    def wait(self):
        time.sleep(self._ask())

    def pause(self, seconds):
        self._ask(pause=seconds)
