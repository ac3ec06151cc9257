//! The known part of a recording that is read from a web server, from its beginning on, and seeking
//! in that recording. Requests to the server run in parallel; only a seek waits for them.

use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::timeout;

use super::RecordingSpan;
use crate::media::StreamEvent;
use crate::net;
use crate::player::input::http::byte_seek;
use crate::player::input::http::byte_seek::resync::StreamFormat;
use crate::player::input::http::range::download::Download;
use crate::player::input::http::range::parts::RangeParts;
use crate::text::Problem;
use crate::text::problem::problem;
use crate::wire::amf0::{MAX_KEYFRAMES, Value};
use crate::wire::container::flv::metadata::parse_script;
use crate::wire::container::flv::{ReadTag, Tag, TagContent, TagKind};
use crate::wire::container::track_config::MAX_CONFIG_BYTES;

/// Time limit for the server to report the length.
const LENGTH_TIMEOUT: Duration = Duration::from_secs(5);
/// Time limit for the server to send data from another position.
const SEEK_TIMEOUT: Duration = Duration::from_secs(8);
/// A declared length is trusted if it is this close to the time of the last tag, in seconds.
const LENGTH_TOLERANCE_SECONDS: f64 = 1.0;
/// Maximum number of stored configs from the middle of a recording.
const MAX_CODEC_CONFIGS: usize = 64;

/// See the module documentation.
#[derive(Debug)]
pub(in crate::input::http) struct Recorded {
    form: StreamFormat,
    /// The range requests.
    parts: RangeParts,
    /// The time of the first video or audio.
    begins: Option<u32>,
    /// The pending request for the time of the last packet.
    asked: JoinSet<Option<u32>>,
    /// The time of the last packet, once it is known.
    last: Option<u32>,
    /// The length from the metadata in seconds.
    declared: Option<f64>,
    /// The keyframe positions from the metadata.
    index: Vec<(i64, u64)>,
    /// The codec configs, with their byte positions.
    configs: Vec<(u64, Tag)>,
    /// The pending search for another position.
    search: JoinSet<Result<SeekFound, Problem>>,
}

/// Result of a search for a position.
#[derive(Debug)]
pub(in crate::input::http) struct SeekFound {
    /// The download from byte `at` on.
    pub flow: Download,
    /// The first byte of the download.
    pub at: u64,
    /// The time of the first packet to present.
    pub time_ms: u32,
    /// The distance of the first packet to present from the beginning.
    pub place: Duration,
}

impl Recorded {
    /// Requests the length. The request runs on the network's runtime.
    pub fn new(form: StreamFormat, parts: RangeParts) -> Self {
        let mut asked = JoinSet::new();
        let mut its = parts.anew();
        asked.spawn(async move {
            let last = timeout(LENGTH_TIMEOUT, byte_seek::last(&mut its, form)).await;
            match last {
                Ok(Ok(last)) => last,
                // The recording then plays as it arrives, as from a server without range support.
                Ok(Err(error)) => {
                    tracing::debug!(%error, "requesting the end of a recording failed");
                    None
                }
                Err(_) => None,
            }
        });
        let (declared, index, configs) = (None, Vec::new(), Vec::new());
        let (begins, last, search) = (None, None, JoinSet::new());
        Self { form, parts, begins, asked, last, declared, index, configs, search }
    }

    /// Returns true if the server has not answered with the length yet.
    pub fn is_asking(&self) -> bool {
        !self.asked.is_empty()
    }

    /// Waits for the server's answer. This function is cancel-safe.
    pub async fn answer(&mut self) {
        if let Some(Ok(last)) = self.asked.join_next().await {
            self.last = last;
        }
    }

    /// Returns true if media has arrived.
    pub fn has_begun(&self) -> bool {
        self.begins.is_some()
    }

    fn course(&self) -> Option<RecordingSpan> {
        let begins = self.begins?;
        let length = byte_seek::length(begins, self.last?)?;
        Some(RecordingSpan { form: self.form, begins, length })
    }

    /// Returns the length, once known: then seeking is possible.
    pub fn length(&self) -> Option<Duration> {
        let seconds = self.course()?.length as f64 / 1_000.0;
        let declared = self.declared.filter(|it| (it - seconds).abs() <= LENGTH_TOLERANCE_SECONDS);
        Duration::try_from_secs_f64(declared.unwrap_or(seconds)).ok()
    }

    /// Returns the position of this timestamp in the recording.
    pub fn place(&self, time_ms: u32) -> Duration {
        let since = self.begins.map_or(0, |begins| time_ms.wrapping_sub(begins).cast_signed());
        Duration::from_millis(since.max(0).unsigned_abs().into())
    }

    /// Records a tag that ends after `read` bytes. Returns true if it is media.
    pub fn note(&mut self, tag: &ReadTag, read: u64) -> bool {
        let (content, tag) = (tag.content, &tag.tag);
        match content {
            TagContent::Metadata | TagContent::Script => {
                if self.declared.is_none()
                    && let Ok(Some(value)) = parse_script(&tag.body)
                {
                    self.declared = value.get_number("duration").filter(|seconds| *seconds > 0.0);
                    self.index = index(&value, self.parts.whole());
                }
            }
            TagContent::Config => {
                let known = self
                    .config_before(tag.kind, read)
                    .is_some_and(|config| config.body == tag.body);
                // Decoders reject longer configs; the limit includes the body header.
                let sane = tag.body.len() <= MAX_CONFIG_BYTES + 64;
                if !known && sane && self.configs.len() < MAX_CODEC_CONFIGS {
                    self.configs.push((read, tag.clone()));
                }
            }
            TagContent::Frame => {
                self.begins.get_or_insert(tag.time_ms);
            }
            _ => {}
        }
        content == TagContent::Frame
    }

    /// Records a config or a packet. Returns the time of media in wrapping milliseconds.
    pub fn note_event(&mut self, event: &StreamEvent) -> Option<u32> {
        let StreamEvent::Packet(packet) = event else { return None };
        let time_ms = packet.dts.as_micros().div_euclid(1_000) as u32;
        if packet.data.is_empty() {
            return None;
        }
        self.begins.get_or_insert(time_ms);
        Some(time_ms)
    }

    /// Searches for another position, and cancels an earlier search. Returns false if the length is
    /// unknown.
    pub fn seek(&mut self, to: Duration) -> bool {
        self.search = JoinSet::new();
        let Some(course) = self.course() else { return false };
        let to = i64::try_from(to.as_millis()).unwrap_or(i64::MAX).min(course.length);
        let hint = self.index.iter().rev().find_map(|(time, at)| {
            let time = time - i64::from(course.begins);
            (time <= to).then_some((time, *at))
        });
        let parts = self.parts.anew();
        self.search.spawn(async move {
            let found = timeout(SEEK_TIMEOUT, open(parts, &course, to, hint)).await;
            let (flow, at) = match found {
                Ok(Ok(Some(found))) => found,
                Ok(Ok(None)) => return Err(problem!("play-seek-refused")),
                Ok(Err(error)) => return Err(error.with_peer()),
                Err(_) => {
                    return Err(problem!("play-seek-slow", seconds = SEEK_TIMEOUT.as_secs()));
                }
            };
            let time_ms = course.begins.wrapping_add(to as u32);
            let place = Duration::from_millis(to.unsigned_abs());
            Ok(SeekFound { flow, at, time_ms, place })
        });
        true
    }

    /// Returns true during a search for another position.
    pub fn is_searching(&self) -> bool {
        !self.search.is_empty()
    }

    /// Returns the result of the search, or the reason why the search failed. This function is
    /// cancel-safe.
    pub async fn found(&mut self) -> Result<SeekFound, Problem> {
        match self.search.join_next().await {
            Some(Ok(found)) => found,
            _ => Err(problem!("play-seek-over")),
        }
    }

    /// Returns the codec configs that are valid at that byte.
    pub fn configs_before(&self, at: u64) -> impl Iterator<Item = &Tag> {
        let first = |kind| self.configs.iter().map(|(_, tag)| tag).find(|tag| tag.kind == kind);
        let kinds = [TagKind::Video, TagKind::Audio];
        kinds
            .into_iter()
            .filter_map(move |kind| self.config_before(kind, at).or_else(|| first(kind)))
    }

    /// Returns the last config up to that byte.
    fn config_before(&self, kind: TagKind, at: u64) -> Option<&Tag> {
        let before = self.configs.iter().filter(|(read, tag)| tag.kind == kind && *read <= at);
        before.max_by_key(|(read, _)| *read).map(|(_, tag)| tag)
    }
}

/// Opens the download from the keyframe before the position `to`. Also returns the first byte of
/// the download.
async fn open(
    mut parts: RangeParts,
    course: &RecordingSpan,
    to: i64,
    hint: Option<(i64, u64)>,
) -> Result<Option<(Download, u64)>, net::Error> {
    let Some(at) = byte_seek::find(&mut parts, course, to, hint).await? else { return Ok(None) };
    let flow = parts.rest(at).await?;
    Ok(flow.map(|flow| (Download::new(flow, at, Some(parts.whole())), at)))
}

/// Returns the keyframe index of FLV metadata in milliseconds and bytes, if plausible.
fn index(value: &Value, whole: u64) -> Vec<(i64, u64)> {
    let numbers = |name| match value.get("keyframes")?.get(name)? {
        Value::StrictArray(numbers) => Some(numbers.iter().map(Value::as_number)),
        _ => None,
    };
    let (Some(times), Some(places)) = (numbers("times"), numbers("filepositions")) else {
        return Vec::new();
    };
    let mut found: Vec<(i64, u64)> = times
        .zip(places)
        .take(MAX_KEYFRAMES)
        .filter_map(|(time, place)| {
            let (time, place) = (time? * 1_000.0, place?);
            let is = (0.0..1e12).contains(&time) && (1.0..whole as f64).contains(&place);
            is.then_some((time.round() as i64, place as u64))
        })
        .collect();
    found.sort_unstable();
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::Options;
    use crate::net::web::WebUrl;
    use crate::wire::amf0::encode;
    use crate::wire::container::flv::Reader;
    use crate::wire::container::flv::metadata::MAX_SCRIPT_BYTES;

    #[tokio::test]
    async fn only_sequence_headers_of_a_limited_size_are_kept() {
        let url = WebUrl::parse("http://127.0.0.1:9/film.flv").unwrap();
        let mut recorded =
            Recorded::new(StreamFormat::Flv, RangeParts::new(url, Options::default(), 1_000));
        for (number, length) in [(1, 40), (2, MAX_CONFIG_BYTES * 2), (3, 40)] {
            let mut body = vec![0x17, 0, 0, 0, 0];
            body.resize(length, number);
            let tag = Tag { kind: TagKind::Video, time_ms: 0, body: body.into() };
            recorded.note(&Reader::new(|_| true).read(tag), 100);
        }
        assert_eq!(recorded.configs.len(), 2);
    }

    /// Creates metadata with an index of this many keyframes, one every two seconds. `length`
    /// replaces the declared length.
    fn indexed(keyframes: u32, length: Option<u32>) -> Tag {
        let list = |step: f64| {
            let numbers = (0..keyframes).map(|number| Value::Number(f64::from(number) * step));
            Value::StrictArray(numbers.collect())
        };
        let lists =
            vec![("times".to_owned(), list(2.0)), ("filepositions".to_owned(), list(100.0))];
        let value = vec![
            ("keyframes".to_owned(), Value::Object(lists)),
            ("duration".to_owned(), Value::Number(77.0)),
        ];
        let mut body = encode(&[Value::String("onMetaData".to_owned()), Value::EcmaArray(value)]);
        if let Some(length) = length {
            let name = b"times\x0A";
            let at = body.windows(name.len()).position(|it| it == name).unwrap() + name.len();
            body[at..at + 4].copy_from_slice(&length.to_be_bytes());
        }
        Tag { kind: TagKind::Script, time_ms: 0, body: body.into() }
    }

    #[tokio::test]
    async fn an_index_of_many_hours_is_read_and_none_that_is_larger() {
        let url = WebUrl::parse("http://127.0.0.1:9/film.flv").unwrap();
        let read = |tag: Tag| {
            let whole = 1 << 40;
            let parts = RangeParts::new(url.clone(), Options::default(), whole);
            let mut recorded = Recorded::new(StreamFormat::Flv, parts);
            recorded.note(&Reader::new(|_| true).read(tag), 100);
            (recorded.declared, recorded.index)
        };
        for keyframes in [5_000, MAX_KEYFRAMES as u32] {
            let (declared, index) = read(indexed(keyframes, None));
            // The first keyframe is left out, because byte position 0 is impossible.
            assert_eq!((declared, index.len()), (Some(77.0), keyframes as usize - 1));
            let last = i64::from(keyframes) - 1;
            assert_eq!(index.last(), Some(&(last * 2_000, last as u64 * 100)));
        }
        // Too many keyframes, too many bytes, or a wrong count: the search uses bisection, as
        // without an index.
        let mut long = indexed(1, None);
        long.body = [&long.body[..], &vec![5; MAX_SCRIPT_BYTES]].concat().into();
        for tag in
            [indexed(100_000, None), long, indexed(9, Some(u32::MAX)), indexed(9, Some(60_000))]
        {
            assert_eq!(read(tag), (None, Vec::new()));
        }
    }

    #[test]
    fn an_index_is_believed_as_far_as_it_makes_sense() {
        let number = |number: &f64| Value::Number(*number);
        let list = |numbers: &[f64]| Value::StrictArray(numbers.iter().map(number).collect());
        let of = |times: &[f64], places: &[f64]| {
            let index =
                vec![("times".to_owned(), list(times)), ("filepositions".to_owned(), list(places))];
            let keyframes = ("keyframes".to_owned(), Value::Object(index));
            super::index(&Value::Object(vec![keyframes]), 1_000)
        };
        assert_eq!(of(&[2.0, 0.0], &[900.0, 13.0]), [(0, 13), (2_000, 900)]);
        let (huge, none) = (f64::MAX, f64::NAN);
        assert_eq!(of(&[0.0, none, -1.0, 3.0, huge, 5.0], &[0.0, 1.0, 2.0, huge, 4.0, none]), []);
        assert_eq!(of(&[1.0], &[]), []);
        assert_eq!(super::index(&Value::Null, 1_000), []);
    }
}
