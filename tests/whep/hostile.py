"""A hostile viewer around aiortc: it plays a stream by WHEP, and then sends what it has sent before, changed by
seeded mutations: offers, ICE requests with right and wrong integrity, DTLS records, SRTP and SRTCP packets that
are damaged or protected rightly, and frames of ICE-TCP; from its own address and from others. The arguments are the
endpoint, the port of WebRTC, and the ICE user name of a viewer to disturb. Tells counts as JSON."""

import asyncio
import json
import random
import socket
import struct
import sys
import urllib.error
import urllib.parse
import urllib.request

from aioice import stun
from aiortc import RTCPeerConnection, RTCSessionDescription

SEED = 27
EACH = 1_000
# Sessions whose handshakes are attacked, offers that are damaged, and connections of TCP.
HANDSHAKES, OFFERS, CONNECTIONS = 12, 200, 30
# So many datagrams at once fit into the queues of a session and of the system.
AT_ONCE = 50

chance = random.Random(SEED)


def ask(method, url, body=None):
    request = urllib.request.Request(url, data=body, method=method)
    if body is not None:
        request.add_header("Content-Type", "application/sdp")
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()


def mutate(base, other, longest=1_400):
    """Other bytes, never the same."""
    changed = bytearray(base)
    for _ in range(chance.randint(1, 5)):
        at = chance.randrange(len(changed) + 1)
        end = min(at + chance.randrange(24), len(changed))
        kind = chance.randrange(7)
        if kind == 0 and at < len(changed):
            changed[at] = chance.randrange(256)
        elif kind == 1 and at < len(changed):
            changed[at] ^= 1 << chance.randrange(8)
        elif kind == 2 and at > 1:
            del changed[at:]
        elif kind == 3:
            del changed[at:end]
        elif kind == 4:
            changed[at:end] = bytes([chance.choice((0, 0x7F, 0x80, 0xFF))]) * (end - at)
        elif kind == 5:
            begin = chance.randrange(len(other) + 1)
            changed[at:at] = other[begin:begin + chance.randrange(200)]
        else:
            changed[at:at] = changed[at:end]
    changed = bytes(changed[:longest])
    return changed if changed != base else changed[::-1] + b"\0"


class Stranger:
    """A socket that the server does not know, or only by an ICE request."""

    def __init__(self, port):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.setblocking(False)
        self.to = ("127.0.0.1", port)

    def send(self, datagram):
        try:
            self.socket.sendto(datagram, self.to)
        except BlockingIOError:
            pass

    def answers(self):
        return len(self.received())

    def received(self):
        datagrams = []
        while True:
            try:
                datagram, source = self.socket.recvfrom(4_096)
                if source == self.to:
                    datagrams.append(datagram)
            except (BlockingIOError, ConnectionError):
                return datagrams

    def prove(self, password):
        """Answers the checks of this address, as the viewer with this password."""
        for datagram in self.received():
            check = stun.parse_message(datagram)
            if check.message_class == stun.Class.REQUEST:
                answer = stun.Message(check.message_method, stun.Class.RESPONSE, check.transaction_id)
                answer.attributes["XOR-MAPPED-ADDRESS"] = self.to
                answer.add_message_integrity(password.encode())
                self.send(bytes(answer))


def request(username, password, more=None):
    """An ICE request (RFC 8445 section 7.1)."""
    message = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    message.attributes.update({"USERNAME": username, "PRIORITY": 1_862_270_975, "ICE-CONTROLLING": 7})
    message.attributes["USE-CANDIDATE"] = None
    message.attributes.update(more or {})
    message.add_message_integrity(password.encode())
    return bytes(message)


def resigned(base, password):
    """A request with damaged attributes, and with the integrity that belongs to them."""
    attributes = mutate(base[20:-32], base[20:-32])[:900]
    attributes += bytes(-len(attributes) % 4)
    head = base[:2] + struct.pack("!H", len(attributes)) + base[4:20]
    tag = stun.message_integrity(head + attributes, password.encode())
    head = head[:2] + struct.pack("!H", len(attributes) + 24) + head[4:]
    signed = head + attributes + struct.pack("!HH", 8, 20) + tag
    mark = struct.pack("!HHI", 0x8028, 4, stun.message_fingerprint(signed))
    return signed[:2] + struct.pack("!H", len(signed) - 20 + 8) + signed[4:] + mark


def line(sdp, name):
    return next(it for it in sdp.splitlines() if it.startswith(f"a={name}:")).split(":", 1)[1]


async def in_turns(count, send):
    for number in range(count):
        send(number)
        if number % AT_ONCE == 0:
            await asyncio.sleep(0.01)


async def main(endpoint, port, victim):
    told = {"frames": 0, "rtcp": 0, "offers": {}}
    loop = asyncio.get_running_loop()

    def post(offer):
        return loop.run_in_executor(None, ask, "POST", endpoint, offer)

    async def end(head):
        url = urllib.parse.urljoin(endpoint, head["Location"])
        await loop.run_in_executor(None, ask, "DELETE", url)

    connection = RTCPeerConnection()

    async def take(track):
        while True:
            await track.recv()
            told["frames"] += 1

    tasks = []
    connection.on("track", lambda track: tasks.append(asyncio.ensure_future(take(track))))
    video = connection.addTransceiver("video", direction="recvonly")
    connection.addTransceiver("audio", direction="recvonly")
    await connection.setLocalDescription(await connection.createOffer())
    offer = connection.localDescription.sdp
    status, head, answer = await post(offer.encode())
    if status != 201:
        sys.exit(f"{status}: {answer}")
    # What is really sent.
    dtls = video.receiver.transport
    ice = dtls.transport
    sent, reports = [], []
    really_send, really_report = ice._send, dtls._send_rtp

    async def note(data):
        sent.append(data)
        await really_send(data)

    async def note_report(data):
        reports.append(data)
        await really_report(data)

    ice._send, dtls._send_rtp = note, note_report
    await connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    while told["frames"] < 30 or len(reports) < 3:
        await asyncio.sleep(0.05)
    records = [it for it in sent if 19 < it[0] < 64]
    packets = [it for it in sent if it[0] > 127]
    media = packets[0][4:8]
    own, ssrc = bytes(4), reports[0][4:8]
    # What a browser reports as well (RFC 4585, RFC 5104, transport-wide-cc, REMB, RFC 3611).
    reports += [
        b"\x81\xcd\x00\x03" + ssrc + media + b"\x00\x01\xff\xff",
        b"\x81\xce\x00\x02" + ssrc + media,
        b"\x84\xce\x00\x04" + ssrc + own + media + b"\x01\0\0\0",
        b"\x8f\xcd\x00\x05" + ssrc + media + b"\x00\x01\x00\x08\x00\x00\x05\x00\x20\x08\x10\x20\x30\x40\x50\x60",
        b"\x8f\xce\x00\x05" + ssrc + own + b"REMB\x01\x12\xff\xff" + media,
        b"\x80\xcf\x00\x04" + ssrc + b"\x04\x00\x00\x02" + bytes(8),
        b"\x81\xcb\x00\x02" + ssrc + b"\x03bye",
    ]

    stranger = Stranger(port)
    # ICE requests: of the other viewer with a guess, then of this one.
    await in_turns(EACH, lambda _: stranger.send(request(victim, "%032x" % chance.getrandbits(128))))
    await in_turns(EACH, lambda _: stranger.send(mutate(request(victim, "guess"), records[0])))
    await in_turns(EACH // 4, lambda _: stranger.send(chance.choice(records)))
    username = f"{line(answer, 'ice-ufrag')}:{line(offer, 'ice-ufrag')}"
    password = line(answer, "ice-pwd")
    good = request(username, password)
    checker = Stranger(port)
    checker.send(good)
    await asyncio.sleep(0.05)
    checker.prove(line(offer, "ice-pwd"))
    checker.send(good)
    await in_turns(EACH, lambda _: checker.send(resigned(good, password)))
    await asyncio.sleep(0.2)
    told["checks_answered"] = checker.answers()

    # Reports that are protected rightly, and damaged packets and records.
    async def reported(bad):
        if len(bad) < 8:
            return
        bad = bytes([0x80 | bad[0] & 0x3F, 192 + bad[1] % 32]) + bad[2:]
        await really_send(dtls._tx_srtp.protect_rtcp(bad))
        told["rtcp"] += 1

    for number in range(3 * EACH):
        await reported(mutate(chance.choice(reports), chance.choice(reports)))
        if number % AT_ONCE == 0:
            await asyncio.sleep(0.01)
    for number in range(EACH):
        bad = mutate(chance.choice(packets), chance.choice(packets))
        record = mutate(chance.choice(records), chance.choice(records))
        for datagram in (bad, record):
            await really_send(datagram)
            stranger.send(datagram)
        if number % (AT_ONCE // 4) == 0:
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.2)
    told["strangers_answered"] = stranger.answers()

    # Handshakes from an address that an ICE request has made known.
    hello = records[0]
    told["handshakes_answered"] = 0
    for _ in range(HANDSHAKES):
        status, other, words = await post(offer.encode())
        if status != 201:
            continue
        client = Stranger(port)
        client.send(request(f"{line(words, 'ice-ufrag')}:{line(offer, 'ice-ufrag')}", line(words, "ice-pwd")))
        await asyncio.sleep(0.05)
        client.prove(line(offer, "ice-pwd"))
        await asyncio.sleep(0.05)
        client.answers()
        client.send(hello)
        await in_turns(60, lambda _: client.send(mutate(chance.choice((hello, chance.choice(records))), hello)))
        await asyncio.sleep(0.05)
        told["handshakes_answered"] += client.answers()
        await end(other)

    # The same datagrams as frames of ICE-TCP, with lengths that are true or not.
    for number in range(CONNECTIONS):
        with socket.create_connection(("127.0.0.1", port), timeout=10) as stream:
            try:
                if number % 2 == 0:
                    stream.sendall(struct.pack("!H", len(good)) + good)
                for _ in range(20):
                    bad = mutate(chance.choice((good, hello, chance.choice(packets))), good)
                    length = len(bad) if chance.randrange(4) else chance.randrange(1 << 16)
                    stream.sendall(struct.pack("!H", length) + bad)
            except ConnectionError:
                pass
        await asyncio.sleep(0)

    # Offers.
    for _ in range(OFFERS):
        bad = mutate(offer.encode(), offer.encode(), 30_000) + b"\r\n"
        status, other, _ = await post(bad)
        told["offers"][str(status)] = told["offers"].get(str(status), 0) + 1
        if status == 201:
            await end(other)
    await end(head)
    for task in tasks:
        task.cancel()
    print(json.dumps(told), flush=True)


asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
