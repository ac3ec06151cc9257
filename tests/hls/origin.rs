//! A Low-Latency HLS origin for tests. ffmpeg makes short segments, and the origin publishes them
//! as parts in real time. It can also break its promises in several ways.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use onair::wire::hls::{Playlist, parse};
use parking_lot::Mutex;

use super::{CODE, PICTURE, TONE, ffmpeg};
use crate::peers::{LIMIT, web};

/// Duration of a part in seconds, and the number of parts in a segment.
pub const PART: f64 = 0.4;
pub const PARTS: usize = 5;
/// The distance to the live edge that the origin asks for, in seconds.
pub const HOLD_BACK: f64 = 1.2;
/// The seconds of media that exist at the start.
pub const AHEAD: f64 = 8.0;
/// The longest time that a response is held back.
const HELD: Duration = Duration::from_secs(6);

/// How the origin misbehaves.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    None,
    /// Answers blocking requests immediately.
    Hasty,
    /// Closes the connection instead of blocking.
    Mute,
    /// Lists parts that it does not have.
    NoParts,
    /// Claims in delta updates to skip segments that it never listed.
    Skips,
    /// Hints at a next part that never appears.
    Hint,
}

struct Made {
    parts: Vec<(Vec<u8>, f64)>,
    map: Option<Vec<u8>>,
    fault: Fault,
    /// True if parts are byte ranges of their segments.
    ranges: bool,
    start: Instant,
    /// The wall-clock time at which the broadcast began.
    began: jiff::Timestamp,
    asked: Mutex<Vec<String>>,
    waited: Mutex<usize>,
}

/// An origin of `/live.m3u8`, and of a multivariant playlist `/x` that names it as `a.m3u8` and
/// `b.m3u8`.
#[derive(Clone)]
pub struct Origin {
    made: Arc<Made>,
    pub port: u16,
}

impl Origin {
    /// Starts an origin of 24 seconds, packed as `fmp4` or `mpegts`.
    pub fn start(folder: &Path, kind: &str, fault: Fault) -> Self {
        Self::start_with(folder, kind, fault, false)
    }

    /// Works like [`Origin::start`], but each part is a byte range of its segment and has no URI of
    /// its own.
    pub fn start_ranges(folder: &Path, kind: &str) -> Self {
        Self::start_with(folder, kind, Fault::None, true)
    }

    fn start_with(folder: &Path, kind: &str, fault: Fault, ranges: bool) -> Self {
        let name = format!("{kind}.m3u8");
        let seconds = PART.to_string();
        let hls = ["-t", "24", "-f", "hls", "-hls_time", &seconds, "-hls_list_size", "0"];
        let cut = ["-hls_flags", "split_by_time", "-hls_segment_type", kind, "-g", "50", &name];
        ffmpeg(folder, &[&PICTURE, &TONE, &CODE, &hls, &cut]).wait_success(LIMIT);
        let list = parse(&fs::read(folder.join(&name)).unwrap()).unwrap();
        let Playlist::Media(list) = list else { panic!("{list:?}") };
        let read = |uri: &str| fs::read(folder.join(uri)).unwrap();
        let parts: Vec<_> = list
            .segments
            .iter()
            .map(|piece| (read(&piece.uri), piece.duration.as_secs_f64()))
            .collect();
        assert!(parts.len() >= 55, "{}", parts.len());
        let map = list.segments[0].map.as_ref().map(|map| read(&map.uri));
        let (asked, waited) = (Mutex::default(), Mutex::default());
        let start = Instant::now();
        let began = jiff::Timestamp::now() - Duration::from_secs_f64(AHEAD);
        let made = Arc::new(Made { parts, map, fault, ranges, start, began, asked, waited });
        let server = Arc::clone(&made);
        let port = web::canned(move |head, socket| {
            let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
            let range = range(head);
            let suffix = range.map_or(String::new(), |(from, until)| format!(" {from}-{until}"));
            server.asked.lock().push(format!("{path}{suffix}"));
            let Some(body) = server.answer(&path) else { return };
            let (status, body) = match range {
                Some((from, until)) => ("206 Part", body.get(from..until).unwrap_or_default()),
                None => ("200 OK", &body[..]),
            };
            let status = if body.is_empty() { "404 No" } else { status };
            let head = format!(
                "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                body.len()
            );
            let _ = socket.write_all(head.as_bytes());
            let _ = socket.write_all(body);
        });
        Self { made, port }
    }

    /// Returns the current end of the broadcast, in seconds since its beginning.
    pub fn end(&self) -> f64 {
        self.made.end()
    }

    /// Returns the paths of all requests.
    pub fn asked(&self) -> Vec<String> {
        self.made.asked.lock().clone()
    }

    /// Returns how many parts were requested before they existed.
    pub fn waited(&self) -> usize {
        *self.made.waited.lock()
    }
}

/// Returns the byte range of a request, with an exclusive end.
fn range(head: &str) -> Option<(usize, usize)> {
    let line = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("range").then_some(value.trim())
    })?;
    let (from, last) = line.strip_prefix("bytes=")?.split_once('-')?;
    Some((from.parse().ok()?, last.parse::<usize>().ok()? + 1))
}

impl Made {
    fn end(&self) -> f64 {
        AHEAD + self.start.elapsed().as_secs_f64()
    }

    /// Returns the number of parts that exist now.
    fn there(&self) -> usize {
        let (mut end, now) = (0.0, self.end());
        let is_there = |(_, duration): &&(Vec<u8>, f64)| {
            end += duration;
            end <= now
        };
        self.parts.iter().take_while(is_there).count()
    }

    /// Waits until this many parts exist.
    fn wait(&self, parts: usize) {
        let until = Instant::now() + HELD;
        while self.there() < parts.min(self.parts.len()) && Instant::now() < until {
            // Parts appear in real time, as in a broadcast.
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// Returns the body for a path. An empty body means 404, and `None` closes the connection.
    fn answer(&self, path: &str) -> Option<Vec<u8>> {
        let (name, query) = path.split_once('?').unwrap_or((path, ""));
        let (stem, _) = name.trim_start_matches('/').split_once('.').unwrap_or(("x", ""));
        let number = || stem.get(1..)?.parse::<usize>().ok();
        Some(match stem.get(..1)? {
            "x" => b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=400000\na.m3u8\n\
                #EXT-X-STREAM-INF:BANDWIDTH=800000\nb.m3u8\n"
                .to_vec(),
            "i" => self.map.clone().unwrap_or_default(),
            "p" if self.fault == Fault::NoParts => Vec::new(),
            "p" => {
                let number = number()?;
                if number >= self.there() {
                    *self.waited.lock() += 1;
                }
                self.wait(number + 1);
                self.parts.get(number).map(|(data, _)| data.clone()).unwrap_or_default()
            }
            "s" => {
                let there = self.parts.get(..self.there())?;
                // An unfinished segment consists of the parts that exist.
                let parts = there.chunks(PARTS).nth(number()?)?;
                parts.iter().flat_map(|(data, _)| data.iter().copied()).collect()
            }
            "h" => {
                // This fault is a hint at a part that never comes. The error answer also comes
                // late.
                thread::sleep(HELD);
                Vec::new()
            }
            _ => self.list(query)?.into_bytes(),
        })
    }

    /// Returns the position of a part in its segment: the first byte, and the length.
    fn bytes(&self, part: usize) -> (usize, usize) {
        let length = |part: usize| self.parts.get(part).map_or(0, |(data, _)| data.len());
        ((part / PARTS * PARTS..part).map(length).sum(), length(part))
    }

    /// Returns the attributes that locate a part in the playlist.
    fn place(&self, part: usize, extension: &str) -> String {
        if !self.ranges {
            return format!("URI=\"p{part}.{extension}\"");
        }
        let ((from, length), segment) = (self.bytes(part), part / PARTS);
        // A byte range that directly follows the previous one needs no offset.
        let from =
            if (part % PARTS).is_multiple_of(2) { format!("@{from}") } else { String::new() };
        format!("URI=\"s{segment}.{extension}\",BYTERANGE=\"{length}{from}\"")
    }

    fn list(&self, query: &str) -> Option<String> {
        let asked = |name: &str| {
            let value = query.split('&').find_map(|it| it.strip_prefix(name))?;
            value.strip_prefix('=')?.parse::<usize>().ok()
        };
        if let Some(number) = asked("_HLS_msn") {
            match self.fault {
                Fault::Mute => return None,
                Fault::Hasty => {}
                _ => self.wait(number * PARTS + asked("_HLS_part").unwrap_or(0) + 1),
            }
        }
        let extension = if self.map.is_some() { "m4s" } else { "ts" };
        let there = self.there();
        let whole = there / PARTS;
        let over = there == self.parts.len();
        let mut text = format!(
            "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-VERSION:9\n#EXT-X-SERVER-CONTROL:\
             CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK={HOLD_BACK},CAN-SKIP-UNTIL=12\n\
             #EXT-X-PART-INF:PART-TARGET={PART}\n#EXT-X-MEDIA-SEQUENCE:0\n"
        );
        // Delta updates keep the last six segments (`CAN-SKIP-UNTIL`).
        let skipped = if query.contains("_HLS_skip=YES") { whole.saturating_sub(6) } else { 0 };
        if skipped > 0 {
            let lie = if self.fault == Fault::Skips { 1_000 } else { 0 };
            let _ = writeln!(text, "#EXT-X-SKIP:SKIPPED-SEGMENTS={}", skipped + lie);
        } else if self.map.is_some() {
            text.push_str("#EXT-X-MAP:URI=\"i.mp4\"\n");
        }
        // The date belongs to the first segment, which delta updates skip.
        if skipped == 0 {
            let _ = writeln!(text, "#EXT-X-PROGRAM-DATE-TIME:{}", self.began);
        }
        for segment in skipped..=whole {
            let parts = segment * PARTS..((segment + 1) * PARTS).min(there);
            let mut length = 0.0;
            for part in parts {
                let duration = self.parts[part].1;
                length += duration;
                if segment + 3 > whole {
                    let key = if part % PARTS == 0 { ",INDEPENDENT=YES" } else { "" };
                    let place = self.place(part, extension);
                    let _ = writeln!(text, "#EXT-X-PART:DURATION={duration},{place}{key}");
                }
            }
            if segment < whole || over && length > 0.0 {
                let _ = writeln!(text, "#EXTINF:{length},\ns{segment}.{extension}");
            }
        }
        if over {
            text.push_str("#EXT-X-ENDLIST\n");
        } else if self.ranges {
            // The length of the next part is not known yet.
            let (from, _) = self.bytes(there);
            let name = format!("s{}.{extension}", there / PARTS);
            let hint = format!("TYPE=PART,URI=\"{name}\",BYTERANGE-START={from}");
            let _ = writeln!(text, "#EXT-X-PRELOAD-HINT:{hint}");
        } else {
            let stem = if self.fault == Fault::Hint { "h" } else { "p" };
            let name = format!("{stem}{there}.{extension}");
            let _ = writeln!(text, "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"{name}\"");
        }
        for name in ["a", "b"] {
            let last = there.saturating_sub(1);
            let (number, part) = (last / PARTS, last % PARTS);
            let _ = writeln!(
                text,
                "#EXT-X-RENDITION-REPORT:URI=\"{name}.m3u8\",LAST-MSN={number},LAST-PART={part}"
            );
        }
        Some(text)
    }
}
