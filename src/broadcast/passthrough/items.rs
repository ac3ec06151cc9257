//! The packets of a media file with the file's own times: the bodies of an FLV file as they came, the
//! samples of MP4 and MKV by their index.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;

use crate::base::Timestamp;
use crate::broadcast::hub::shared_packet::SharedPacket;
use crate::files::{MediaFile, samples};
use crate::media::{Codec, EncodedPacket, Priority, StreamConfig, StreamEvent, Track};
use crate::wire::amf0::Value;
use crate::wire::container::flv::audio::AudioPacket;
use crate::wire::container::flv::video::VideoPacket;
use crate::wire::container::flv::{Demuxer, FrameType, TagKind, parse_audio, parse_video};
use crate::wire::container::{self, Format, Index, TrackId, flv};

/// Bytes read at a time.
const BLOCK: usize = 64 << 10;

/// What an index need not tell.
const NOT_TOLD: [&str; 3] = ["framerate", "videodatarate", "audiodatarate"];

/// Why a file cannot be sent.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{path} cannot be read: {source}")]
    Io { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Flv(#[from] flv::Error),
    #[error(transparent)]
    Container(#[from] container::Error),
    #[error("{0} is no regular file")]
    NoFile(PathBuf),
    #[error("{0} holds no picture and no sound")]
    Empty(PathBuf),
}

/// What a file consists of, with the file's own times.
pub(super) enum Item {
    /// `onMetaData`.
    Metadata(Value),
    Config(SharedPacket),
    Packet(SharedPacket),
    /// The frames have ended: to be sent where no more come.
    End(SharedPacket),
}

/// Reads a file.
pub(super) enum FileItems {
    /// FLV: bodies go out as they came, whatever they are of.
    Flv(FlvItems),
    /// MP4 and MKV, with their index.
    Indexed(Box<IndexedItems>),
}

impl FileItems {
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let fail = |source| Error::Io { path: path.to_owned(), source };
        // A pipe or a device could keep us waiting for ever.
        if !path.metadata().map_err(fail)?.is_file() {
            return Err(Error::NoFile(path.to_owned()));
        }
        let mut source = MediaFile::open(path).map_err(fail)?;
        match source.format() {
            Ok(Format::Mp4 | Format::Mkv) => {
                IndexedItems::new(source).map(|it| Self::Indexed(Box::new(it)))
            }
            // What is none of them is told by its reader.
            _ => FlvItems::open(path).map(Self::Flv),
        }
    }

    /// Where the file has an index that tells.
    pub(super) fn duration(&self) -> Option<Duration> {
        match self {
            Self::Flv(_) => None,
            Self::Indexed(items) => items.duration,
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
    path: PathBuf,
    file: File,
    demuxer: Demuxer,
    block: Vec<u8>,
}

impl FlvItems {
    fn open(path: &Path) -> Result<Self, Error> {
        let file =
            File::open(path).map_err(|source| Error::Io { path: path.to_owned(), source })?;
        let (demuxer, block) = (Demuxer::new(), vec![0; BLOCK]);
        Ok(Self { path: path.to_owned(), file, demuxer, block })
    }

    fn next(&mut self) -> Result<Option<Item>, Error> {
        loop {
            let flv = Error::Flv;
            if let Some(tag) = self.demuxer.next_tag().map_err(flv)? {
                match item(tag) {
                    Some(item) => return Ok(Some(item)),
                    None => continue,
                }
            }
            let read = self
                .file
                .read(&mut self.block)
                .map_err(|source| Error::Io { path: self.path.clone(), source })?;
            if read == 0 {
                return Ok(None);
            }
            self.demuxer.push(self.block.get(..read).unwrap_or_default());
        }
    }
}

/// The samples of an MP4 or MKV file whose codecs FLV carries; of several audio tracks the first of those.
pub(super) struct IndexedItems {
    source: MediaFile,
    index: Index,
    /// What comes before the samples, the last one first.
    heads: Vec<Item>,
    /// Of the next sample.
    number: usize,
    duration: Option<Duration>,
}

impl IndexedItems {
    fn new(mut source: MediaFile) -> Result<Self, Error> {
        let fail = Error::Container;
        let mut index = samples::indexed(&mut source).map_err(fail)?;
        keep_carried(&mut index).map_err(fail)?;
        let tracks = StreamConfig {
            video: index.tracks.video.clone(),
            audio: index.tracks.audio.first().map(|audio| audio.parameters.clone()),
        };
        let metadata = without(flv::metadata(&tracks), &NOT_TOLD);
        let mut heads = vec![Item::Metadata(metadata)];
        for event in samples::heads(&index) {
            let StreamEvent::Config(config) = event else { continue };
            heads.extend(
                flv::config_body(&config).map(|body| {
                    Item::Config(SharedPacket::with_body(bare(config.track(), 0), body))
                }),
            );
        }
        heads.reverse();
        let end = index.samples.last().map(|place| place.dts.as_micros().max(0).unsigned_abs());
        let duration = end.map(Duration::from_micros);
        Ok(Self { source, index, heads, number: 0, duration })
    }

    fn next(&mut self) -> Result<Option<Item>, Error> {
        if let Some(head) = self.heads.pop() {
            return Ok(Some(head));
        }
        while let Some(place) = self.index.samples.get(self.number) {
            self.number += 1;
            let packet = samples::sample(&mut self.source, &self.index.holes, place)
                .map_err(Error::Container)?;
            let tracks = &self.index.tracks;
            let codec = match packet.as_ref().map(|packet| packet.track) {
                Some(Track::Video) => tracks.video.as_ref().map(|it| Codec::Video(it.codec)),
                Some(_) => tracks.audio.first().map(|it| Codec::Audio(it.parameters.codec)),
                None => None,
            };
            if let Some((packet, codec)) = packet.zip(codec) {
                return Ok(Some(Item::Packet(SharedPacket::of(codec, packet))));
            }
        }
        Ok(None)
    }
}

/// Drops the tracks whose codecs FLV does not carry, and of several audio tracks all but the first that it
/// does.
///
/// # Errors
/// [`container::Error::Unsupported`] with a codec's name where no track is left.
pub(super) fn keep_carried(index: &mut Index) -> Result<(), container::Error> {
    let tracks = &mut index.tracks;
    let video = tracks.video.as_ref().map(|it| Codec::Video(it.codec));
    let audio: Vec<_> = tracks.audio.iter().map(|it| Codec::Audio(it.parameters.codec)).collect();
    let has_video = video.is_some_and(flv::carries);
    let number = audio.iter().position(|codec| flv::carries(*codec));
    if let Some(codec) = video.or(audio.first().copied())
        && !has_video
        && number.is_none()
    {
        return Err(container::Error::Unsupported(codec.name().to_owned()));
    }
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
    Ok(())
}

/// A packet without data: never thrown away, and nothing to begin with.
fn bare(track: Track, time_ms: u32) -> EncodedPacket {
    let at = Timestamp::from_millis(time_ms.into());
    let packet = EncodedPacket::received(track, (at, at), false, Bytes::new());
    EncodedPacket { priority: Priority::Key, ..packet }
}

/// What a tag is; `None`: not to be sent, as commands and what cannot be read.
fn item(tag: flv::Tag) -> Option<Item> {
    let (time_ms, body) = (tag.time_ms, tag.body);
    match tag.kind {
        TagKind::Script => flv::metadata::parse_script(&body).ok().flatten().map(Item::Metadata),
        TagKind::Audio => {
            let tag = parse_audio(&body).ok()?;
            let packet = bare(Track::Audio, time_ms);
            if tag.is_sequence_start() {
                return Some(Item::Config(SharedPacket::with_body(packet, body)));
            }
            let data = match tag.track.packet {
                AudioPacket::Frame(data) => data,
                _ => Bytes::new(),
            };
            let packet = EncodedPacket { keyframe: true, data, ..packet };
            Some(Item::Packet(SharedPacket::with_body(packet, body)))
        }
        TagKind::Video => {
            let tag = parse_video(&body).ok()?;
            let packet = bare(Track::Video, time_ms);
            if tag.is_sequence_start() {
                return Some(Item::Config(SharedPacket::with_body(packet, body)));
            }
            let keyframe = tag.is_keyframe();
            match tag.track.packet {
                VideoPacket::Metadata(_) => {
                    Some(Item::Config(SharedPacket::with_body(packet, body)))
                }
                VideoPacket::Frame { composition_ms, data } => {
                    let priority = match tag.frame_type {
                        _ if keyframe => Priority::Key,
                        FrameType::Disposable => Priority::Disposable,
                        _ => Priority::Inter,
                    };
                    let pts = packet.dts.offset(i64::from(composition_ms) * 1_000);
                    let packet = EncodedPacket { pts, keyframe, priority, data, ..packet };
                    Some(Item::Packet(SharedPacket::with_body(packet, body)))
                }
                VideoPacket::SequenceEnd => Some(Item::End(SharedPacket::with_body(packet, body))),
                _ => None,
            }
        }
    }
}

/// Metadata without these properties.
pub(super) fn without(value: Value, names: &[&str]) -> Value {
    match value {
        Value::Object(properties) | Value::EcmaArray(properties) => {
            let stays = |name: &str| !names.iter().any(|it| it.eq_ignore_ascii_case(name));
            Value::EcmaArray(properties.into_iter().filter(|(name, _)| stays(name)).collect())
        }
        _ => Value::ecma_array([]),
    }
}
