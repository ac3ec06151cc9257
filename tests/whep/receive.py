"""Receives a stream by WHEP for some seconds and tells what came as JSON. The argument is the endpoint."""

import array
import asyncio
import json
import sys
import urllib.error
import urllib.parse
import urllib.request

from aiortc import RTCPeerConnection, RTCSessionDescription

SECONDS = 6


def ask(method, url, body=None):
    request = urllib.request.Request(url, data=body, method=method)
    if body is not None:
        request.add_header("Content-Type", "application/sdp")
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()


async def main(endpoint):
    told = {"video": 0, "audio": 0, "loud": 0.0, "size": None}
    connection = RTCPeerConnection()

    async def take(track):
        while True:
            frame = await track.recv()
            told[track.kind] += 1
            if track.kind == "video":
                told["size"] = [frame.width, frame.height]
            else:
                samples = array.array("h", bytes(frame.planes[0]))
                told["loud"] = max(told["loud"], max(map(abs, samples)) / 32768)

    tasks = []
    connection.on("track", lambda track: tasks.append(asyncio.ensure_future(take(track))))
    connection.addTransceiver("video", direction="recvonly")
    connection.addTransceiver("audio", direction="recvonly")
    await connection.setLocalDescription(await connection.createOffer())
    offer = connection.localDescription.sdp.encode()
    loop = asyncio.get_running_loop()
    status, head, answer = await loop.run_in_executor(None, ask, "POST", endpoint, offer)
    if status != 201:
        sys.exit(f"{status}: {answer}")
    session = urllib.parse.urljoin(endpoint, head["Location"])
    await connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    await asyncio.sleep(SECONDS)
    told["deleted"] = (await loop.run_in_executor(None, ask, "DELETE", session))[0]
    await asyncio.sleep(0.5)
    told["again"] = (await loop.run_in_executor(None, ask, "DELETE", session))[0]
    for task in tasks:
        task.cancel()
    await connection.close()
    print(json.dumps(told), flush=True)


asyncio.run(main(sys.argv[1]))
