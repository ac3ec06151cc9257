//! Media playlists (RFC 8216 §4.3.2, §4.3.3): segments, and what holds for them.

use std::sync::Arc;
use std::time::Duration;

use super::attributes::Attributes;
use super::bounds::{Error, MAX_SEGMENTS, seconds};

/// A list of segments.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Media {
    /// No segment is longer; reloading goes by it.
    pub target_duration: Duration,
    /// The number of the first segment.
    pub sequence: u64,
    /// Nothing will be added.
    pub ended: bool,
    /// It never loses its beginning (`EVENT`, `VOD`).
    pub keeps_all: bool,
    /// How far from its end the server wants players to be.
    pub hold_back: Option<Duration>,
    pub segments: Vec<Segment>,
}

/// A piece of a stream.
#[derive(Clone, Debug, PartialEq)]
pub struct Segment {
    pub uri: String,
    pub duration: Duration,
    /// What comes does not follow from what came before.
    pub discontinuity: bool,
    /// It is missing at the server.
    pub gap: bool,
    /// Bytes from, and up to, of what is at the address.
    pub range: Option<(u64, u64)>,
    pub map: Option<Arc<Map>>,
    pub key: Option<Arc<Key>>,
}

/// What stands before the segments of an MP4.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Map {
    pub uri: String,
    pub range: Option<(u64, u64)>,
    pub key: Option<Arc<Key>>,
}

/// How segments are encrypted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    pub method: Method,
    pub uri: String,
    /// None: the segment's number.
    pub iv: Option<u128>,
}

/// By what.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// Whole segments, AES-128 in CBC mode.
    Aes128,
    /// Something else, mostly of which only a licence server has the keys.
    Other,
}

impl Media {
    /// How long all of it is.
    pub fn duration(&self) -> Duration {
        self.segments.iter().map(|segment| segment.duration).sum()
    }

    /// The number of the segment that is played `place` after the beginning, and how far from there
    /// it begins; the last one where the list is not so long.
    pub fn at(&self, place: Duration) -> (u64, Duration) {
        let (mut number, mut begins) = (self.sequence, Duration::ZERO);
        for segment in self.segments.iter().take(self.segments.len().saturating_sub(1)) {
            if begins + segment.duration > place {
                break;
            }
            begins += segment.duration;
            number = number.saturating_add(1);
        }
        (number, begins)
    }

    /// The segment of this number.
    pub fn segment(&self, number: u64) -> Option<&Segment> {
        let at = usize::try_from(number.checked_sub(self.sequence)?).ok()?;
        self.segments.get(at)
    }

    /// The number after the last segment's.
    pub fn end(&self) -> u64 {
        self.sequence.saturating_add(self.segments.len() as u64)
    }

    /// How long the segments from this number on are.
    pub fn from(&self, number: u64) -> Duration {
        let skip = usize::try_from(number.saturating_sub(self.sequence)).unwrap_or(usize::MAX);
        self.segments.iter().skip(skip).map(|segment| segment.duration).sum()
    }

    /// The last segment that begins at least `distance` before the end; the first where there is
    /// not so much.
    pub fn before_end(&self, distance: Duration) -> u64 {
        let mut left = Duration::ZERO;
        for (at, segment) in self.segments.iter().enumerate().rev() {
            left += segment.duration;
            if left >= distance {
                return self.sequence.saturating_add(at as u64);
            }
        }
        self.sequence
    }
}

pub(super) fn parse<'a>(lines: impl Iterator<Item = &'a str>) -> Result<Media, Error> {
    let mut media = Media::default();
    let mut target = None;
    let (mut map, mut key): (Option<Arc<Map>>, Option<Arc<Key>>) = (None, None);
    let (mut duration, mut discontinuity, mut gap) = (None, false, false);
    let mut range: Option<(u64, Option<u64>)> = None;
    // Where the last range of an address ended.
    let mut last_end: Option<(String, u64)> = None;
    for line in lines {
        if !line.starts_with('#') {
            let Some(duration) = duration.take() else { continue };
            if media.segments.len() >= MAX_SEGMENTS {
                return Err(Error::TooMany(MAX_SEGMENTS));
            }
            let range = match range.take() {
                None => None,
                Some((length, from)) => {
                    let before = last_end.as_ref().filter(|(uri, _)| uri == line);
                    let from: u64 = from.or(before.map(|(_, end)| *end)).unwrap_or(0);
                    let until = from.checked_add(length).ok_or(Error::Tag("EXT-X-BYTERANGE"))?;
                    last_end = Some((line.to_owned(), until));
                    Some((from, until))
                }
            };
            media.segments.push(Segment {
                uri: line.to_owned(),
                duration,
                discontinuity: std::mem::take(&mut discontinuity),
                gap: std::mem::take(&mut gap),
                range,
                map: map.clone(),
                key: key.clone(),
            });
            continue;
        }
        let (tag, value) = line.split_once(':').unwrap_or((line, ""));
        match tag {
            "#EXTINF" => {
                let text = value.split(',').next().unwrap_or_default();
                duration = Some(seconds(text).ok_or(Error::Tag("EXTINF"))?);
            }
            "#EXT-X-TARGETDURATION" => {
                target = Some(seconds(value).ok_or(Error::Tag("EXT-X-TARGETDURATION"))?);
            }
            "#EXT-X-MEDIA-SEQUENCE" => {
                let number = value.trim().parse();
                media.sequence = number.map_err(|_| Error::Tag("EXT-X-MEDIA-SEQUENCE"))?;
            }
            "#EXT-X-ENDLIST" => media.ended = true,
            "#EXT-X-PLAYLIST-TYPE" => media.keeps_all = matches!(value, "VOD" | "EVENT"),
            "#EXT-X-DISCONTINUITY" => discontinuity = true,
            "#EXT-X-GAP" => gap = true,
            "#EXT-X-BYTERANGE" => {
                range = Some(span(value).ok_or(Error::Tag("EXT-X-BYTERANGE"))?);
            }
            "#EXT-X-SERVER-CONTROL" => {
                let list = Attributes::parse(value);
                media.hold_back = list.get("HOLD-BACK").and_then(seconds);
            }
            "#EXT-X-MAP" => {
                let list = Attributes::parse(value);
                let uri = list.get("URI").ok_or(Error::Tag("EXT-X-MAP"))?.to_owned();
                let range = match list.get("BYTERANGE") {
                    None => None,
                    Some(text) => {
                        let (length, from) = span(text).ok_or(Error::Tag("EXT-X-MAP"))?;
                        let from = from.unwrap_or(0);
                        Some((from, from.checked_add(length).ok_or(Error::Tag("EXT-X-MAP"))?))
                    }
                };
                map = Some(Arc::new(Map { uri, range, key: key.clone() }));
            }
            "#EXT-X-KEY" => key = read_key(value, key)?,
            _ => {}
        }
    }
    media.target_duration = target.ok_or(Error::NoTargetDuration)?;
    Ok(media)
}

/// Of several keys for one segment only that which anybody can ask for.
fn read_key(value: &str, before: Option<Arc<Key>>) -> Result<Option<Arc<Key>>, Error> {
    let list = Attributes::parse(value);
    if list.get("KEYFORMAT").is_some_and(|format| format != "identity") {
        return Ok(before.or_else(|| {
            let uri = String::new();
            Some(Arc::new(Key { method: Method::Other, uri, iv: None }))
        }));
    }
    let method = match list.get("METHOD") {
        None | Some("NONE") => return Ok(None),
        Some("AES-128") => Method::Aes128,
        Some(_) => Method::Other,
    };
    let uri = list.get("URI").ok_or(Error::Tag("EXT-X-KEY"))?.to_owned();
    let iv = match list.get("IV") {
        None => None,
        Some(text) => {
            let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
            let iv = digits.and_then(|digits| u128::from_str_radix(digits, 16).ok());
            Some(iv.ok_or(Error::Tag("EXT-X-KEY"))?)
        }
    };
    Ok(Some(Arc::new(Key { method, uri, iv })))
}

/// `length[@from]`.
fn span(text: &str) -> Option<(u64, Option<u64>)> {
    match text.trim().split_once('@') {
        Some((length, from)) => Some((length.parse().ok()?, Some(from.parse().ok()?))),
        None => Some((text.trim().parse().ok()?, None)),
    }
}
