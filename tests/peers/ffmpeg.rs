//! ffmpeg and ffprobe: publish, receive, play and inspect streams.

use std::ffi::OsStr;
use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use serde_json::Value;

use super::process::{LIMIT, Peer, wait_listening};

/// Publishes a test video (640×360, 30 fps, a keyframe per second) with a 440 Hz tone, as H.264 and
/// AAC, in real time, until stopped or for `seconds`.
pub fn publish(url: &str, seconds: Option<u32>) -> Peer {
    publish_with(url, seconds, &[])
}

/// Works like [`publish`], with further options of the encoders (such as `-g 60`), which take
/// precedence. Sends a file again and again, which takes much less processor time than encoding.
pub fn publish_with(url: &str, seconds: Option<u32>, options: &[&str]) -> Peer {
    let clip = clip(options);
    let limit = seconds.map(|seconds| seconds.to_string());
    let mut all = vec!["-hide_banner", "-nostdin", "-re", "-stream_loop", "-1", "-i"];
    all.push(clip.to_str().unwrap());
    if let Some(limit) = &limit {
        all.extend(["-t", limit.as_str()]);
    }
    all.extend(["-c", "copy", "-f", "flv", url]);
    Peer::start("ffmpeg", all)
}

/// Works like [`publish_with`], but encodes while publishing: the stream never repeats, and the
/// options may also be options of the output.
pub fn publish_encoded(url: &str, seconds: Option<u32>, options: &[&str]) -> Peer {
    let limit = seconds.map(|seconds| format!("-t {seconds}")).unwrap_or_default();
    let words = format!("-hide_banner -nostdin -re {INPUTS} {limit} {ENCODERS}");
    let words = words.split_whitespace().chain(options.iter().copied());
    Peer::start("ffmpeg", words.chain(["-f", "flv", url]))
}

const INPUTS: &str = "-f lavfi -i testsrc2=size=640x360:rate=30 \
                      -f lavfi -i sine=frequency=440:sample_rate=48000";
const ENCODERS: &str = "-c:v libx264 -preset veryfast -tune zerolatency -g 30 -pix_fmt yuv420p \
                        -b:v 800k -c:a aac -b:a 96k -ac 2";

/// 16 s of media: 480 frames of video, and exactly 750 AAC frames at 48 kHz. Timestamps are therefore regular
/// where the file begins again.
const CLIP_LENGTH: &str = "-t 16 -frames:a 750";

/// Returns a file of the test video, encoded with these options.
fn clip(options: &[&str]) -> PathBuf {
    let words = format!("{INPUTS} {CLIP_LENGTH} {ENCODERS}");
    let words = words.split_whitespace().chain(options.iter().copied());
    shared(&words.collect::<Vec<_>>(), "flv", LIMIT * 2)
}

/// Returns the file that ffmpeg makes from these words. All tests share it, because the same words make the same file.
fn shared(words: &[&str], extension: &str, limit: Duration) -> PathBuf {
    let mut hasher = DefaultHasher::new();
    words.hash(&mut hasher);
    let name = format!("made-{:016x}.{extension}", hasher.finish());
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let (file, part) = (folder.join(&name), folder.join(format!("part-{name}")));
    let lock = File::create(folder.join(name + ".lock")).unwrap();
    lock.lock().unwrap();
    if !file.exists() {
        encode(words, &part, limit);
        std::fs::rename(part, &file).unwrap();
    }
    file
}

fn encode(words: &[&str], file: &Path, limit: Duration) {
    let all = ["-hide_banner", "-nostdin", "-y", "-v", "error"].iter().chain(words).copied();
    let all = all.map(OsStr::new).chain([file.as_os_str()]);
    Peer::start("ffmpeg", all).wait_success(limit);
}

/// Makes a file of test video (with this size, 25 fps) and a 440 Hz tone, as H.264 and AAC, and
/// waits until it is complete. `options` are for the output, such as `-g 25`.
pub fn make(path: &Path, size: &str, seconds: &str, options: &[&str]) {
    let words = format!(
        "-f lavfi -i testsrc2=size={size}:rate=25 \
         -f lavfi -i sine=frequency=440:sample_rate=48000 -t {seconds} \
         -c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a aac"
    );
    let words: Vec<&str> = words.split_whitespace().chain(options.iter().copied()).collect();
    // On a busy computer, encoding may be as slow as real time.
    let seconds: f32 = seconds.parse().expect("seconds");
    let limit = limit(seconds.ceil() as u32);
    let extension = path.extension().unwrap().to_str().unwrap();
    // Files in other options are in a folder of this test, so no other test makes the same file.
    if options.iter().any(|option| option.contains('/')) {
        encode(&words, path, limit);
    } else {
        std::fs::copy(shared(&words, extension, limit), path).unwrap();
    }
}

/// Sends a file unchanged, in real time.
pub fn publish_file(file: &Path, url: &str) -> Peer {
    let before = ["-hide_banner", "-nostdin", "-re", "-i"].map(OsStr::new);
    let after = ["-c", "copy", "-f", "flv", url].map(OsStr::new);
    Peer::start("ffmpeg", before.into_iter().chain([file.as_os_str()]).chain(after))
}

/// Starts an RTMP server for one publisher, `rtmp://127.0.0.1:PORT/live/stream`, that writes what
/// it receives unchanged to the FLV file `file`. The server is ready when the function returns, and
/// ends when the publisher leaves.
pub fn receive(port: u16, file: &Path) -> Peer {
    let url = format!("rtmp://127.0.0.1:{port}/live/stream");
    let words = ["-hide_banner", "-nostdin", "-y", "-f", "flv", "-listen", "1", "-i", &url];
    let copy = ["-c", "copy", "-f", "flv"].map(OsStr::new);
    let all = words.iter().map(OsStr::new).chain(copy).chain([file.as_os_str()]);
    let mut peer = Peer::start("ffmpeg", all);
    wait_listening(&mut peer, port);
    peer
}

/// Plays `url` for `seconds` of media, and writes the media unchanged to `file`.
pub fn play(url: &str, seconds: u32, file: &Path) -> Peer {
    let seconds = seconds.to_string();
    let words = ["-hide_banner", "-nostdin", "-y", "-i", url, "-t", &seconds, "-c", "copy"];
    Peer::start("ffmpeg", words.iter().map(OsStr::new).chain([file.as_os_str()]))
}

/// Returns the luma of all frames of a file, one after the other.
pub fn luma(file: &Path) -> Vec<u8> {
    let output = decode_luma(file);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// Works like [`luma`] for a file that is still being written, and returns the existing part.
pub fn luma_so_far(file: &Path) -> Vec<u8> {
    decode_luma(file).stdout
}

/// Returns the luma of all frames of a file with unchanged samples; [`luma`] returns the full range.
pub fn luma_as_it_is(file: &Path) -> Vec<u8> {
    let output = decode_to(file, &["-vf", "extractplanes=y"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// Returns the mean color of the next frame that a server sends: red, green and blue.
pub fn color(url: &str) -> [u8; 3] {
    // If ffmpeg scales first, it forgets the matrix of full-range streams.
    let output = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-rw_timeout", "10000000", "-i", url])
        .args(["-an", "-frames:v", "1", "-vf", "format=rgb24,scale=1:1:flags=area"])
        .args(["-f", "rawvideo", "-"])
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    <[u8; 3]>::try_from(output.stdout.as_slice()).unwrap_or_else(|_| panic!("{errors}"))
}

fn decode_luma(file: &Path) -> Output {
    decode_to(file, &["-pix_fmt", "gray"])
}

fn decode_to(file: &Path, format: &[&str]) -> Output {
    Command::new("ffmpeg")
        .args(["-hide_banner", "-nostdin", "-v", "error", "-i"])
        .arg(file)
        .args(["-fps_mode", "passthrough", "-an", "-f", "rawvideo"])
        .args(format)
        .arg("-")
        .output()
        .unwrap()
}

/// An output that only decodes, without warnings about two frames with one time: a loaded computer skips
/// frames, and ffmpeg then guesses a lower frame rate.
pub const DECODE_ONLY: [&str; 7] =
    ["-fps_mode", "passthrough", "-enc_time_base", "1:90000", "-f", "null", "-"];

/// Decodes a whole file or URL, and returns the warnings of ffmpeg. Fails if the decoder reports an
/// error.
pub fn decode(input: impl AsRef<OsStr>) -> String {
    let words = ["-hide_banner", "-nostdin", "-v", "warning", "-xerror", "-i"].map(OsStr::new);
    let after = DECODE_ONLY.map(OsStr::new);
    let all = words.into_iter().chain([input.as_ref()]).chain(after);
    let mut peer = Peer::start("ffmpeg", all);
    peer.wait_success(LIMIT * 2);
    peer.errors()
}

/// The report of ffprobe.
#[derive(Debug)]
pub struct Probe {
    /// `{"streams": […], "format": {…}, "packets": […]}`.
    pub json: Value,
    /// All messages of ffprobe at level warning and above; empty without problems.
    pub warnings: String,
}

/// Runs ffprobe on a file or URL. For a file, the report includes packets.
pub fn probe(input: impl AsRef<OsStr>) -> Probe {
    let input = input.as_ref();
    let is_url = input.to_string_lossy().contains("://");
    let mut words = vec!["-hide_banner", "-v", "warning", "-of", "json"];
    words.extend(["-show_format", "-show_streams"]);
    if !is_url {
        words.push("-show_packets");
    }
    let mut peer = Peer::start("ffprobe", words.into_iter().map(OsStr::new).chain([input]));
    peer.wait_success(LIMIT);
    let json = serde_json::from_str(&peer.output()).expect("ffprobe writes JSON");
    // ffprobe gives this warning for every MP4 file with chapters, even one that ffmpeg wrote,
    // because it reads their titles as a data track.
    let errors = peer.errors();
    let errors = errors.lines().filter(|line| !line.starts_with("Unsupported codec with id 98314"));
    Probe { json, warnings: errors.map(|line| format!("{line}\n")).collect() }
}

/// A packet as ffprobe lists it. Times are in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Packet {
    pub pts: f64,
    pub dts: f64,
    pub keyframe: bool,
    pub size: u64,
}

impl Probe {
    /// Returns the first stream of a kind (`video`, `audio`).
    pub fn stream(&self, kind: &str) -> &Value {
        let streams = self.json["streams"].as_array().expect("streams");
        streams
            .iter()
            .find(|stream| stream["codec_type"] == kind)
            .unwrap_or_else(|| panic!("no {kind} stream in {}", self.json))
    }

    /// Returns the packets of a kind, in the order of the file.
    pub fn packets(&self, kind: &str) -> Vec<Packet> {
        let number = |value: &Value| value.as_str().and_then(|text| text.parse().ok());
        let packets = self.json["packets"].as_array().expect("packets of a file");
        packets
            .iter()
            .filter(|packet| packet["codec_type"] == kind)
            .map(|packet| Packet {
                pts: number(&packet["pts_time"]).expect("a PTS"),
                // Matroska has no DTS, and ffprobe does not always derive one.
                dts: number(&packet["dts_time"]).unwrap_or(f64::NAN),
                keyframe: packet["flags"].as_str().is_some_and(|flags| flags.starts_with('K')),
                size: packet["size"].as_str().and_then(|text| text.parse().ok()).unwrap_or(0),
            })
            .collect()
    }
}

/// Returns the time limit for a run of `seconds` of media.
pub fn limit(seconds: u32) -> Duration {
    LIMIT + Duration::from_secs(u64::from(seconds))
}
