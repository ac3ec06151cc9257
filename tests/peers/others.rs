//! GStreamer, mpv and rtmpdump.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

use super::process::Peer;

/// Publishes test video and a tone with GStreamer's rtmp2sink: `buffers` frames of 640×360 at 30
/// fps.
pub fn gstreamer_publish(url: &str, buffers: u32) -> Peer {
    gstreamer_publish_by(url, buffers, "tune=zerolatency")
}

/// Works like [`gstreamer_publish`], with these options for x264 (such as `bframes=2`).
pub fn gstreamer_publish_by(url: &str, buffers: u32, x264: &str) -> Peer {
    let sound = u64::from(buffers) * 48_000 / 30 / 1_024;
    let pipeline = format!(
        "videotestsrc is-live=true num-buffers={buffers} \
         ! video/x-raw,format=I420,width=640,height=360,framerate=30/1 \
         ! x264enc {x264} speed-preset=veryfast key-int-max=30 bitrate=800 \
         ! h264parse ! queue ! mux. \
         audiotestsrc is-live=true num-buffers={sound} samplesperbuffer=1024 \
         ! audio/x-raw,rate=48000,channels=2 ! avenc_aac ! aacparse ! queue ! mux. \
         flvmux name=mux streamable=true ! rtmp2sink location={url}"
    );
    launch(&pipeline)
}

/// Plays and decodes with GStreamer's rtmp2src until it is dropped. [`gstreamer_seen`] counts the
/// decoded buffers.
pub fn gstreamer_play(url: &str) -> Peer {
    let pipeline = format!(
        "rtmp2src location={url} ! flvdemux name=d \
         d.video ! queue ! h264parse ! avdec_h264 ! fakesink name=pictures silent=false sync=false \
         d.audio ! queue ! aacparse ! avdec_aac ! fakesink name=sound silent=false sync=false"
    );
    launch(&pipeline)
}

/// Receives and decodes the transport stream from this source element, such as
/// `udpsrc port=5000`, until it is dropped. [`gstreamer_seen`] counts the decoded buffers.
pub fn gstreamer_receive_ts(source: &str) -> Peer {
    let pipeline = format!(
        "{source} ! tsdemux name=d \
         d. ! queue ! h264parse ! avdec_h264 ! fakesink name=pictures silent=false sync=false \
         d. ! queue ! aacparse ! avdec_aac ! fakesink name=sound silent=false sync=false"
    );
    launch(&pipeline)
}

/// Works like [`gstreamer_play`], with the element that GStreamer chooses for this URL.
pub fn gstreamer_play_any(url: &str) -> Peer {
    gstreamer_play_some(url, &["pictures", "sound"])
}

/// Works like [`gstreamer_play_any`] for a stream that has only these tracks (`pictures`, `sound`).
pub fn gstreamer_play_some(url: &str, sinks: &[&str]) -> Peer {
    let mut pipeline = format!("uridecodebin uri={url} name=d");
    for sink in sinks {
        let convert = if *sink == "pictures" { "videoconvert" } else { "audioconvert" };
        pipeline += " d. ! queue ! ";
        pipeline += convert;
        pipeline += &format!(" ! fakesink name={sink} silent=false sync=false");
    }
    launch(&pipeline)
}

/// Returns true if the Python of the system can use GStreamer's webrtcbin with libnice.
pub fn has_webrtcbin() -> bool {
    let check = "import gi; gi.require_version('Gst', '1.0'); gi.require_version('GstWebRTC', '1.0'); from gi.repository import Gst, GstWebRTC; \
                 Gst.init(None); exit(not all(map(Gst.ElementFactory.find, ('webrtcbin', 'nicesrc'))))";
    let status = Command::new("/usr/bin/python3").args(["-c", check]).output();
    status.is_ok_and(|output| output.status.success())
}

fn launch(pipeline: &str) -> Peer {
    Peer::start("gst-launch-1.0", ["-e", "-v"].into_iter().chain(pipeline.split_whitespace()))
}

/// Returns the number of frames (`pictures`) or audio buffers (`sound`) of a [`gstreamer_play`].
pub fn gstreamer_seen(peer: &Peer, sink: &str) -> usize {
    let name = format!("GstFakeSink:{sink}: last-message");
    peer.output().lines().filter(|line| line.contains(&name) && line.contains("chain")).count()
}

/// Plays `seconds` of a stream with mpv, without a window or a speaker. The output describes the
/// tracks.
pub fn mpv_play(url: &str, seconds: u32) -> Peer {
    let length = format!("--length={seconds}");
    let words = ["--no-config", "--vo=null", "--ao=null", "--msg-level=all=v", &length, url];
    Peer::start("mpv", words)
}

/// Runs rtmpdump, which writes the stream to `file` until it is interrupted or the stream ends.
pub fn rtmpdump(url: &str, file: &Path) -> Peer {
    let words = ["-v", "-r", url, "-o"].map(OsStr::new);
    Peer::start("rtmpdump", words.into_iter().chain([file.as_os_str()]))
}
