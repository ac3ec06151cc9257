//! The stream that the load client publishes: 30 video frames and 47 audio packets per second, with
//! a keyframe every two seconds. The messages have realistic sizes, and contain their send time
//! instead of coded video or audio.
//!
//! Messages are sent as by software that multiplexes (ffmpeg, OBS, GStreamer, onair): in the order
//! of their times, and each only when the other track has a later message. This causes 47 bursts per
//! second, as measured with onair. ffmpeg has as many bursts, each spread over up to two
//! milliseconds. `--smooth 1` sends each message at its own time instead.

use std::time::Duration;

use crate::command::{Amf, message};

/// The position of the send time in a body. In a video body, the five bytes of the tag header and
/// the length and type of the NAL unit precede it.
pub const STAMP_AT: usize = 10;
/// Outgoing chunk size.
pub const CHUNK: usize = 65_536;

const FPS: u64 = 30;
const GOP: u64 = 60;
const AUDIO_BYTES: usize = 341;
/// The time that encoding a frame takes, counted from the frame's time.
const VIDEO_READY: Duration = Duration::from_millis(5);
/// The time that encoding an audio packet takes. The packet is complete after 1,024 samples, and
/// its transform overlaps the next packet.
const AUDIO_READY: Duration = Duration::from_micros(2 * 1_024 * 1_000_000 / 48_000);

/// A message that is due.
pub enum Message {
    Headers,
    Video { index: u64 },
    Audio { index: u64 },
}

pub struct Stream {
    start: Option<Duration>,
    headers_sent: bool,
    video: u64,
    audio: u64,
    keyframe_bytes: usize,
    frame_bytes: usize,
    bitrate: u32,
    smooth: bool,
}

impl Stream {
    /// Creates a stream with `bitrate` bits of video per second. A keyframe is four times as large
    /// as any other frame.
    pub fn new(bitrate: u32, smooth: bool) -> Self {
        let per_gop = f64::from(bitrate) / 8.0 * GOP as f64 / FPS as f64;
        let frame = (per_gop / (GOP as f64 + 3.0)) as usize;
        Self {
            start: None,
            headers_sent: false,
            video: 0,
            audio: 0,
            keyframe_bytes: frame * 4,
            frame_bytes: frame,
            bitrate,
            smooth,
        }
    }

    pub fn start(&mut self, now: Duration) {
        self.start = Some(now);
    }

    /// Returns the bytes of media per second, without the headers of the protocol.
    pub fn bytes_per_second(&self) -> f64 {
        f64::from(self.bitrate) / 8.0 + AUDIO_BYTES as f64 * 48_000.0 / 1_024.0
    }

    fn video_time(index: u64) -> Duration {
        Duration::from_micros(index * 1_000_000 / FPS)
    }

    fn audio_time(index: u64) -> Duration {
        Duration::from_micros(index * 1_024 * 1_000_000 / 48_000)
    }

    fn video_is_next(&self) -> bool {
        Self::video_time(self.video) <= Self::audio_time(self.audio)
    }

    /// Returns the time at which the next message is due. The next message of the other track has a
    /// later time.
    pub fn due(&self) -> Option<Duration> {
        let (video, audio) = (Self::video_time(self.video), Self::audio_time(self.audio));
        let after = if self.smooth {
            video.min(audio)
        } else {
            (video + VIDEO_READY).max(audio + AUDIO_READY)
        };
        Some(self.start? + after)
    }

    /// Returns the next message, if it is due.
    pub fn next_due(&mut self, now: Duration) -> Option<Message> {
        if self.due()? > now {
            return None;
        }
        if !self.headers_sent {
            self.headers_sent = true;
            return Some(Message::Headers);
        }
        Some(if self.video_is_next() {
            self.video += 1;
            Message::Video { index: self.video - 1 }
        } else {
            self.audio += 1;
            Message::Audio { index: self.audio - 1 }
        })
    }

    /// Appends a message to the connection's output.
    pub fn write(&self, what: Message, stamp: Duration, stream: u32, out: &mut Vec<u8>) {
        let nanoseconds = u64::try_from(stamp.as_nanos()).unwrap_or(0);
        let stamp_into = |body: &mut [u8]| {
            body[STAMP_AT..STAMP_AT + 8].copy_from_slice(&nanoseconds.to_be_bytes());
        };
        match what {
            Message::Headers => headers(stream, out),
            Message::Video { index } => {
                let key = index % GOP == 0;
                let size = if key { self.keyframe_bytes } else { self.frame_bytes };
                let mut body = vec![0x5a; size.max(STAMP_AT + 8)];
                body[0] = if key { 0x17 } else { 0x27 };
                body[1..5].copy_from_slice(&[1, 0, 0, 0]);
                let nal = u32::try_from(body.len() - 9).unwrap_or(0);
                body[5..9].copy_from_slice(&nal.to_be_bytes());
                body[9] = if key { 0x65 } else { 0x41 };
                stamp_into(&mut body);
                let time = u32::try_from(index * 1_000 / FPS).unwrap_or(0);
                message(9, 6, stream, time, &body, CHUNK, out);
            }
            Message::Audio { index } => {
                let mut body = [0x21; AUDIO_BYTES];
                body[..2].copy_from_slice(&[0xaf, 1]);
                stamp_into(&mut body);
                let time = u32::try_from(index * 1_024 * 1_000 / 48_000).unwrap_or(0);
                message(8, 4, stream, time, &body, CHUNK, out);
            }
        }
    }
}

/// Appends the metadata and the codec configs: H.264 High 3.1, 1280×720, and AAC-LC, 48 kHz,
/// stereo.
fn headers(stream: u32, out: &mut Vec<u8>) {
    let mut metadata = Amf::default().text("@setDataFrame").text("onMetaData").bytes();
    metadata.push(8);
    metadata.extend(4_u32.to_be_bytes());
    let members =
        [("width", 1280.0), ("height", 720.0), ("framerate", 30.0), ("videocodecid", 7.0)];
    for (name, value) in members {
        metadata.extend(u16::try_from(name.len()).unwrap_or(0).to_be_bytes());
        metadata.extend(name.as_bytes());
        metadata.extend(Amf::default().number(value).bytes());
    }
    metadata.extend([0, 0, 9]);
    message(18, 4, stream, 0, &metadata, CHUNK, out);
    let sps =
        [0x67, 0x64, 0x00, 0x1f, 0xac, 0xb4, 0x02, 0x80, 0x2d, 0xd3, 0x50, 0x10, 0x10, 0x10, 0x20];
    let pps = [0x68, 0xce, 0x3c, 0x80];
    let mut video = vec![0x17, 0, 0, 0, 0, 1, sps[1], sps[2], sps[3], 0xff, 0xe1, 0, 15];
    video.extend(sps);
    video.extend([1, 0, 4]);
    video.extend(pps);
    message(9, 6, stream, 0, &video, CHUNK, out);
    message(8, 4, stream, 0, &[0xaf, 0, 0x11, 0x90], CHUNK, out);
}
