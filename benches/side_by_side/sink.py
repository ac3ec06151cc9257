"""An RTMP server that takes one publisher and notes when its first picture came. Reads just enough
of the protocol to answer connect, createStream and publish."""

import socket
import struct
import threading
import time


def _text(value):
    data = value.encode()
    return b"\x02" + struct.pack(">H", len(data)) + data


def _number(value):
    return b"\x00" + struct.pack(">d", value)


def _status(code):
    members = b""
    for name, value in (("level", "status"), ("code", code), ("description", code)):
        members += struct.pack(">H", len(name)) + name.encode() + _text(value)
    return b"\x03" + members + b"\x00\x00\x09"


def _message(kind, stream, body):
    """One message in one chunk (chunk size 65536 has been announced)."""
    return bytes([3, 0, 0, 0]) + len(body).to_bytes(3, "big") + bytes([kind]) + struct.pack("<I", stream) + body


class Sink:
    """Listens; `first_video` is the monotonic instant of the first coded picture, once there."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.accepted = self.first_video = None
        self.event = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    def url(self):
        return f"rtmp://127.0.0.1:{self.port}/live/bench"

    def close(self):
        self.listener.close()

    def _serve(self):
        try:
            peer, _ = self.listener.accept()
        except OSError:
            return
        self.accepted = time.monotonic()
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            self._talk(peer, peer.makefile("rb", buffering=65536))
        except (OSError, EOFError):
            pass
        finally:
            peer.close()

    def _talk(self, peer, stream):
        def read(count):
            data = stream.read(count)
            if len(data) < count:
                raise EOFError
            return data

        hello = read(1537)[1:]
        peer.sendall(b"\x03" + bytes(1536) + hello)
        read(1536)
        size, partial = 128, {}
        while True:
            first = read(1)[0]
            csid = first & 0x3F
            if csid == 0:
                csid = 64 + read(1)[0]
            elif csid == 1:
                low, high = read(2)
                csid = 64 + low + 256 * high
            state = partial.setdefault(csid, {"length": 0, "kind": 0, "body": b"", "extended": False})
            fields = read((11, 7, 3, 0)[first >> 6])
            if len(fields) >= 3:
                state["extended"] = fields[:3] == b"\xff\xff\xff"
            if len(fields) >= 7:
                state["length"], state["kind"] = int.from_bytes(fields[3:6], "big"), fields[6]
            if state["extended"]:
                read(4)
            state["body"] += read(min(size, state["length"] - len(state["body"])))
            if len(state["body"]) < state["length"]:
                continue
            body, state["body"] = state["body"], b""
            if state["kind"] == 1:
                size = int.from_bytes(body, "big")
            elif state["kind"] == 20:
                self._command(peer, body)
            elif state["kind"] == 9 and self.first_video is None and self._is_picture(body):
                self.first_video = time.monotonic()
                self.event.set()

    @staticmethod
    def _is_picture(body):
        if body[0] & 0x80:
            return body[0] & 0x0F in (1, 3)
        return len(body) > 5 and body[1] == 1

    @staticmethod
    def _command(peer, body):
        length = int.from_bytes(body[1:3], "big")
        name, rest = body[3 : 3 + length].decode(), body[3 + length :]
        number = struct.unpack(">d", rest[1:9])[0] if len(rest) >= 9 and rest[0] == 0 else 0.0
        if name == "connect":
            peer.sendall(
                bytes([2, 0, 0, 0, 0, 0, 4, 1, 0, 0, 0, 0]) + (65536).to_bytes(4, "big")
                + bytes([2, 0, 0, 0, 0, 0, 4, 5, 0, 0, 0, 0]) + (2500000).to_bytes(4, "big")
                + bytes([2, 0, 0, 0, 0, 0, 5, 6, 0, 0, 0, 0]) + (2500000).to_bytes(4, "big") + b"\x02"
                + _message(20, 0, _text("_result") + _number(number) + b"\x05" + _status("NetConnection.Connect.Success"))
            )
        elif name == "createStream":
            peer.sendall(_message(20, 0, _text("_result") + _number(number) + b"\x05" + _number(1)))
        elif name == "publish":
            peer.sendall(_message(20, 1, _text("onStatus") + _number(0) + b"\x05" + _status("NetStream.Publish.Start")))
        elif name in ("releaseStream", "FCPublish", "getStreamLength"):
            peer.sendall(_message(20, 0, _text("_result") + _number(number) + b"\x05\x05"))
