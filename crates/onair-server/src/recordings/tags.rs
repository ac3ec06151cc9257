//! Analysis of a stream's tags for a recorder: where a file can begin, and which tags its beginning must repeat. This
//! module has no I/O.

use bytes::{Buf as _, Bytes};

use crate::media::audio_tracks::MAX_TRACKS;
use crate::media::{AudioConfig, EncodedPacket, StreamEvent, TrackConfig, VideoConfig};
use crate::wire::container::TrackId;
use crate::wire::container::flv::audio::AudioPacket;
use crate::wire::container::flv::video::VideoPacket;
use crate::wire::container::flv::{
    FrameType, Reader, TAG_HEADER_BYTES, TAG_TRAILER_BYTES, Tag, TagEvent, TagKind, parse_audio,
    parse_video,
};
use crate::wire::container::mp4::live::is_live_video;

/// Maximum number of configs that the beginning of a file repeats.
const MAX_CONFIGS: usize = 64;

/// The track of a config, and whether it is a channel layout.
type ConfigSlot = (TagKind, u8, bool);

/// A tag of a stream.
#[derive(Clone, Debug)]
pub(super) struct StreamTag {
    pub kind: TagKind,
    pub time_ms: u32,
    pub body: Bytes,
    /// The track of the media, or the first one, because all audio of a tag has the same time.
    pub track: TrackId,
    /// True for frames and audio: the time of configs and metadata has no meaning.
    pub is_media: bool,
    /// True for a frame at which decoding can start.
    pub is_keyframe: bool,
    /// Number of frames or audio packets of all tracks in the tag.
    pub samples: usize,
    config: Option<ConfigSlot>,
}

impl StreamTag {
    /// Parses the bytes of a tag. Returns `None` for anything else.
    pub fn parse(bytes: &Bytes) -> Option<Self> {
        let mut head = bytes.get(..TAG_HEADER_BYTES)?;
        let kind = TagKind::from_id(head.get_u8())?;
        let size = head.get_uint(3) as usize;
        let low = head.get_uint(3) as u32;
        let time_ms = u32::from(head.get_u8()) << 24 | low;
        let end = TAG_HEADER_BYTES + size;
        let body =
            (bytes.len() == end + TAG_TRAILER_BYTES).then(|| bytes.slice(TAG_HEADER_BYTES..end))?;
        let mut tag = Self {
            kind,
            time_ms,
            body,
            track: TrackId::Video,
            is_media: false,
            is_keyframe: false,
            samples: 0,
            config: None,
        };
        match kind {
            TagKind::Video => {
                let parsed = parse_video(&tag.body).ok();
                let tracks = parsed.as_ref().map_or(1, |it| it.tracks().count());
                let config = parsed.as_ref().filter(|it| it.is_sequence_start());
                tag.config = config.map(|it| (kind, it.track.id, false));
                tag.is_media = config.is_none();
                tag.samples = if tag.is_media { tracks } else { 0 };
                tag.is_keyframe = tag.is_media
                    && parsed.is_some_and(|it| {
                        matches!(it.frame_type, FrameType::Key | FrameType::GeneratedKey)
                            && it.tracks().any(|track| {
                                track.id == 0 && matches!(track.packet, VideoPacket::Frame { .. })
                            })
                    });
            }
            TagKind::Audio => {
                let parsed = parse_audio(&tag.body).ok();
                tag.track = TrackId::Audio(parsed.as_ref().map_or(0, |it| it.track.id));
                let tracks = parsed.as_ref().map_or(1, |it| it.tracks().count());
                let config = parsed.filter(|it| it.is_sequence_start());
                let is_layout =
                    |packet: &AudioPacket| matches!(packet, AudioPacket::MultichannelConfig { .. });
                tag.config = config.map(|it| (kind, it.track.id, is_layout(&it.track.packet)));
                tag.is_media = tag.config.is_none();
                tag.samples = if tag.is_media { tracks } else { 0 };
            }
            TagKind::Script => {}
        }
        Some(tag)
    }
}

/// Converts the tags of a stream, including all its audio tracks, to events.
#[derive(Debug)]
pub(super) struct EventReader {
    first: Reader,
    /// The other audio tracks with their ids, in the order of arrival.
    others: Vec<(u8, Reader)>,
}

impl EventReader {
    pub fn new() -> Self {
        Self { first: Reader::of_known_tracks(is_live_video), others: Vec::new() }
    }

    /// Returns the packets and configs of a tag, with their tracks.
    pub fn events(&mut self, tag: &StreamTag) -> Vec<(TrackId, StreamEvent)> {
        let (kind, time_ms, body) = (tag.kind, tag.time_ms, &tag.body);
        if kind == TagKind::Script {
            return Vec::new();
        }
        let track = if kind == TagKind::Video { TrackId::Video } else { TrackId::Audio(0) };
        let read = self.first.read(Tag { kind, time_ms, body: body.clone() });
        let dts = read.dts;
        let mut all: Vec<_> = plain(read.events).map(|event| (track, event)).collect();
        let parsed = parse_audio(body).ok().filter(|_| kind == TagKind::Audio);
        let ids = parsed.iter().flat_map(|parsed| parsed.tracks().map(|track| track.id));
        for id in ids.filter(|id| Some(*id) != self.first.audio_track()) {
            let known = self.others.iter().position(|(other, _)| *other == id);
            let at = known.unwrap_or(self.others.len());
            if at + 1 >= usize::from(MAX_TRACKS) {
                continue;
            }
            if known.is_none() {
                self.others.push((id, Reader::of_audio_track(id)));
            }
            let Some((_, reader)) = self.others.get_mut(at) else { continue };
            let track = TrackId::Audio(at as u8 + 1);
            let read = reader.read(Tag { kind, time_ms, body: body.clone() });
            // The times of this track's reader may have begun after the timestamps wrapped around.
            let shift = dts.micros_since(read.dts);
            all.extend(plain(read.events).map(|event| match event {
                StreamEvent::Packet(packet) => {
                    let (dts, pts) = (packet.dts.offset(shift), packet.pts.offset(shift));
                    let packet = EncodedPacket { track: track.track(), dts, pts, ..packet };
                    (track, StreamEvent::Packet(packet))
                }
                event => (track, event),
            }));
        }
        all
    }
}

fn plain(events: [Option<TagEvent>; 2]) -> impl Iterator<Item = StreamEvent> {
    events.into_iter().flatten().filter_map(|event| match event {
        TagEvent::Event(event) => Some(event),
        _ => None,
    })
}

/// The newest configs and metadata of a stream.
#[derive(Debug, Default)]
pub(super) struct StreamConfigs {
    metadata: Option<Bytes>,
    configs: Vec<(ConfigSlot, Bytes)>,
    has_video: bool,
    has_audio: bool,
    /// True if the current file has no video, because the video had ended at its beginning.
    omits_video: bool,
    video: Option<VideoConfig>,
    pub audio: Option<AudioConfig>,
    /// The audio tracks after the first one, once they are known.
    pub other_audio: Vec<Option<AudioConfig>>,
}

impl StreamConfigs {
    /// Keeps a tag that the beginning of a file must repeat. Returns true if the tag differs from an earlier one, so
    /// that a new file should begin.
    pub fn note(&mut self, tag: &StreamTag) -> bool {
        self.has_video |= tag.kind == TagKind::Video;
        self.has_audio |= tag.kind == TagKind::Audio;
        if tag.kind == TagKind::Script {
            self.metadata = Some(tag.body.clone());
            return false;
        }
        let Some(slot) = tag.config else { return false };
        if let Some((_, known)) = self.configs.iter_mut().find(|(known, _)| *known == slot) {
            let differs = *known != tag.body;
            known.clone_from(&tag.body);
            return differs;
        }
        if self.configs.len() < MAX_CONFIGS {
            self.configs.push((slot, tag.body.clone()));
        }
        false
    }

    /// Sets whether the next file has no video. Otherwise, players would wait for its first frame.
    pub fn omit_video(&mut self, omits: bool) {
        self.omits_video = omits;
    }

    /// Returns true for video that returns to a file without video. The next keyframe begins a new file.
    pub fn omits(&self, tag: &StreamTag) -> bool {
        self.omits_video && tag.kind == TagKind::Video
    }

    /// Returns the config of the video in the current file.
    pub fn video(&self) -> Option<&VideoConfig> {
        self.video.as_ref().filter(|_| !self.omits_video)
    }

    /// Returns the config of an audio track.
    pub fn audio_of(&self, track: u8) -> Option<&AudioConfig> {
        match usize::from(track).checked_sub(1) {
            None => self.audio.as_ref(),
            Some(at) => self.other_audio.get(at)?.as_ref(),
        }
    }

    /// Keeps a config of the packets. Returns true if the config differs from the earlier one, or if there is another
    /// audio track.
    pub fn note_event(&mut self, track: TrackId, event: &StreamEvent) -> bool {
        match event {
            StreamEvent::Config(TrackConfig::Video(config)) => {
                let before = self.video.replace(config.clone());
                before.is_some_and(|before| !is_same_video(&before, config))
            }
            StreamEvent::Config(TrackConfig::Audio(config))
                if let TrackId::Audio(number @ 1..) = track =>
            {
                let at = usize::from(number) - 1;
                if self.other_audio.len() <= at {
                    self.other_audio.resize(at + 1, None);
                }
                let Some(known) = self.other_audio.get_mut(at) else { return false };
                let before = known.replace(config.clone());
                before.is_none_or(|before| !is_same_audio(&before, config))
            }
            StreamEvent::Config(TrackConfig::Audio(config)) => {
                let before = self.audio.replace(config.clone());
                before.is_some_and(|before| !is_same_audio(&before, config))
            }
            _ => false,
        }
    }

    /// Returns how many of the two kinds of media are known: from their configs if the tags are `parsed`.
    pub fn kind_count(&self, parsed: bool) -> usize {
        let known = match parsed {
            true => [self.video.is_some(), self.audio.is_some()],
            false => [self.has_video, self.has_audio],
        };
        known.into_iter().filter(|is_known| *is_known).count()
    }

    /// Returns true if the stream has video.
    pub fn has_video(&self) -> bool {
        self.has_video
    }

    /// Returns the bodies at the beginning of a file.
    pub fn tags(&self) -> impl Iterator<Item = (TagKind, &Bytes)> {
        let metadata = self.metadata.iter().map(|body| (TagKind::Script, body));
        let tags = metadata.chain(self.configs.iter().map(|((kind, ..), body)| (*kind, body)));
        tags.filter(|(kind, _)| !self.omits_video || *kind != TagKind::Video)
    }
}

/// Returns true if packets of both configs can be in one file.
pub(super) fn is_same_video(one: &VideoConfig, other: &VideoConfig) -> bool {
    (one.codec, &one.codec_config, one.size) == (other.codec, &other.codec_config, other.size)
}

/// Works like [`is_same_video`], but for audio.
pub(super) fn is_same_audio(one: &AudioConfig, other: &AudioConfig) -> bool {
    (one.codec, &one.codec_config, one.sample_rate)
        == (other.codec, &other.codec_config, other.sample_rate)
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;

    use super::*;
    use crate::wire::container::flv::{file_header, write_tag};

    fn tag(kind: TagKind, time_ms: u32, body: &[u8]) -> Bytes {
        let mut out = BytesMut::new();
        write_tag(kind, time_ms, body, &mut out);
        out.freeze()
    }

    #[test]
    fn tags_are_distinguished() {
        let of = |kind, body: &[u8]| {
            let it = StreamTag::parse(&tag(kind, 0x0102_0304, body)).unwrap();
            assert_eq!((it.time_ms, &it.body[..]), (0x0102_0304, body));
            (it.is_media, it.is_keyframe, it.config.is_some())
        };
        assert_eq!(of(TagKind::Video, &[0x17, 0, 0, 0, 0, 1]), (false, false, true));
        assert_eq!(of(TagKind::Video, &[0x17, 1, 0, 0, 0, 1]), (true, true, false));
        assert_eq!(of(TagKind::Video, &[0x27, 1, 0, 0, 0, 1]), (true, false, false));
        assert_eq!(of(TagKind::Video, &[0x17, 2, 0, 0, 0]), (true, false, false));
        assert_eq!(of(TagKind::Audio, &[0xAF, 0, 0x11, 0x90]), (false, false, true));
        assert_eq!(of(TagKind::Audio, &[0xAF, 1, 1, 2]), (true, false, false));
        assert_eq!(of(TagKind::Script, &[2]), (false, false, false));
        let several = tag(TagKind::Video, 0, b"\x96\x21av01\0\0\0\x01\x0Avp09\x03\0\0\x01\x0B");
        assert_eq!(StreamTag::parse(&several).unwrap().samples, 2, "one frame of each track");
        assert!(StreamTag::parse(&file_header(true, true)).is_none());
        let whole = tag(TagKind::Audio, 0, &[0xAF, 1]);
        assert!(StreamTag::parse(&whole.slice(..whole.len() - 1)).is_none());
        assert!(StreamTag::parse(&Bytes::new()).is_none());
    }

    #[test]
    fn only_another_config_begins_a_file() {
        let mut configs = StreamConfigs::default();
        let note = |configs: &mut StreamConfigs, body: &[u8]| {
            configs.note(&StreamTag::parse(&tag(TagKind::Audio, 0, body)).unwrap())
        };
        assert!(!note(&mut configs, &[0xAF, 0, 0x11, 0x90]));
        assert!(!note(&mut configs, &[0xAF, 0, 0x11, 0x90]));
        assert!(note(&mut configs, &[0xAF, 0, 0x12, 0x10]));
        assert_eq!((configs.tags().count(), configs.has_video()), (1, false));
    }
}
