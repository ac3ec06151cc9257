"""A WHIP server with aiortc for one publisher. The arguments are the token that it wants, and the port of another server
to which it redirects, if any. It prints its port and, when the session has ended, what happened, as JSON."""

import array
import asyncio
import json
import sys
import time

from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError

told = {"offers": 0, "tokens": [], "video": 0, "audio": 0, "sizes": [], "loud": 0}
connection = RTCPeerConnection()
ended = asyncio.Event()


async def receive(track):
    try:
        while True:
            frame = await track.recv()
            told[track.kind] += 1
            if track.kind == "video":
                size = [frame.width, frame.height]
                if size not in told["sizes"]:
                    told["sizes"].append(size)
                told["first"] = told.get("first", time.time())
            else:
                samples = array.array("h", bytes(frame.planes[0]))
                told["loud"] = max(told["loud"], max(map(abs, samples)))
    except MediaStreamError:
        pass


@connection.on("track")
def on_track(track):
    asyncio.ensure_future(receive(track))


async def answer(method, token, body):
    told["tokens"].append(token)
    if token != WANTED:
        return 401, {}, "the token is wrong"
    if method == "OPTIONS":
        return 204, {"Accept-Post": "application/sdp"}, ""
    if method == "POST":
        told["offers"] += 1
        if REDIRECT:
            return 307, {"Location": f"http://127.0.0.1:{REDIRECT}/x/whip"}, ""
        await connection.setRemoteDescription(RTCSessionDescription(body, "offer"))
        await connection.setLocalDescription(await connection.createAnswer())
        # Relative, as RFC 9725 allows.
        head = {"Location": "session/7", "Content-Type": "application/sdp"}
        return 201, head, connection.localDescription.sdp
    if method == "DELETE":
        told["deleted"] = time.time()
        ended.set()
        return 200, {}, ""
    return 405, {}, ""


async def serve(reader, writer):
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    method = head[0].split(" ")[0]
    fields = {name.lower(): value for name, value in (line.split(": ", 1) for line in head[1:] if line)}
    body = await reader.readexactly(int(fields.get("content-length", 0)))
    token = fields.get("authorization", "").removeprefix("Bearer ")
    status, more, text = await answer(method, token, body.decode())
    lines = [f"HTTP/1.1 {status} x", f"Content-Length: {len(text.encode())}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in more.items()]
    writer.write(("\r\n".join(lines) + "\r\n\r\n" + text).encode())
    await writer.drain()
    writer.close()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(json.dumps({"port": server.sockets[0].getsockname()[1]}), flush=True)
    await ended.wait()
    for receiver in connection.getReceivers():
        told["nacks"] = getattr(receiver, "_nacks", 0)
    await connection.close()
    print(json.dumps(told), flush=True)


WANTED = sys.argv[1]
REDIRECT = sys.argv[2] if len(sys.argv) > 2 else None
asyncio.run(main())
