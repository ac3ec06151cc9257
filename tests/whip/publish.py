"""Publishes moving bars and a tone by WHIP for some seconds, and tells what happened as JSON. The arguments are the
endpoint, the seconds, and the token, if any."""

import asyncio
import fractions
import json
import math
import sys
import urllib.error
import urllib.parse
import urllib.request

import av
from aiortc import AudioStreamTrack, RTCPeerConnection, RTCSessionDescription, VideoStreamTrack

SAMPLES = 960
RATE = 48000


class Bars(VideoStreamTrack):
    count = 0

    async def recv(self):
        frame = av.VideoFrame(320, 180, "yuv420p")
        for plane, value in zip(frame.planes, (16, 128, 128)):
            rows = bytearray([value]) * plane.buffer_size
            if value == 16:
                at = self.count * 4 % 300
                for row in range(plane.height):
                    start = row * plane.line_size + at
                    rows[start:start + 20] = bytes([235]) * 20
            plane.update(bytes(rows))
        self.count += 1
        frame.pts, frame.time_base = await self.next_timestamp()
        return frame


class Tone(AudioStreamTrack):
    count = 0
    begun = None

    async def recv(self):
        loop = asyncio.get_running_loop()
        self.begun = self.begun or loop.time()
        await asyncio.sleep(max(0, self.begun + self.count / RATE - loop.time()))
        angles = (2 * math.pi * 440 * (self.count + at) / RATE for at in range(SAMPLES))
        values = [int(8000 * math.sin(angle)) for angle in angles]
        frame = av.AudioFrame(format="s16", layout="mono", samples=SAMPLES)
        frame.planes[0].update(b"".join(value.to_bytes(2, "little", signed=True) for value in values))
        frame.pts, frame.sample_rate = self.count, RATE
        frame.time_base = fractions.Fraction(1, RATE)
        self.count += SAMPLES
        return frame


def ask(method, url, token, body=None):
    request = urllib.request.Request(url, data=body, method=method)
    if body is not None:
        request.add_header("Content-Type", "application/sdp")
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()


async def main(endpoint, seconds, token=""):
    told = {}
    connection = RTCPeerConnection()
    connection.addTrack(Tone())
    connection.addTrack(Bars())
    await connection.setLocalDescription(await connection.createOffer())
    offer = connection.localDescription.sdp.encode()
    loop = asyncio.get_running_loop()

    def later(*request):
        return loop.run_in_executor(None, ask, *request)

    status, head, answer = await later("POST", endpoint, token, offer)
    told["posted"] = status
    if status != 201:
        told["why"] = answer
    else:
        session = urllib.parse.urljoin(endpoint, head["Location"])
        await connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        await asyncio.sleep(float(seconds))
        foreign = session[:-4] + "0000"
        told["foreign"] = (await later("DELETE", foreign, token))[0]
        told["viewer"] = (await later("DELETE", session.replace("/whip/", "/whep/"), token))[0]
        told["deleted"] = (await later("DELETE", session, token))[0]
        await asyncio.sleep(0.5)
        told["again"] = (await later("DELETE", session, token))[0]
        stats = (await connection.getStats()).values()
        told["rtt"] = [it.roundTripTime for it in stats if it.type == "remote-inbound-rtp"]
    await connection.close()
    print(json.dumps(told), flush=True)


asyncio.run(main(*sys.argv[1:]))
