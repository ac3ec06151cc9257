"""Receives a stream by WHEP with webrtcbin of GStreamer (ICE by libnice) and tells what came as JSON. The arguments
are the endpoint, the transport (udp or tcp), and a certificate with its key (PEM)."""

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
        if factory and factory.get_name() == "dtlsdec":
            element.set_property("pem", self.certificate)

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
        if pad.get_direction() != Gst.PadDirection.SRC:
            return
        media = pad.get_current_caps().get_structure(0).get_string("media")
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
    def count(self, _sink, _buffer, pad, media):
        if media == "video" and self.told["size"] is None:
            structure = pad.get_current_caps().get_structure(0)
            self.told["size"] = [structure.get_int(name).value for name in ("width", "height")]
        self.told[media] += 1
        if all(self.told[name] >= count for name, count in ENOUGH.items()):
            GLib.idle_add(self.leave)

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
        print(json.dumps(self.told), flush=True)
        self.loop.quit()
        return False


Gst.init(None)
viewer = Viewer(*sys.argv[1:4])
viewer.loop.run()
