//! Reads the packets of a media file with the file's own timestamps: the unchanged bodies of an FLV
//! file, or the samples that the index of an MP4 or MKV file lists.

use std::fs::File;
use std::io;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;

use crate::base::Timestamp;
use crate::broadcast::hub::shared_packet::SharedPacket;
use crate::files::flv_tags::{self, FlvTags};
use crate::files::{MediaFile, samples};
use crate::media::stream_event::track_name;
use crate::media::{
    Codec, EncodedPacket, Priority, Rotation, StreamConfig, StreamEvent, Track, TrackKind,
};
use crate::problems::ToProblem;
use crate::text::Problem;
use crate::text::problem::{problem, problem_error};
use crate::wire::amf0::Value;
use crate::wire::container::flv::{ReadTag, Reader, TagContent, TagKind};
use crate::wire::container::track_config::has_own_pixel_aspect;
use crate::wire::container::{self, Format, Index, TrackId, UnsupportedContent, flv};

/// Metadata properties that an index may lack.
const OPTIONAL_PROPERTIES: [&str; 3] = ["framerate", "videodatarate", "audiodatarate"];

/// The reason why a file cannot be sent.
#[derive(Debug)]
pub enum Error {
    Io(io::Error),
    Flv(flv::Error),
    Container(container::Error),
    NoFile,
    Empty,
    /// The file demands a rotation of its video, which FLV does not support.
    Rotated,
    /// The file demands another pixel aspect than that of its video stream, which FLV does not support.
    Stretched,
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<flv::Error> for Error {
    fn from(error: flv::Error) -> Self {
        Self::Flv(error)
    }
}

impl From<container::Error> for Error {
    fn from(error: container::Error) -> Self {
        Self::Container(error)
    }
}

impl From<&Error> for Problem {
    fn from(error: &Error) -> Self {
        match error {
            Error::Io(error) => error.into(),
            Error::Flv(error) => error.to_problem(),
            Error::Container(error) => error.to_problem(),
            Error::NoFile => problem!("io-not-a-file"),
            Error::Empty => problem!("media-empty"),
            Error::Rotated => {
                problem!("passthrough-rotated").with_cure(problem!("passthrough-cure-rotated"))
            }
            Error::Stretched => {
                problem!("passthrough-stretched").with_cure(problem!("passthrough-cure-stretched"))
            }
        }
    }
}

problem_error!(Error);

/// One part of a file, with the file's own timestamps.
pub(super) enum Item {
    /// The value of `onMetaData`.
    Metadata(Value),
    Config(SharedPacket),
    Packet(SharedPacket),
    /// The end of the video, which is sent if nothing follows.
    End(SharedPacket),
}

/// Reads the items of a file.
pub(super) enum FileItems {
    /// An FLV file, whose bodies are sent unchanged, whatever their codecs are.
    Flv(Box<FlvItems>),
    /// An MP4 or MKV file, with its index.
    Indexed(Box<IndexedItems>),
}

impl FileItems {
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        // A pipe or a device could block forever.
        if !path.metadata()?.is_file() {
            return Err(Error::NoFile);
        }
        let mut source = MediaFile::open(path)?;
        match source.format() {
            Ok(Format::Mp4 | Format::Mkv) => {
                IndexedItems::new(source).map(|it| Self::Indexed(Box::new(it)))
            }
            // For any other format, the FLV reader returns the error.
            _ => FlvItems::open(path).map(|it| Self::Flv(Box::new(it))),
        }
    }

    /// Returns the duration, if it is in the file's index.
    pub(super) fn duration(&self) -> Option<Duration> {
        match self {
            Self::Flv(_) => None,
            Self::Indexed(items) => items.duration,
        }
    }

    /// Returns the video or audio that the file has but that is not sent.
    pub(super) fn missing(&self) -> Option<&Problem> {
        match self {
            Self::Flv(_) => None,
            Self::Indexed(items) => items.missing.as_ref(),
        }
    }

    pub(super) fn next(&mut self) -> Result<Option<Item>, Error> {
        match self {
            Self::Flv(items) => items.next(),
            Self::Indexed(items) => items.next(),
        }
    }
}

/// The tags of an FLV file.
pub(super) struct FlvItems {
    tags: FlvTags,
    reader: Reader,
}

impl FlvItems {
    fn open(path: &Path) -> Result<Self, Error> {
        let file = File::open(path)?;
        Ok(Self { tags: FlvTags::new(file), reader: Reader::new(|_| true) })
    }

    fn next(&mut self) -> Result<Option<Item>, Error> {
        loop {
            let tag = self.tags.next(&mut self.reader).map_err(|error| match error {
                flv_tags::Error::Io(error) => Error::Io(error),
                flv_tags::Error::Flv(error) => Error::Flv(error),
            })?;
            let Some(tag) = tag else { return Ok(None) };
            if let Some(item) = item(tag) {
                return Ok(Some(item));
            }
        }
    }
}

/// The samples of an MP4 or MKV file, of tracks whose codecs FLV supports. Of the audio tracks with
/// supported codecs, only the first one is read.
pub(super) struct IndexedItems {
    source: MediaFile,
    index: Index,
    /// The items before the samples, the last one first.
    opening_items: Vec<Item>,
    /// The index of the next sample.
    number: usize,
    duration: Option<Duration>,
    /// The name of the video or audio that FLV does not support.
    missing: Option<Problem>,
}

impl IndexedItems {
    fn new(mut source: MediaFile) -> Result<Self, Error> {
        let fail = Error::Container;
        let mut index = samples::indexed(&mut source).map_err(fail)?;
        index.skip_hidden().map_err(fail)?;
        let missing = keep_carried(&mut index).map_err(fail)?;
        if index.tracks.video.as_ref().is_some_and(|video| video.rotation != Rotation::None) {
            return Err(Error::Rotated);
        }
        if index.tracks.video.as_ref().is_some_and(has_own_pixel_aspect) {
            return Err(Error::Stretched);
        }
        let tracks = StreamConfig {
            video: index.tracks.video.clone(),
            audio: index.tracks.audio.first().map(|audio| audio.config.clone()),
        };
        let metadata = without(flv::metadata(&tracks), &OPTIONAL_PROPERTIES);
        let mut opening_items = vec![Item::Metadata(metadata)];
        for event in samples::configs(&index) {
            let StreamEvent::Config(config) = event else { continue };
            opening_items.extend(flv::config_body(&config).map(|body| {
                let packet = bare(config.track(), Timestamp::ZERO);
                Item::Config(SharedPacket::with_body(packet, body))
            }));
        }
        // In FLV, the container's colors are a body of their own.
        let colors = tracks.video.as_ref().and_then(|it| flv::color_body(it, index.colors));
        opening_items.extend(colors.map(|body| {
            let packet = bare(Track::Video, Timestamp::ZERO);
            Item::Config(SharedPacket::with_body(packet, body))
        }));
        opening_items.reverse();
        let end = index.samples.last().map(|place| place.dts.as_micros().max(0).unsigned_abs());
        let duration = end.map(Duration::from_micros);
        Ok(Self { source, index, opening_items, number: 0, duration, missing })
    }

    fn next(&mut self) -> Result<Option<Item>, Error> {
        if let Some(item) = self.opening_items.pop() {
            return Ok(Some(item));
        }
        while let Some(place) = self.index.samples.get(self.number) {
            self.number += 1;
            let packet =
                samples::sample(&mut self.source, &self.index, place).map_err(Error::Container)?;
            let tracks = &self.index.tracks;
            let codec = match packet.as_ref().map(|packet| packet.track) {
                Some(Track::Video) => tracks.video.as_ref().map(|it| Codec::Video(it.codec)),
                Some(_) => tracks.audio.first().map(|it| Codec::Audio(it.config.codec)),
                None => None,
            };
            if let Some((packet, codec)) = packet.zip(codec) {
                return Ok(Some(Item::Packet(SharedPacket::of(codec, packet))));
            }
        }
        Ok(None)
    }
}

/// Drops the tracks whose codecs FLV does not support, and all audio tracks except the first
/// supported one. Returns the name of the video or audio if the file has it, but none of it is left.
///
/// # Errors
/// Fails with [`container::Error::Unsupported`] and a codec's name if no track is left.
pub(super) fn keep_carried(index: &mut Index) -> Result<Option<Problem>, container::Error> {
    let tracks = &mut index.tracks;
    let video = tracks.video.as_ref().map(|it| Codec::Video(it.codec));
    let audio: Vec<_> = tracks.audio.iter().map(|it| Codec::Audio(it.config.codec)).collect();
    let has_video = video.is_some_and(flv::carries);
    let number = audio.iter().position(|codec| flv::carries(*codec));
    if let Some(codec) = video.or(audio.first().copied())
        && !has_video
        && number.is_none()
    {
        let codec = UnsupportedContent::Codec(codec.name().to_owned());
        return Err(container::Error::Unsupported(codec));
    }
    let named = |kind, codec: Codec| track_name(kind, codec.name());
    let unread = |kind| index.unsupported.iter().find(|it| it.kind == kind).map(Problem::from);
    let missing = match (has_video, number) {
        (false, _) => {
            video.map(|codec| named(TrackKind::Video, codec)).or_else(|| unread(TrackKind::Video))
        }
        (true, None) => audio
            .first()
            .map(|codec| named(TrackKind::Audio, *codec))
            .or_else(|| unread(TrackKind::Audio)),
        (true, Some(_)) => None,
    };
    tracks.video.take_if(|_| !has_video);
    tracks.audio = number.and_then(|it| tracks.audio.get(it).cloned()).into_iter().collect();
    index.samples.retain_mut(|sample| match sample.track {
        TrackId::Video => has_video,
        TrackId::Audio(it) if Some(usize::from(it)) == number => {
            sample.track = TrackId::Audio(0);
            true
        }
        TrackId::Audio(_) => false,
    });
    Ok(missing)
}

/// Makes a packet without data. The packet is never dropped, and no stream begins with it.
fn bare(track: Track, dts: Timestamp) -> EncodedPacket {
    let packet = EncodedPacket::received(track, (dts, dts), false, Bytes::new());
    EncodedPacket { priority: Priority::Key, ..packet }
}

/// Returns the packet of a tag, or `None` for tags that are not sent, such as commands and
/// unreadable tags. The packet keeps the unchanged body, because additional tracks and unknown
/// codecs have no events.
fn item(read: ReadTag) -> Option<Item> {
    let data = read.packet().map(|packet| packet.data.clone()).unwrap_or_default();
    let ReadTag { tag, content, dts, pts, priority, .. } = read;
    let track = match tag.kind {
        TagKind::Script => {
            return flv::metadata::parse_script(&tag.body).ok().flatten().map(Item::Metadata);
        }
        TagKind::Audio => Track::Audio,
        TagKind::Video => Track::Video,
    };
    let shared = |packet| SharedPacket::with_body(packet, tag.body);
    match content {
        TagContent::Config | TagContent::ChannelLayout | TagContent::ColorInfo => {
            Some(Item::Config(shared(bare(track, dts))))
        }
        TagContent::SequenceEnd if track == Track::Video => {
            Some(Item::End(shared(bare(track, dts))))
        }
        TagContent::Frame | TagContent::Empty | TagContent::SequenceEnd => {
            let packet =
                EncodedPacket::received(track, (dts, pts), priority == Priority::Key, data);
            Some(Item::Packet(shared(EncodedPacket { priority, ..packet })))
        }
        _ => None,
    }
}

/// Removes these properties from metadata.
pub(super) fn without(value: Value, names: &[&str]) -> Value {
    match value {
        Value::Object(properties) | Value::EcmaArray(properties) => {
            let stays = |name: &str| !names.iter().any(|it| it.eq_ignore_ascii_case(name));
            Value::EcmaArray(properties.into_iter().filter(|(name, _)| stays(name)).collect())
        }
        _ => Value::ecma_array([]),
    }
}
