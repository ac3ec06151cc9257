"""A gate between a client and a server on this machine: closed, nothing listens there; open, it carries
bytes both ways, towards the client no faster than it is told. Notes when the first connection came
through."""

import contextlib
import socket
import threading
import time


class Gate:
    """Listens on `port` while it is open. `rate`: bytes a second towards a client."""

    def __init__(self, server, is_open=True, rate=None):
        self.server, self.rate = server, rate
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.first = None
        self.listener = None
        self.carried = []
        self.lock = threading.Lock()
        if is_open:
            self.open()

    def open(self):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        self.first = None
        listener.listen(16)
        self.listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def close(self):
        """Cuts what it carries and listens no more."""
        if self.listener:
            # Wakes the thread that waits for callers.
            with contextlib.suppress(OSError):
                self.listener.shutdown(socket.SHUT_RDWR)
            self.listener.close()
            self.listener = None
        with self.lock:
            for end in self.carried:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
            self.carried.clear()

    def _accept(self, listener):
        while True:
            try:
                client, _ = listener.accept()
                now = time.monotonic()
                server = socket.create_connection(("127.0.0.1", self.server), 5)
            except OSError:
                return
            self.first = self.first or now
            server.settimeout(None)
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.lock:
                self.carried += [client, server]
            for here, there, rate in ((client, server, None), (server, client, self.rate)):
                threading.Thread(target=self._carry, args=(here, there, rate), daemon=True).start()

    @staticmethod
    def _carry(here, there, rate):
        due = time.monotonic()
        with contextlib.suppress(OSError):
            while data := here.recv(1 << 11 if rate else 1 << 16):
                if rate:
                    due = max(due, time.monotonic()) + len(data) / rate
                    time.sleep(max(0.0, due - time.monotonic()))
                there.sendall(data)
        for end in (here, there):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
