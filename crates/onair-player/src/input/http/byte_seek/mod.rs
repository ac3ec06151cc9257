//! The search for a position in a recording on a web server. It bisects with range requests until
//! it finds the keyframe before the position, and ends after a fixed number of requests, whatever
//! the server sends.

pub(in crate::input::http) mod recording;
pub(in crate::input::http) mod resync;

use std::time::Duration;

use bytes::Bytes;
use tokio::time::timeout;

use crate::net;
use crate::player::input::http::bisection::Bisection;
use crate::player::input::http::byte_seek::resync::{ResyncPoint, StreamFormat, marks};
use crate::player::input::http::range::parts::RangeParts;

/// Number of bytes that are examined at one position. A large keyframe may be longer.
const SEARCH_WINDOW_BYTES: u64 = 64 << 10;
/// Data is not a recording if it has no packet within this many bytes.
pub(in crate::input) const MAX_PACKET_SEARCH_BYTES: u64 = 2 << 20;
/// A position at most this long before the requested one is good enough, in milliseconds.
const SEEK_TOLERANCE_MS: i64 = 500;
/// Size of each read in the search for the keyframe, in bytes.
const KEYFRAME_READ_BYTES: u64 = 512 << 10;
/// Maximum size of all reads of the search together, in bytes.
const MAX_READ_BYTES: u64 = 24 << 20;
/// Time limit of the search. After it, playback begins at the best position so far.
const KEYFRAME_SEARCH_TIMEOUT: Duration = Duration::from_secs(4);
/// Tolerance for the times of an index, in milliseconds.
const INDEX_TOLERANCE_MS: i64 = 500;
/// Pre-roll of audio decoders in milliseconds.
const PRE_ROLL_MS: i64 = 100;
/// Overlap of two pieces in bytes, because a header can be split between them.
const READ_OVERLAP_BYTES: u64 = 4 << 10;
/// Maximum plausible length of a recording, in seconds.
const MAX_RECORDING_SECONDS: i64 = 1_000_000;

/// The known data of a recording.
#[derive(Copy, Clone, Debug)]
pub(super) struct RecordingSpan {
    pub form: StreamFormat,
    /// The time of the first packet in milliseconds.
    pub begins: u32,
    /// The distance of the last packet from the first one in milliseconds.
    pub length: i64,
}

impl RecordingSpan {
    /// Returns the distance from the start to this point, in milliseconds.
    fn of(&self, mark: &ResyncPoint) -> i64 {
        since(self.begins, mark.time_ms)
    }
}

/// Returns the distance between two times in milliseconds, which wrap at 2³² in these formats.
fn since(begins: u32, time_ms: u32) -> i64 {
    time_ms.wrapping_sub(begins).cast_signed().into()
}

/// Returns the distance of the last packet from `begins` in milliseconds, if plausible.
pub(in crate::input) fn length(begins: u32, last: u32) -> Option<i64> {
    let length = since(begins, last);
    (1..MAX_RECORDING_SECONDS * 1_000).contains(&length).then_some(length)
}

/// Finds the time of the last packet. Returns `None` if the server does not support ranges, or if
/// the end is unreadable.
///
/// # Errors
/// Returns the network error.
pub(super) async fn last(
    parts: &mut RangeParts,
    form: StreamFormat,
) -> Result<Option<u32>, net::Error> {
    for size in [SEARCH_WINDOW_BYTES, MAX_PACKET_SEARCH_BYTES] {
        let from = parts.whole().saturating_sub(size);
        let Some(bytes) = parts.read(from, size).await? else { return Ok(None) };
        if let Some(newest) = newest(&marks(form, &bytes, from)) {
            return Ok(Some(newest));
        }
        if from == 0 {
            break;
        }
    }
    Ok(None)
}

/// Returns the time of the last packet in the last bytes of an FLV file.
pub(in crate::input) fn last_of_flv(bytes: &Bytes) -> Option<u32> {
    newest(&marks(StreamFormat::Flv, bytes, 0))
}

/// Returns the newest time of the last packets.
fn newest(found: &[ResyncPoint]) -> Option<u32> {
    let last = found.last()?.time_ms;
    // Video and audio are interleaved, so their times are out of order only briefly.
    let newest = found.iter().rev().take(32).max_by_key(|mark| since(last, mark.time_ms));
    newest.map(|mark| mark.time_ms)
}

/// Finds the byte from which to read in order to present `to` milliseconds after the start. Returns
/// `None` if the server stopped supporting ranges. `hint` is the position according to an index, if
/// there is one.
///
/// # Errors
/// Returns the network error.
pub(super) async fn find(
    parts: &mut RangeParts,
    course: &RecordingSpan,
    to: i64,
    hint: Option<(i64, u64)>,
) -> Result<Option<u64>, net::Error> {
    if let Some((time, at)) = hint {
        let Some(bytes) = parts.read(at, SEARCH_WINDOW_BYTES / 8).await? else { return Ok(None) };
        let there = marks(course.form, &bytes, at).into_iter().next();
        let is = |mark: &ResyncPoint| {
            let its = course.of(mark);
            mark.at == at && mark.key && its <= to && (its - time).abs() <= INDEX_TOLERANCE_MS
        };
        if there.is_some_and(|mark| is(&mark)) {
            return Ok(Some(at));
        }
    }
    let Some(before) = before(parts, course, to).await? else { return Ok(None) };
    match timeout(KEYFRAME_SEARCH_TIMEOUT, key(parts, course, to, before)).await {
        Ok(found) => found,
        Err(_) => Ok(Some(before)),
    }
}

/// Finds a byte for which the first packet from that byte on is shortly before the position.
async fn before(
    parts: &mut RangeParts,
    course: &RecordingSpan,
    to: i64,
) -> Result<Option<u64>, net::Error> {
    let mut places = Bisection::new((0, 0), (parts.whole(), course.length.max(1)));
    while let Some(guess) = places.guess(to, KEYFRAME_READ_BYTES, SEEK_TOLERANCE_MS) {
        let mut size = SEARCH_WINDOW_BYTES;
        let first = loop {
            let Some(bytes) = parts.read(guess, size).await? else { return Ok(None) };
            let first = marks(course.form, &bytes, guess).into_iter().next();
            if first.is_some()
                || size >= MAX_PACKET_SEARCH_BYTES
                || guess.saturating_add(size) >= parts.whole()
            {
                break first;
            }
            size = MAX_PACKET_SEARCH_BYTES;
        };
        places.note(guess, to, first.map(|mark| (mark.at, course.of(&mark))));
    }
    Ok(Some(places.low().0))
}

/// Finds the keyframe at or before the position, first around `low` and then further back.
async fn key(
    parts: &mut RangeParts,
    course: &RecordingSpan,
    to: i64,
    low: u64,
) -> Result<Option<u64>, net::Error> {
    let (mut read, mut from, mut found) = (0, low, ScannedStretch::default());
    while read < MAX_READ_BYTES / 2 && from < parts.whole() {
        let Some(bytes) = parts.read(from, KEYFRAME_READ_BYTES + READ_OVERLAP_BYTES).await? else {
            return Ok(None);
        };
        read += KEYFRAME_READ_BYTES;
        found.look(course, &marks(course.form, &bytes, from), to);
        if found.beyond {
            break;
        }
        from = from.saturating_add(KEYFRAME_READ_BYTES);
    }
    // Audio without video can start anywhere.
    let audio = found.audio.filter(|_| !found.has_video);
    let mut place = found.key.or(audio);
    let mut until = low;
    while place.is_none() && until > 0 && read < MAX_READ_BYTES {
        let from = until.saturating_sub(KEYFRAME_READ_BYTES);
        let length = until - from + READ_OVERLAP_BYTES;
        let Some(bytes) = parts.read(from, length).await? else { return Ok(None) };
        read += KEYFRAME_READ_BYTES;
        let mut here = ScannedStretch::default();
        here.look(course, &marks(course.form, &bytes, from), to);
        (place, until) = (here.key, from);
    }
    Ok(Some(place.unwrap_or(low)))
}

/// The result of scanning consecutive pieces.
#[derive(Debug, Default)]
struct ScannedStretch {
    /// The byte at which the last keyframe before the position begins.
    key: Option<u64>,
    /// The byte at which the audio for the position begins, including the decoder's pre-roll.
    audio: Option<u64>,
    has_video: bool,
    /// True if the data extends past the position.
    beyond: bool,
}

impl ScannedStretch {
    fn look(&mut self, course: &RecordingSpan, found: &[ResyncPoint], to: i64) {
        for mark in found {
            let time = course.of(mark);
            self.has_video |= mark.is_video;
            // Interleaved video and audio are not strictly in order of time.
            self.beyond |= time > to + SEEK_TOLERANCE_MS;
            if mark.key && time <= to {
                self.key = Some(mark.at);
            }
            if !mark.is_video && time <= to - PRE_ROLL_MS {
                self.audio = Some(mark.at);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use bytes::BytesMut;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;
    use crate::net::Options;
    use crate::net::web::WebUrl;
    use crate::wire::container::flv;
    use crate::wire::container::flv::TagKind;

    /// The first timestamp, far above zero.
    const FIRST_TIMESTAMP_MS: u32 = 3_600_000;
    /// The interval between keyframes, in milliseconds. Frames are 40 ms apart.
    const KEYFRAME_INTERVAL_MS: u32 = 8_000;

    /// Creates a recording of three minutes, with five times the bitrate in its middle.
    fn film() -> Bytes {
        let mut out = BytesMut::from(&flv::file_header(true, true)[..]);
        for time in (0..180_000).step_by(40) {
            let key = time % KEYFRAME_INTERVAL_MS == 0;
            let size = if (60_000..120_000).contains(&time) { 9_000 } else { 1_800 };
            let mut body = vec![if key { 0x17 } else { 0x27 }, 1, 0, 0, 0];
            body.resize(if key { size * 10 } else { size }, 9);
            flv::write_tag(TagKind::Video, FIRST_TIMESTAMP_MS + time, &body, &mut out);
            flv::write_tag(
                TagKind::Audio,
                FIRST_TIMESTAMP_MS + time + 15,
                &[0xAF, 1, 0, 9, 8],
                &mut out,
            );
        }
        out.freeze()
    }

    /// The reaction of a test server to a range request.
    #[derive(Copy, Clone)]
    enum Habit {
        RangeSupport,
        GivesAll,
        LiesAboutTheWhole,
        GivesGarbage,
        GivesWithoutEnd,
        Refuses,
    }

    async fn answer(mut socket: TcpStream, film: Bytes, habit: Habit) -> std::io::Result<()> {
        loop {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(socket.read_u8().await?);
            }
            let head = String::from_utf8_lossy(&head).into_owned();
            let span = head.split("bytes=").nth(1).unwrap_or_default();
            let mut ends = span.split(['-', '\r']).map(|end| end.parse::<usize>().unwrap_or(0));
            let (from, last) = (ends.next().unwrap_or(0), ends.next().unwrap_or(0));
            let whole = film.len();
            let part = film.slice(from..=last);
            let range = format!("206 x\r\nContent-Range: bytes {from}-{last}");
            let (status, body) = match habit {
                Habit::RangeSupport => (format!("{range}/{whole}"), part),
                Habit::GivesAll => ("200 OK".to_owned(), film.clone()),
                Habit::LiesAboutTheWhole => (format!("{range}/{}", whole * 2), part),
                Habit::GivesGarbage => {
                    (format!("{range}/{whole}"), Bytes::from(vec![9; part.len()]))
                }
                Habit::GivesWithoutEnd => {
                    let head = format!("HTTP/1.1 {range}/{whole}\r\n\r\n");
                    socket.write_all(head.as_bytes()).await?;
                    loop {
                        socket.write_all(&part).await?;
                    }
                }
                Habit::Refuses => ("416 x".to_owned(), Bytes::new()),
            };
            let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n", body.len());
            socket.write_all(head.as_bytes()).await?;
            socket.write_all(&body).await?;
        }
    }

    /// Serves the recording, and returns the number of requests.
    async fn serve(film: &Bytes, habit: Habit) -> (RangeParts, Arc<AtomicU64>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/film.flv", listener.local_addr().unwrap());
        let (its, callers) = (film.clone(), Arc::new(AtomicU64::new(0)));
        let counted = Arc::clone(&callers);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::Relaxed);
                let film = its.clone();
                // The client closes the connection.
                tokio::spawn(async move { drop(answer(socket, film, habit).await) });
            }
        });
        let url = WebUrl::parse(&url).unwrap();
        (RangeParts::new(url, Options::default(), film.len() as u64), callers)
    }

    fn course(last: u32) -> RecordingSpan {
        let length = length(FIRST_TIMESTAMP_MS, last).unwrap();
        RecordingSpan { form: StreamFormat::Flv, begins: FIRST_TIMESTAMP_MS, length }
    }

    #[tokio::test]
    async fn each_position_is_found_at_the_keyframe_before_it() {
        let film = film();
        let (mut parts, callers) = serve(&film, Habit::RangeSupport).await;
        let last = last(&mut parts, StreamFormat::Flv).await.unwrap().unwrap();
        assert_eq!(last, FIRST_TIMESTAMP_MS + 179_975);
        let course = course(last);
        let keys = marks(StreamFormat::Flv, &film, 0).into_iter().filter(|mark| mark.key);
        let keys: Vec<ResyncPoint> = keys.collect();
        for to in [0, 7_999, 8_000, 59_999, 60_001, 90_000, 100_500, 119_000, 150_123, 179_975] {
            let key = keys.iter().rfind(|mark| course.of(mark) <= to).unwrap();
            let found = find(&mut parts, &course, to, None).await.unwrap();
            assert_eq!(found, Some(key.at), "{to}");
            // An index may help, or may be wrong.
            let right = Some((course.of(key), key.at));
            for hint in [right, Some((to, 77)), Some((to, film.len() as u64 - 1))] {
                let found = find(&mut parts, &course, to, hint).await.unwrap();
                assert_eq!(found, Some(key.at), "{to} {hint:?}");
            }
        }
        // All requests use one connection.
        assert_eq!(callers.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn an_answer_other_than_a_requested_range_gives_no_position() {
        let film = film();
        let course = course(FIRST_TIMESTAMP_MS + 179_975);
        for habit in [Habit::GivesAll, Habit::LiesAboutTheWhole, Habit::Refuses] {
            let (mut parts, _) = serve(&film, habit).await;
            assert_eq!(last(&mut parts, StreamFormat::Flv).await.unwrap(), None);
            assert_eq!(find(&mut parts, &course, 100_000, None).await.unwrap(), None);
        }
        let (mut parts, _) = serve(&film, Habit::GivesWithoutEnd).await;
        assert!(last(&mut parts, StreamFormat::Flv).await.is_err());
        assert!(find(&mut parts, &course, 100_000, None).await.is_err());
        // Garbage contains no end time. A search in the garbage still ends.
        let (mut parts, _) = serve(&film, Habit::GivesGarbage).await;
        assert_eq!(last(&mut parts, StreamFormat::Flv).await.unwrap(), None);
        assert!(find(&mut parts, &course, 100_000, None).await.unwrap().is_some());
    }

    #[test]
    fn lengths_that_cannot_be_are_none() {
        assert_eq!(length(5, 1_005), Some(1_000));
        assert_eq!(length(u32::MAX, 999), Some(1_000));
        for (begins, last) in [(5, 5), (1_000, 5), (0, 1_000_000_001), (0, u32::MAX)] {
            assert_eq!(length(begins, last), None, "{begins} {last}");
        }
    }
}
