"""Puts an echo behind a gateway, which has none, for a WebSocket conformance suite.

Every byte of the suite goes to the gateway as it is, and the gateway's control frames come back as they are. Behind
each whole message the relay sends a ping of its own: once that is answered, the gateway has read the message, and the
relay returns it to the suite.
"""

import json
import socket
import threading


def frame(first, payload, mask):
    size = len(payload)
    bit = 0x80 if mask else 0
    if size < 126:
        head = bytes([first, bit | size])
    elif size < 65536:
        head = bytes([first, bit | 126]) + size.to_bytes(2, "big")
    else:
        head = bytes([first, bit | 127]) + size.to_bytes(8, "big")
    return head + (b"\0\0\0\0" if mask else b"") + payload


class Frames:
    """Splits a stream into frames."""

    def __init__(self):
        self.data = bytearray()

    def add(self, data):
        self.data += data
        while True:
            taken = self.take()
            if taken is None:
                return
            yield taken

    def take(self):
        data = self.data
        if len(data) < 2:
            return None
        size, at = data[1] & 0x7F, 2
        if size == 126:
            size, at = int.from_bytes(data[2:4], "big"), 4
        elif size == 127:
            size, at = int.from_bytes(data[2:10], "big"), 10
        key = b""
        if data[1] & 0x80:
            key, at = data[at : at + 4], at + 4
        if len(data) < at + size:
            return None
        raw, payload = bytes(data[: at + size]), bytes(data[at : at + size])
        if any(key):
            pad = (key * (size // 4 + 1))[:size]
            payload = (int.from_bytes(payload, "big") ^ int.from_bytes(pad, "big")).to_bytes(size, "big")
        del data[: at + size]
        return raw[0], payload, raw


def head_of(stream):
    data = b""
    while not data.endswith(b"\r\n\r\n"):
        byte = stream.recv(1)
        if not byte:
            raise OSError("no head")
        data += byte
    return data


class Line:
    """One connection of the suite, and one to the gateway."""

    def __init__(self, suite, port):
        self.suite = suite
        self.gateway = socket.create_connection(("127.0.0.1", port))
        self.gateway.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        suite.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.pending = []
        self.count = 0
        self.lock = threading.Lock()
        self.answered = threading.Event()
        self.answered.set()

    def run(self):
        request = head_of(self.suite)
        self.gateway.sendall(request)
        answer = head_of(self.gateway)
        frames = Frames()
        params = {
            "minProtocol": 4, "maxProtocol": 4, "scopes": [],
            "client": {"id": "suite", "version": "1", "platform": "linux", "mode": "cli"},
        }
        hello = {"type": "req", "id": "1", "method": "connect", "params": params}
        self.gateway.sendall(frame(0x81, json.dumps(hello).encode(), True))
        texts = 0
        while texts < 2:
            texts += sum(1 for _ in frames.add(self.gateway.recv(65536)))
        self.suite.sendall(answer)
        threading.Thread(target=self.back, args=(frames,), daemon=True).start()
        self.forth()

    def forth(self):
        frames, message, sent = Frames(), None, 0
        try:
            while True:
                data = self.suite.recv(65536)
                if not data:
                    break
                frames.data += data
                while (taken := frames.take()) is not None:
                    first, payload, raw = taken
                    opcode = first & 0x0F
                    if opcode == 9:
                        self.answered.clear()
                    self.gateway.sendall(raw[sent:])
                    sent = 0
                    if opcode in (1, 2):
                        message = (opcode, [payload])
                    elif opcode == 0 and message:
                        message[1].append(payload)
                    if opcode < 3 and first & 0x80 and message:
                        with self.lock:
                            self.count += 1
                            self.pending.append((self.count, message[0], b"".join(message[1])))
                        # The gateway answers the newest ping only: a ping of the suite gets its answer first.
                        self.answered.wait(1)
                        self.gateway.sendall(frame(0x89, b"relay-%d" % self.count, True))
                        message = None
                # The beginning of a frame goes on at once, in the pieces in which it comes.
                self.gateway.sendall(frames.data[sent:])
                sent = len(frames.data)
            self.gateway.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def back(self, frames):
        try:
            while True:
                data = self.gateway.recv(65536)
                if not data:
                    break
                for first, payload, raw in frames.add(data):
                    if first & 0x0F == 0x0A and payload.startswith(b"relay-"):
                        self.echo(int(payload[6:]))
                    elif first & 0x0F in (8, 10):
                        self.answered.set()
                        self.suite.sendall(raw)
            self.suite.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        finally:
            self.suite.close()
            self.gateway.close()

    def echo(self, number):
        with self.lock:
            done = [p for p in self.pending if p[0] <= number]
            self.pending = [p for p in self.pending if p[0] > number]
        for _, opcode, payload in done:
            self.suite.sendall(frame(0x80 | opcode, payload, False))


def serve(line):
    try:
        line.run()
    except OSError:
        line.suite.close()


def start(gateway):
    """Listens in the background for the gateway at that port; returns the port to give to the suite."""
    server = socket.create_server(("127.0.0.1", 0))

    def accept():
        while True:
            suite, _ = server.accept()
            threading.Thread(target=serve, args=(Line(suite, gateway),), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return server.getsockname()[1]
