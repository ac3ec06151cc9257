# A WebSocket client of its own (RFC 6455): reads 300 kB of binary messages into a file.
import base64, hashlib, os, socket, struct, sys

host, port, path, file = sys.argv[1:5]
s = socket.create_connection((host, int(port)), 20)
key = base64.b64encode(os.urandom(16)).decode()
s.sendall((f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\n"
           f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
           "Sec-WebSocket-Version: 13\r\n\r\n").encode())
f = s.makefile("rb")
assert b" 101 " in f.readline()
accept = None
while (line := f.readline().strip()):
    name, value = line.split(b":", 1)
    if name.lower() == b"sec-websocket-accept":
        accept = value.strip().decode()
guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
assert accept == base64.b64encode(hashlib.sha1((key + guid).encode()).digest()).decode()

def say(opcode, data):
    mask = os.urandom(4)
    s.sendall(bytes([0x80 | opcode, 0x80 | len(data)]) + mask
              + bytes(b ^ mask[i % 4] for i, b in enumerate(data)))

say(1, b"hello")
say(9, b"ping")
size, ponged = 0, False
with open(file, "wb") as out:
    while size < 300000 or not ponged:
        first, second = f.read(2)
        assert first & 0x80 and not second & 0x80
        length = second & 0x7F
        if length == 126:
            length = struct.unpack("!H", f.read(2))[0]
        elif length == 127:
            length = struct.unpack("!Q", f.read(8))[0]
        data = f.read(length)
        if first & 15 == 10:
            ponged = data == b"ping"
        else:
            assert first & 15 == 2
            out.write(data)
            size += len(data)
say(8, struct.pack("!H", 1000))
