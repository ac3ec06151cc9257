"""Receives a stream by WHEP with webrtcbin of GStreamer (ICE by libnice) and tells what came as JSON. The arguments
are the endpoint, the transport (udp or tcp), and a certificate with its key (PEM). If the stream has the flash and
the beep of onair's test source, their distance is part of the answer, on the clock of the sender reports."""

import array
import hashlib
import json
import re
import ssl
import sys
import urllib.error
import urllib.parse
import urllib.request

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402

# Decoded frames after which the viewer leaves, and the time limit in seconds.
ENOUGH = {"video": 150, "audio": 250}
LIMIT = 45
# gi builds such values at their first use, which is not safe in GStreamer's threads.
OUTPUT, BUFFER, PASS = Gst.PadDirection.SRC, Gst.PadProbeType.BUFFER, Gst.PadProbeReturn.OK
RATES = {"video": 90_000, "audio": 48_000}
VIDEO = (
    "application/x-rtp,media=video,encoding-name=H264,clock-rate=90000,payload=96,packetization-mode=(string)1,"
    "profile-level-id=(string)64001f,rtcp-fb-nack-pli=true"
)
AUDIO = "application/x-rtp,media=audio,encoding-name=OPUS,clock-rate=48000,encoding-params=(string)2,payload=97"


def ask(method, url, body=None):
    request = urllib.request.Request(url, data=body, method=method)
    if body is not None:
        request.add_header("Content-Type", "application/sdp")
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()


class Viewer:
    def __init__(self, endpoint, transport, certificate):
        self.endpoint, self.certificate, self.session = endpoint, certificate, None
        self.told = {"video": 0, "audio": 0, "size": None}
        # RTP times of the flashes and beeps in seconds, and whether the last frame or block was part of one.
        self.marks, self.inside = {"video": [], "audio": []}, {"video": False, "audio": False}
        # The RTP time of each packet by its time in the pipeline. By clock rate, the time of day at RTP time 0.
        self.rtp_times, self.origins = {"video": {}, "audio": {}}, {}
        self.loop = GLib.MainLoop()
        self.pipeline = Gst.Pipeline.new()
        self.rtc = Gst.ElementFactory.make("webrtcbin")
        self.rtc.set_property("bundle-policy", GstWebRTC.WebRTCBundlePolicy.MAX_BUNDLE)
        self.pipeline.connect("deep-element-added", self.add_element)
        self.pipeline.add(self.rtc)
        # The binding takes over the floating reference of webrtcbin, so the object must stay.
        self.ice = self.rtc.get_property("ice-agent")
        # Otherwise libnice leaves out the loopback interface.
        if not self.ice.emit("add-local-ip-address", "127.0.0.1"):
            self.fail("no loopback interface")
        agent = self.ice.get_property("agent")
        agent.set_property("ice-udp", transport == "udp")
        agent.set_property("ice-tcp", transport == "tcp")
        bus = self.pipeline.get_bus()
        bus.add_signal_watch()
        bus.connect("message::error", lambda _, message: self.fail(message.parse_error()))
        self.rtc.connect("pad-added", self.add_track)
        self.rtc.connect("notify::ice-gathering-state", lambda *_: GLib.idle_add(self.post))
        self.pipeline.set_state(Gst.State.PLAYING)
        direction = GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY
        for caps in (VIDEO, AUDIO):
            transceiver = self.rtc.emit("add-transceiver", direction, Gst.Caps.from_string(caps))
            transceiver.set_property("do-nack", True)
        GLib.timeout_add_seconds(LIMIT, lambda: self.fail("it takes too long"))
        self.rtc.emit("create-offer", None, Gst.Promise.new_with_change_func(self.take_offer, None))

    def fail(self, why):
        sys.exit(f"{why}: {self.told}")

    # webrtcbin makes an RSA certificate, which onair does not take, unless its decoder of DTLS has another one.
    def add_element(self, _pipeline, _bin, element):
        factory = element.get_factory()
        if factory and factory.get_name() == "rtpjitterbuffer":
            element.connect("handle-sync", self.take_sender_report)
        if factory and factory.get_name() == "dtlsdec":
            element.set_property("pem", self.certificate)

    def take_sender_report(self, _, structure):
        buffer, rate = structure.get_value("sr-buffer"), structure.get_value("clock-rate")
        report = buffer.extract_dup(0, buffer.get_size())
        ntp = int.from_bytes(report[8:16], "big") / (1 << 32)
        self.origins[rate] = ntp - int.from_bytes(report[16:20], "big") / rate

    def note_packet(self, pad, info, media):
        buffer = info.get_buffer()
        self.rtp_times[media][buffer.pts] = int.from_bytes(buffer.extract_dup(4, 4), "big")
        return PASS

    def take_offer(self, promise, _):
        reply = promise.get_reply()
        self.rtc.emit("set-local-description", reply.get_value("offer"), Gst.Promise.new())

    # The offer has all candidates.
    def post(self):
        complete = GstWebRTC.WebRTCICEGatheringState.COMPLETE
        if self.session or self.rtc.get_property("ice-gathering-state") != complete:
            return
        offer = self.rtc.get_property("local-description").sdp.as_text()
        # webrtcbin includes the key in the fingerprint of a certificate that it has not made.
        certificate = re.match("-.*?END CERTIFICATE-----", self.certificate, re.DOTALL)[0]
        digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(certificate)).hexdigest().upper()
        offer = re.sub(r"(a=fingerprint:sha-256) [\dA-F:]+", r"\1 " + ":".join(re.findall("..", digest)), offer)
        candidates = [line.split() for line in offer.splitlines() if line.startswith("a=candidate:")]
        self.told["transports"] = sorted({candidate[2].lower() for candidate in candidates})
        status, head, answer = ask("POST", self.endpoint, offer.encode())
        if status != 201:
            self.fail(f"{status}: {answer}")
        self.session = urllib.parse.urljoin(self.endpoint, head["Location"])
        _, message = GstSdp.SDPMessage.new_from_text(answer)
        answer = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, message)
        self.rtc.emit("set-remote-description", answer, Gst.Promise.new())

    def add_track(self, _, pad):
        if pad.get_direction() != OUTPUT:
            return
        media = pad.get_current_caps().get_structure(0).get_string("media")
        pad.add_probe(BUFFER, self.note_packet, media)
        decode = {
            "video": "queue ! rtph264depay ! avdec_h264",
            "audio": "queue ! rtpopusdepay ! opusdec",
        }[media]
        sink = "fakesink name=sink signal-handoffs=true sync=false async=false"
        chain = Gst.parse_bin_from_description(f"{decode} ! {sink}", True)
        chain.get_by_name("sink").connect("handoff", self.count, media)
        self.pipeline.add(chain)
        chain.sync_state_with_parent()
        pad.link(chain.get_static_pad("sink"))

    # Runs on a thread of GStreamer.
    def count(self, _sink, buffer, pad, media):
        structure = pad.get_current_caps().get_structure(0)
        self.find_mark(buffer, structure, media)
        if media == "video" and self.told["size"] is None:
            self.told["size"] = [structure.get_int(name).value for name in ("width", "height")]
        self.told[media] += 1
        # Sender reports for audio come every five seconds.
        is_synchronized = len(self.origins) == len(RATES)
        if is_synchronized and all(self.told[name] >= count for name, count in ENOUGH.items()):
            GLib.idle_add(self.leave)

    def find_mark(self, buffer, structure, media):
        data, start = buffer.extract_dup(0, buffer.get_size()), None
        if media == "video":
            # The middle of the top quarter, in the plane with the luma.
            width, height = (structure.get_int(name).value for name in ("width", "height"))
            start = 0 if data[(width + 3) // 4 * 4 * (height // 8) + width // 2] > 167 else None
        else:
            loud = array.array("h", data)
            values_per_second = structure.get_int("channels").value * structure.get_int("rate").value
            place = next((at for at, value in enumerate(loud) if abs(value) > 8_000), None)
            start = None if place is None else place / values_per_second
        rtp_time = self.rtp_times[media].get(buffer.pts)
        if start is not None and not self.inside[media] and rtp_time is not None:
            self.marks[media].append(rtp_time / RATES[media] + start)
        self.inside[media] = start is not None

    def leave(self):
        if "deleted" in self.told:
            return
        state = self.rtc.get_property("connection-state")
        self.told["connected"] = state.value_nick
        self.told["deleted"] = ask("DELETE", self.session)[0]
        GLib.timeout_add(500, self.end)

    # The session ends a moment later.
    def end(self):
        self.told["again"] = ask("DELETE", self.session)[0]
        if self.told["again"] == 200:
            return True
        self.pipeline.set_state(Gst.State.NULL)
        flashes, beeps = (
            [self.origins[rate] + mark for mark in self.marks[media] if rate in self.origins]
            for media, rate in RATES.items()
        )
        # How late each beep is.
        late = [beep - min(flashes, key=lambda flash: abs(beep - flash)) for beep in beeps if flashes]
        self.told["late_ms"] = [round(value * 1000, 1) for value in late]
        print(json.dumps(self.told), flush=True)
        self.loop.quit()
        return False


Gst.init(None)
viewer = Viewer(*sys.argv[1:4])
viewer.loop.run()
