//! Parses a media playlist line by line.

use std::sync::Arc;
use std::time::Duration;

use crate::wire::hls::attributes::Attributes;
use crate::wire::hls::limits::{Error, MAX_PLAYLIST_BYTES, MAX_SEGMENTS, seconds};
use crate::wire::hls::media::{
    Control, Hint, Key, Map, Media, Method, Part, Report, Segment, System, later,
};

/// Maximum number of rendition reports that are read.
const MAX_REPORTS: usize = 200;

/// Parses a playlist. `before` is the previous version, from which skipped segments come.
pub(super) fn parse<'a>(
    lines: impl Iterator<Item = &'a str>,
    before: Option<&Media>,
) -> Result<Media, Error> {
    let mut reader = Reader { before, ..Reader::default() };
    for line in lines {
        match line.strip_prefix('#') {
            Some(_) => {
                let (tag, value) = line.split_once(':').unwrap_or((line, ""));
                reader.tag(tag, value)?;
            }
            None => reader.segment(line)?,
        }
    }
    reader.media.pending_made = reader.made();
    let Reader { mut media, parts, target, .. } = reader;
    media.pending = parts;
    media.target_duration = target.ok_or(Error::NoTargetDuration)?;
    Ok(media)
}

/// Length of a byte range, and its start if given.
type Span = (u64, Option<u64>);

#[derive(Default)]
struct Reader<'a> {
    media: Media,
    before: Option<&'a Media>,
    target: Option<Duration>,
    map: Option<Arc<Map>>,
    key: Option<Arc<Key>>,
    /// True if the key was given for the next segment, and not for an earlier one.
    key_is_new: bool,
    duration: Option<Duration>,
    discontinuity: bool,
    gap: bool,
    range: Option<Span>,
    /// Ends of the last byte ranges with their addresses, for segments and for parts.
    ends: [Option<(String, u64)>; 2],
    /// Parts of the segment whose own line was not read yet.
    parts: Vec<Part>,
    /// Number of all parts.
    count: usize,
    /// Creation time of the next segment, as given.
    date_time: Option<i64>,
    /// Creation time of the next segment, derived from the previous segment.
    follows: Option<i64>,
}

impl Reader<'_> {
    fn segment(&mut self, uri: &str) -> Result<(), Error> {
        let Some(duration) = self.duration.take() else { return Ok(()) };
        if self.media.segments.len() >= MAX_SEGMENTS {
            return Err(Error::TooMany(MAX_SEGMENTS));
        }
        let range = self.range.take();
        let [end, _] = &mut self.ends;
        let range = place(range, uri, end).ok_or(Error::Tag("EXT-X-BYTERANGE"))?;
        self.key_is_new = false;
        let made = self.made();
        (self.date_time, self.follows) = (None, made.and_then(|made| later(made, duration)));
        self.media.segments.push(Segment {
            uri: uri.to_owned(),
            duration,
            discontinuity: std::mem::take(&mut self.discontinuity),
            gap: std::mem::take(&mut self.gap),
            range,
            map: self.map.clone(),
            key: self.key.clone(),
            parts: std::mem::take(&mut self.parts),
            made,
        });
        Ok(())
    }

    /// Returns the creation time of the next segment. After a discontinuity, only a given time
    /// counts.
    fn made(&self) -> Option<i64> {
        self.date_time.or(self.follows.filter(|_| !self.discontinuity))
    }

    fn tag(&mut self, tag: &str, value: &str) -> Result<(), Error> {
        match tag {
            "#EXTINF" => {
                let text = value.split(',').next().unwrap_or_default();
                self.duration = Some(seconds(text).ok_or(Error::Tag("EXTINF"))?);
            }
            "#EXT-X-TARGETDURATION" => {
                self.target = Some(seconds(value).ok_or(Error::Tag("EXT-X-TARGETDURATION"))?);
            }
            "#EXT-X-MEDIA-SEQUENCE" => {
                // The numbers of the following segments must not overflow.
                let number = value.trim().parse().ok().filter(|it| *it < u64::MAX / 2);
                self.media.sequence = number.ok_or(Error::Tag("EXT-X-MEDIA-SEQUENCE"))?;
            }
            "#EXT-X-ENDLIST" => self.media.ended = true,
            "#EXT-X-PLAYLIST-TYPE" => self.media.keeps_all = matches!(value, "VOD" | "EVENT"),
            "#EXT-X-DISCONTINUITY" => self.discontinuity = true,
            "#EXT-X-GAP" => self.gap = true,
            "#EXT-X-PROGRAM-DATE-TIME" => self.date_time = date(value),
            "#EXT-X-BYTERANGE" => {
                self.range = Some(span(value).ok_or(Error::Tag("EXT-X-BYTERANGE"))?);
            }
            "#EXT-X-SERVER-CONTROL" => {
                let list = Attributes::parse(value);
                let time = |name| list.get(name).and_then(seconds);
                self.media.control = Control {
                    hold_back: time("HOLD-BACK"),
                    part_hold_back: time("PART-HOLD-BACK"),
                    can_block: list.get("CAN-BLOCK-RELOAD") == Some("YES"),
                    skip_until: time("CAN-SKIP-UNTIL"),
                };
            }
            "#EXT-X-PART-INF" => {
                let target = Attributes::parse(value).get("PART-TARGET").and_then(seconds);
                self.media.part_target = Some(target.ok_or(Error::Tag("EXT-X-PART-INF"))?);
            }
            "#EXT-X-PART" => self.part(&Attributes::parse(value))?,
            "#EXT-X-PRELOAD-HINT" => {
                let list = Attributes::parse(value);
                if list.get("TYPE") == Some("PART") {
                    self.media.hint = hint(&list);
                }
            }
            "#EXT-X-RENDITION-REPORT" if self.media.reports.len() < MAX_REPORTS => {
                self.media.reports.extend(report(&Attributes::parse(value)));
            }
            "#EXT-X-SKIP" => self.skip(&Attributes::parse(value))?,
            "#EXT-X-MAP" => {
                let list = Attributes::parse(value);
                let bad = || Error::Tag("EXT-X-MAP");
                let uri = list.get("URI").ok_or_else(bad)?.to_owned();
                let range = match list.get("BYTERANGE") {
                    None => None,
                    Some(text) => {
                        let (length, from) = span(text).ok_or_else(bad)?;
                        let from = from.unwrap_or(0);
                        Some((from, from.checked_add(length).ok_or_else(bad)?))
                    }
                };
                self.map = Some(Arc::new(Map { uri, range, key: self.key.clone() }));
            }
            "#EXT-X-KEY" => self.key(&Attributes::parse(value))?,
            _ => {}
        }
        Ok(())
    }

    fn part(&mut self, list: &Attributes<'_>) -> Result<(), Error> {
        let bad = || Error::Tag("EXT-X-PART");
        self.count += 1;
        if self.count > MAX_SEGMENTS {
            return Err(Error::TooMany(MAX_SEGMENTS));
        }
        let uri = list.get("URI").ok_or_else(bad)?.to_owned();
        let range = match list.get("BYTERANGE") {
            Some(text) => Some(span(text).ok_or_else(bad)?),
            None => None,
        };
        let [_, end] = &mut self.ends;
        let range = place(range, &uri, end).ok_or_else(bad)?;
        self.parts.push(Part {
            duration: list.get("DURATION").and_then(seconds).ok_or_else(bad)?,
            independent: list.get("INDEPENDENT") == Some("YES"),
            discontinuity: self.discontinuity && self.parts.is_empty(),
            gap: list.get("GAP") == Some("YES"),
            range,
            map: self.map.clone(),
            key: self.key.clone(),
            uri,
        });
        self.key_is_new = false;
        Ok(())
    }

    /// Handles skipped segments (§4.4.5.2), which precede all other segments, and whose attributes
    /// stay in effect.
    fn skip(&mut self, list: &Attributes<'_>) -> Result<(), Error> {
        if !self.media.segments.is_empty() {
            return Err(Error::Skipped);
        }
        let count = list.get("SKIPPED-SEGMENTS").and_then(|text| text.parse().ok());
        let count: usize = count.ok_or(Error::Tag("EXT-X-SKIP"))?;
        let before = self.before.ok_or(Error::Skipped)?;
        let from = self.media.sequence.checked_sub(before.sequence).ok_or(Error::Skipped)?;
        let from = usize::try_from(from).map_err(|_| Error::Skipped)?;
        let until = from.checked_add(count).ok_or(Error::Skipped)?;
        let known = before.segments.get(from..until).ok_or(Error::Skipped)?;
        // The result must not be longer than a complete list may be.
        if names(known) > MAX_PLAYLIST_BYTES {
            return Err(Error::TooLong);
        }
        if let Some(last) = known.last() {
            (self.map, self.key) = (last.map.clone(), last.key.clone());
            self.follows = last.made.and_then(|made| later(made, last.duration));
            let [end, _] = &mut self.ends;
            *end = last.range.map(|(_, until)| (last.uri.clone(), until));
        }
        // Parts are listed only near the end.
        let bare = |segment: &Segment| Segment { parts: Vec::new(), ..segment.clone() };
        self.media.segments.extend(known.iter().map(bare));
        Ok(())
    }

    /// Handles a key. If a segment has several keys, the one with a plain address applies.
    fn key(&mut self, list: &Attributes<'_>) -> Result<(), Error> {
        let is_new = std::mem::replace(&mut self.key_is_new, true);
        let method = list.get("METHOD").unwrap_or("NONE");
        if method == "NONE" {
            self.key = None;
            return Ok(());
        }
        let uri = list.get("URI").map(str::to_owned);
        let licensed =
            |system| Key { method: Method::Licensed(system), uri: String::new(), iv: None };
        let key = match list.get("KEYFORMAT").unwrap_or("identity") {
            "identity" if uri.as_ref().is_some_and(|uri| uri.starts_with("skd:")) => {
                licensed(System::FairPlay)
            }
            "identity" => Key {
                method: match method {
                    "AES-128" => Method::Aes128,
                    "SAMPLE-AES" => Method::SampleAes,
                    "SAMPLE-AES-CTR" => Method::SampleAesCtr,
                    _ => Method::Licensed(System::Other),
                },
                uri: uri.ok_or(Error::Tag("EXT-X-KEY"))?,
                iv: match list.get("IV") {
                    None => None,
                    Some(text) => Some(iv(text).ok_or(Error::Tag("EXT-X-KEY"))?),
                },
            },
            _ if is_new && self.key.is_some() => return Ok(()),
            format => licensed(system(format)),
        };
        self.key = Some(Arc::new(key));
        Ok(())
    }
}

/// Returns the total length in bytes of the addresses in these segments. A shared address counts
/// once.
fn names(segments: &[Segment]) -> usize {
    let own = segments.iter().map(|segment| segment.uri.len());
    let map = |segment: &Segment| segment.map.as_ref().map(Arc::as_ptr);
    let maps = segments.chunk_by(|one, next| map(one) == map(next)).filter_map(<[_]>::first);
    let maps = maps
        .filter_map(|segment| segment.map.as_ref())
        .map(|map| map.uri.len() + map.key.as_ref().map_or(0, |key| key.uri.len()));
    let key = |segment: &Segment| segment.key.as_ref().map(Arc::as_ptr);
    let keys = segments.chunk_by(|one, next| key(one) == key(next)).filter_map(<[_]>::first);
    let keys = keys.filter_map(|segment| segment.key.as_ref()).map(|key| key.uri.len());
    own.chain(maps).chain(keys).sum()
}

/// Returns the DRM system, by its registered names.
fn system(format: &str) -> System {
    match format.to_ascii_lowercase().as_str() {
        "com.apple.streamingkeydelivery" => System::FairPlay,
        "urn:uuid:edef8ba9-79d6-4ace-a3c8-27dcd51d21ed" | "com.widevine" => System::Widevine,
        "urn:uuid:9a04f079-9840-4286-ab92-e65be0885f95" | "com.microsoft.playready" => {
            System::PlayReady
        }
        _ => System::Other,
    }
}

fn hint(list: &Attributes<'_>) -> Option<Hint> {
    let number = |name| list.get(name).and_then(|text| text.parse::<u64>().ok());
    let (from, length) = (number("BYTERANGE-START"), number("BYTERANGE-LENGTH"));
    let range = match (from, length) {
        (None, None) => None,
        (from, length) => Some((from.unwrap_or(0), length)),
    };
    Some(Hint { uri: list.get("URI")?.to_owned(), range })
}

fn report(list: &Attributes<'_>) -> Option<Report> {
    let number = |name| list.get(name).and_then(|text| text.parse().ok());
    let (sequence, part) = (number("LAST-MSN")?, number("LAST-PART"));
    Some(Report { uri: list.get("URI")?.to_owned(), sequence, part })
}

/// Parses a date and time with UTC offset. A time without an offset is ambiguous, and is ignored.
fn date(text: &str) -> Option<i64> {
    const MAX_DATE_BYTES: usize = 64;
    let text = text.trim();
    let time = text.parse::<jiff::Timestamp>().ok().filter(|_| text.len() <= MAX_DATE_BYTES)?;
    Some(time.as_microsecond())
}

fn iv(text: &str) -> Option<u128> {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"))?;
    u128::from_str_radix(digits, 16).ok()
}

/// Returns the start of a byte range. Without a given start, the range continues the last one of
/// the same address. Returns `None` on overflow.
fn place(
    range: Option<Span>,
    uri: &str,
    end: &mut Option<(String, u64)>,
) -> Option<Option<(u64, u64)>> {
    let Some((length, from)) = range else { return Some(None) };
    let before = end.as_ref().filter(|(its, _)| its == uri).map(|(_, end)| *end);
    let from = from.or(before).unwrap_or(0);
    let until = from.checked_add(length)?;
    *end = Some((uri.to_owned(), until));
    Some(Some((from, until)))
}

/// Parses `length[@from]`.
fn span(text: &str) -> Option<Span> {
    match text.trim().split_once('@') {
        Some((length, from)) => Some((length.parse().ok()?, Some(from.parse().ok()?))),
        None => Some((text.trim().parse().ok()?, None)),
    }
}
