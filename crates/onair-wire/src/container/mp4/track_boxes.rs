//! Writes the boxes of a track: `trak` with its sample description (ISO/IEC 14496-12 §8.3 to §8.5,
//! -14 §5.6, -15 §5.4.2). This module also parses descriptions. Long because the description of each codec is a box.

use bytes::{BufMut, Bytes, BytesMut};

use crate::media::{AudioCodec, AudioConfig, Rotation, VideoCodec, VideoConfig};
use crate::wire::codec::h264::DecoderConfig;
use crate::wire::codec::{AudioInfo, Colors, FLAC_STREAM_HEADER, opus_box};
use crate::wire::container::flv::Metadata;
use crate::wire::container::mp4::boxes::{
    BoxSpan, Fields, Name, child, put_box, put_full, sample_rate,
};
use crate::wire::container::mp4::colors::{put_colors, put_pixel_aspect};
use crate::wire::container::mp4::encryption::Protection;
use crate::wire::container::mp4::sample_table::Table;
use crate::wire::container::mp4::{chapters, encryption, pcm};
use crate::wire::container::track_config::aac_config_with_metadata;
use crate::wire::container::{self, AudioTrack, audio_frame};

/// Default name of a video track.
const VIDEO_TRACK_NAME: &str = "Video";
/// Name of the chapter track.
const CHAPTER_TRACK_NAME: &str = "Chapters";
/// Default name of an audio track.
pub(super) const AUDIO_TRACK_NAME: &str = "Audio";
/// Maximum number of sample descriptions of a track that are read.
const MAX_DESCRIPTIONS: usize = 64;

/// Kind of a track with its config.
#[derive(Copy, Clone, Debug)]
pub(super) enum Kind<'a> {
    Video(&'a VideoConfig, &'a Colors),
    Audio(&'a AudioTrack),
    /// Chapter titles.
    Chapters,
}

/// The fields of `trak`.
#[derive(Copy, Clone, Debug)]
pub(super) struct Trak<'a> {
    /// Track id, from 1.
    pub id: u32,
    pub kind: Kind<'a>,
    /// True if the track is the default one of its kind.
    pub first: bool,
    pub table: &'a Table,
    pub movie_timescale: u32,
    /// Id of the track's chapter track.
    pub chapters: Option<u32>,
    /// True for a track with all samples, false for one of a fragmented file.
    pub whole: bool,
}

impl Trak<'_> {
    /// Returns the end of the track on the movie's timeline.
    pub fn end(&self) -> u64 {
        let product = u128::from(self.table.end()) * u128::from(self.movie_timescale);
        u64::try_from(product / u128::from(self.table.timescale.max(1))).unwrap_or(u64::MAX)
    }

    pub fn write(&self, out: &mut BytesMut) {
        put_box(out, *b"trak", |out| {
            self.header(out);
            if self.whole {
                self.table.write_edits(self.movie_timescale, out);
            }
            if let Some(chapters) = self.chapters {
                put_box(out, *b"tref", |out| {
                    put_box(out, *b"chap", |out| out.put_u32(chapters));
                });
            }
            put_box(out, *b"mdia", |out| self.media(out));
            if let Kind::Audio(AudioTrack { name, .. }) = self.kind
                && !name.is_empty()
            {
                // QuickTime and most other players read the name here.
                put_box(out, *b"udta", |out| {
                    put_box(out, *b"name", |out| out.put_slice(name.as_bytes()));
                });
            }
        });
    }

    fn header(&self, out: &mut BytesMut) {
        // The track is used in the presentation. Only a default track is also enabled.
        let flags = if self.first { 3 } else { 2 };
        put_full(out, *b"tkhd", 1, flags, |out| {
            out.put_bytes(0, 16);
            out.put_u32(self.id);
            out.put_u32(0);
            out.put_u64(if self.whole { self.end() } else { 0 });
            out.put_bytes(0, 8);
            out.put_u16(0);
            let audio = matches!(self.kind, Kind::Audio(_));
            // Audio tracks are alternatives to each other.
            out.put_u16(u16::from(audio));
            out.put_u16(if audio { 0x0100 } else { 0 });
            out.put_u16(0);
            let (width, height, rotation) = match self.kind {
                Kind::Video(video, _) => {
                    let size = video.stretched_size();
                    (size.width, size.height, video.rotation)
                }
                Kind::Audio(_) | Kind::Chapters => (0, 0, Rotation::None),
            };
            let (width, height) = (width << 16, height << 16);
            put_rotation(out, rotation, (width, height));
            out.put_u32(width);
            out.put_u32(height);
        });
    }

    fn media(&self, out: &mut BytesMut) {
        put_full(out, *b"mdhd", 1, 0, |out| {
            out.put_bytes(0, 16);
            out.put_u32(self.table.timescale);
            let duration = self.table.duration() + u64::from(self.table.overhang);
            out.put_u64(if self.whole { duration } else { 0 });
            let language = match self.kind {
                Kind::Audio(audio) => audio.language,
                Kind::Video(..) | Kind::Chapters => None,
            };
            out.put_u16(packed_language(language.unwrap_or(*b"und")));
            out.put_u16(0);
        });
        let (handler, name): (&Name, &str) = match self.kind {
            Kind::Video(..) => (b"vide", VIDEO_TRACK_NAME),
            Kind::Audio(audio) if audio.name.is_empty() => (b"soun", AUDIO_TRACK_NAME),
            Kind::Audio(audio) => (b"soun", &audio.name),
            Kind::Chapters => (b"text", CHAPTER_TRACK_NAME),
        };
        put_full(out, *b"hdlr", 0, 0, |out| {
            out.put_u32(0);
            out.put_slice(handler);
            out.put_bytes(0, 12);
            out.put_slice(name.as_bytes());
            out.put_u8(0);
        });
        put_box(out, *b"minf", |out| {
            match self.kind {
                Kind::Video(..) => put_full(out, *b"vmhd", 0, 1, |out| out.put_bytes(0, 8)),
                Kind::Audio(_) => put_full(out, *b"smhd", 0, 0, |out| out.put_u32(0)),
                Kind::Chapters => chapters::put_header(out),
            }
            put_box(out, *b"dinf", |out| {
                put_full(out, *b"dref", 0, 0, |out| {
                    out.put_u32(1);
                    // The media is in this file.
                    put_full(out, *b"url ", 0, 1, |_| ());
                });
            });
            put_box(out, *b"stbl", |out| {
                put_full(out, *b"stsd", 0, 0, |out| {
                    out.put_u32(1);
                    match self.kind {
                        Kind::Video(video, colors) => put_video(out, video, colors),
                        Kind::Audio(audio) => put_audio(out, &audio.config),
                        Kind::Chapters => chapters::put_description(out),
                    }
                });
                if self.whole {
                    self.table.write(out);
                } else {
                    Table::write_empty(out);
                }
            });
        });
    }
}

/// Packs the letters of a language (§8.4.2.3).
fn packed_language(letters: [u8; 3]) -> u16 {
    letters.iter().fold(0, |packed, letter| packed << 5 | u16::from(letter & 0x1F))
}

/// Reads the language of a track.
pub(super) fn language(mdia: &[u8]) -> Option<[u8; 3]> {
    let (version, mut fields) = Fields::after_dates(child(mdia, *b"mdhd")?)?;
    let (_timescale, _duration) = (fields.u32()?, fields.long(version)?);
    let packed = fields.u16()?;
    container::language(&[10, 5, 0].map(|shift| (packed >> shift & 0x1F) as u8 | 0x60))
}

/// Returns the coefficients a, b, c and d of a track's matrix (§8.3.2), which moves a pixel (x, y) to
/// (ax + cy + tx, bx + dy + ty).
const fn coefficients(rotation: Rotation) -> [i32; 4] {
    match rotation {
        Rotation::None => [1, 0, 0, 1],
        Rotation::Right => [0, 1, -1, 0],
        Rotation::Half => [-1, 0, 0, -1],
        Rotation::Left => [0, -1, 1, 0],
        Rotation::Mirrored => [-1, 0, 0, 1],
        Rotation::MirroredRight => [0, -1, -1, 0],
        Rotation::MirroredHalf => [1, 0, 0, -1],
        Rotation::MirroredLeft => [0, 1, 1, 0],
    }
}

/// Writes the matrix of a track whose frames have this size, in 16.16 fixed point.
fn put_rotation(out: &mut BytesMut, rotation: Rotation, (width, height): (u32, u32)) {
    let [a, b, c, d] = coefficients(rotation).map(|sign| (sign << 16).cast_unsigned());
    let (tx, ty) = match rotation {
        Rotation::None | Rotation::MirroredLeft => (0, 0),
        Rotation::Right => (height, 0),
        Rotation::Half => (width, height),
        Rotation::Left => (0, width),
        Rotation::Mirrored => (width, 0),
        Rotation::MirroredRight => (height, width),
        Rotation::MirroredHalf => (0, height),
    };
    for value in [a, b, 0, c, d, 0, tx, ty, 0x4000_0000] {
        out.put_u32(value);
    }
}

/// Reads the rotation of a track from its matrix, if it is one of the eight orientations.
pub(super) fn rotation(trak: &[u8]) -> Option<Rotation> {
    let (version, mut fields) = Fields::after_dates(child(trak, *b"tkhd")?)?;
    let (_track_id, _, _duration) = (fields.u32()?, fields.u32()?, fields.long(version)?);
    // The fields up to the matrix.
    fields.bytes(16)?;
    let (a, b, _) = (fields.u32()?, fields.u32()?, fields.u32()?);
    let (c, d) = (fields.u32()?, fields.u32()?);
    let signs = [a, b, c, d].map(|value| value.cast_signed().signum());
    Rotation::orientations().find(|rotation| coefficients(*rotation) == signs)
}

/// Returns the types of the video sample entry and of its configuration box.
fn video_names(video: &VideoConfig) -> (&'static Name, &'static Name) {
    match video.codec {
        // Parameter sets that are not in the configuration are in the stream.
        VideoCodec::Hevc if video.codec_config.get(22).is_none_or(|arrays| *arrays == 0) => {
            (b"hev1", b"hvcC")
        }
        VideoCodec::Hevc => (b"hvc1", b"hvcC"),
        VideoCodec::Av1 => (b"av01", b"av1C"),
        VideoCodec::Vp9 => (b"vp09", b"vpcC"),
        _ => (b"avc1", b"avcC"),
    }
}

fn put_video(out: &mut BytesMut, video: &VideoConfig, colors: &Colors) {
    let (name, config) = video_names(video);
    put_box(out, *name, |out| {
        out.put_bytes(0, 6);
        out.put_u16(1);
        out.put_bytes(0, 16);
        out.put_u16(u16::try_from(video.size.width).unwrap_or(u16::MAX));
        out.put_u16(u16::try_from(video.size.height).unwrap_or(u16::MAX));
        // 72 dpi in both directions.
        out.put_u32(0x48_0000);
        out.put_u32(0x48_0000);
        out.put_u32(0);
        out.put_u16(1);
        out.put_bytes(0, 32);
        out.put_u16(0x18);
        out.put_i16(-1);
        put_box(out, *config, |out| {
            // Some configs lack version and flags.
            if video.codec == VideoCodec::Vp9 && !video.codec_config.starts_with(&[1, 0, 0, 0]) {
                out.put_slice(&[1, 0, 0, 0]);
            }
            out.put_slice(&video.codec_config);
        });
        put_pixel_aspect(out, video.pixel_aspect);
        put_colors(out, colors);
    });
}

/// Returns the type of the audio sample entry.
fn audio_name(codec: AudioCodec) -> Name {
    match codec {
        AudioCodec::Opus => *b"Opus",
        AudioCodec::Flac => *b"fLaC",
        AudioCodec::Ac3 => *b"ac-3",
        AudioCodec::Eac3 => *b"ec-3",
        _ => *b"mp4a",
    }
}

/// Returns the number of bits per sample. FLAC declares it in its configuration (RFC 9639 §8.2).
fn sample_bits(audio: &AudioConfig) -> u16 {
    match audio.codec_config.get(12..14) {
        Some([high, low]) if audio.codec == AudioCodec::Flac => {
            (u16::from(high & 1) << 4 | u16::from(low >> 4)) + 1
        }
        _ => 16,
    }
}

fn put_audio(out: &mut BytesMut, audio: &AudioConfig) {
    put_box(out, audio_name(audio.codec), |out| {
        out.put_bytes(0, 6);
        out.put_u16(1);
        out.put_bytes(0, 8);
        out.put_u16(audio.channels);
        out.put_u16(sample_bits(audio));
        out.put_u32(0);
        let (_, rate) = audio_frame(audio);
        // 16.16 fixed point: larger rates are only in the configuration.
        out.put_u32(u16::try_from(rate).map_or(0, |rate| u32::from(rate) << 16));
        match audio.codec {
            AudioCodec::Opus => put_box(out, *b"dOps", |out| out.put_slice(&opus_box(audio))),
            AudioCodec::Flac => put_full(out, *b"dfLa", 0, 0, |out| {
                // The header of the last block (STREAMINFO), without the stream marker.
                out.put_slice(FLAC_STREAM_HEADER.get(4..).unwrap_or_default());
                out.put_slice(&audio.codec_config);
            }),
            AudioCodec::Ac3 => put_box(out, *b"dac3", |out| out.put_slice(&audio.codec_config)),
            AudioCodec::Eac3 => put_box(out, *b"dec3", |out| out.put_slice(&audio.codec_config)),
            _ => put_full(out, *b"esds", 0, 0, |out| out.put_slice(&es_descriptor(audio))),
        }
    });
}

/// Descriptor tags (ISO/IEC 14496-1 §7.2.2.1).
mod tag {
    pub(super) const ES: u8 = 3;
    pub(super) const DECODER_CONFIG: u8 = 4;
    pub(super) const DECODER_SPECIFIC: u8 = 5;
    pub(super) const SL_CONFIG: u8 = 6;
}

fn descriptor(tag: u8, content: &[u8]) -> Vec<u8> {
    // Four length bytes, as in most writers.
    let length = content.len();
    let mut out = vec![tag];
    out.extend([21, 14, 7].map(|shift| 0x80 | (length >> shift & 0x7F) as u8));
    out.push((length & 0x7F) as u8);
    out.extend_from_slice(content);
    out
}

fn es_descriptor(audio: &AudioConfig) -> Vec<u8> {
    // AAC or MPEG audio; stream type audio.
    let kind = if audio.codec == AudioCodec::Mp3 { 0x6B } else { 0x40 };
    let mut decoder = vec![kind, 0x15, 0, 0, 0];
    decoder.extend(audio.bitrate.0.to_be_bytes());
    decoder.extend(audio.bitrate.0.to_be_bytes());
    if audio.codec != AudioCodec::Mp3 {
        decoder.extend(descriptor(tag::DECODER_SPECIFIC, &audio.codec_config));
    }
    let mut es = vec![0, 0, 0];
    es.extend(descriptor(tag::DECODER_CONFIG, &decoder));
    es.extend(descriptor(tag::SL_CONFIG, &[2]));
    descriptor(tag::ES, &es)
}

/// A parsed sample description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TrackDescription {
    /// An `avcC` configuration with parameter sets.
    Avc(Bytes),
    /// Audio, and the type of its sample entry.
    Audio(AudioConfig, Name),
    /// Other video, with its configuration and the type of its sample entry. The configuration of
    /// H.264 is empty.
    Video(VideoCodec, (u16, u16), Bytes, Name),
    /// An unknown sample entry, with its type.
    Other(Name),
}

/// Reads the first entry of `stsd`, and the encryption of its samples. If the player has no key,
/// encrypted samples are not described further.
pub(super) fn describe(
    stsd: &[u8],
    has_key: bool,
) -> Option<(TrackDescription, Option<Protection>)> {
    let mut fields = Fields::after_version(stsd)?;
    fields.u32()?;
    let entry = crate::wire::container::mp4::boxes::boxes(fields.0).next()?;
    match encryption::unwrap(&entry).filter(|_| has_key) {
        Some((truth, Some(protection))) => Some((described(&truth)?, Some(protection))),
        _ => Some((described(&entry)?, None)),
    }
}

/// Returns the numbers, from 1, of the sample descriptions of a track whose decoder configuration
/// is not that of the first one.
pub(super) fn other_descriptions(stbl: &[u8]) -> Vec<u32> {
    let entries = child(stbl, *b"stsd").and_then(|stsd| stsd.get(8..)).unwrap_or_default();
    let entries = crate::wire::container::mp4::boxes::boxes(entries).take(MAX_DESCRIPTIONS);
    let mut all = (1..).zip(entries.map(|entry| described(&entry)));
    let first = all.next().map(|(_, first)| first);
    let others = all.filter(|(_, it)| Some(it) != first.as_ref());
    others.map(|(number, _)| number).collect()
}

fn described(entry: &BoxSpan<'_>) -> Option<TrackDescription> {
    match &entry.name {
        b"avc1" | b"avc3" => {
            let config = Bytes::copy_from_slice(child(entry.content.get(78..)?, *b"avcC")?);
            let parsed = DecoderConfig::parse(&config).ok();
            // All parameter sets can be in the stream. Their lengths then have four bytes.
            if parsed.is_some_and(|it| it.sps.is_empty() && it.length_size == 4) {
                let (codec, size) = (VideoCodec::H264, sides(entry)?);
                return Some(TrackDescription::Video(codec, size, Bytes::new(), entry.name));
            }
            Some(TrackDescription::Avc(config))
        }
        b"mp4a" => {
            let mut fields = Fields(entry.content);
            fields.bytes(8)?;
            // Audio descriptions of QuickTime are longer.
            let more = match fields.u16()? {
                0 => 0,
                1 => 16,
                _ => 36,
            };
            let esds = |from: usize| {
                let inner = entry.content.get(from..)?;
                child(inner, *b"esds").or_else(|| child(child(inner, *b"wave")?, *b"esds"))
            };
            // The ISO format also has a version 1, which is not longer.
            match specific_config(esds(28 + more).or_else(|| esds(28))?)? {
                Specific::Aac(config) => {
                    let config = Bytes::copy_from_slice(config);
                    let audio = aac_config_with_metadata(config, &Metadata::default())?;
                    Some(TrackDescription::Audio(audio, entry.name))
                }
                Specific::Mpeg => audio_entry(entry, AudioCodec::Mp3, Bytes::new()),
                Specific::Video(..) => Some(TrackDescription::Other(entry.name)),
            }
        }
        b".mp3" => audio_entry(entry, AudioCodec::Mp3, Bytes::new()),
        b"Opus" => {
            let inner = entry.content.get(28..)?;
            let mut fields = Fields(child(inner, *b"dOps")?);
            let (_version, channels) = (fields.u8()?, fields.u8()?);
            let (skip, rate, gain) = (fields.u16()?, fields.u32()?, fields.u16()?);
            // The same fields in Ogg's byte order (RFC 7845 §5.1).
            let mut head = BytesMut::from(&b"OpusHead\x01"[..]);
            head.put_u8(channels);
            head.put_u16_le(skip);
            head.put_u32_le(rate);
            head.put_u16_le(gain);
            head.put_slice(fields.0);
            audio_entry(entry, AudioCodec::Opus, head.freeze())
        }
        b"fLaC" => {
            let inner = entry.content.get(28..)?;
            let mut fields = Fields::after_version(child(inner, *b"dfLa")?)?;
            // A block header, then STREAMINFO.
            fields.u32()?;
            let info = Bytes::copy_from_slice(fields.bytes(34)?);
            audio_entry(entry, AudioCodec::Flac, info)
        }
        b"ac-3" => audio_entry(entry, AudioCodec::Ac3, Bytes::new()),
        b"ec-3" => audio_entry(entry, AudioCodec::Eac3, Bytes::new()),
        b"hvc1" | b"hev1" => video_entry(entry, VideoCodec::Hevc, b"hvcC"),
        b"vvc1" | b"vvi1" => video_entry(entry, VideoCodec::Vvc, b"vvcC"),
        b"av01" => video_entry(entry, VideoCodec::Av1, b"av1C"),
        b"vp09" => video_entry(entry, VideoCodec::Vp9, b"vpcC"),
        b"vp08" => video_entry(entry, VideoCodec::Vp8, b"vpcC"),
        b"mp4v" => {
            let inner = entry.content.get(78..)?;
            match specific_config(child(inner, *b"esds")?)? {
                Specific::Video(codec, config) => {
                    let config = Bytes::copy_from_slice(config);
                    Some(TrackDescription::Video(codec, sides(entry)?, config, entry.name))
                }
                _ => Some(TrackDescription::Other(entry.name)),
            }
        }
        name => match pcm::described(entry) {
            Some(found) => Some(TrackDescription::Audio(found.audio_config(), *name)),
            None => Some(TrackDescription::Other(*name)),
        },
    }
}

/// Reads width and height of a visual sample entry (ISO/IEC 14496-12 §12.1.3).
fn sides(entry: &BoxSpan<'_>) -> Option<(u16, u16)> {
    let mut fields = Fields(entry.content);
    fields.bytes(24)?;
    Some((fields.u16()?, fields.u16()?))
}

/// Reads a visual sample entry whose configuration is in a box with this name.
fn video_entry(entry: &BoxSpan<'_>, codec: VideoCodec, config: &Name) -> Option<TrackDescription> {
    let found = child(entry.content.get(78..)?, *config)?;
    Some(TrackDescription::Video(codec, sides(entry)?, Bytes::copy_from_slice(found), entry.name))
}

fn next_descriptor<'a>(fields: &mut Fields<'a>) -> Option<(u8, &'a [u8])> {
    let tag = fields.u8()?;
    let mut length = 0_usize;
    for _ in 0..4 {
        let byte = fields.u8()?;
        length = length << 7 | usize::from(byte & 0x7F);
        if byte & 0x80 == 0 {
            break;
        }
    }
    Some((tag, fields.bytes(length)?))
}

/// Reads an audio sample entry of a codec with this configuration.
fn audio_entry(entry: &BoxSpan<'_>, codec: AudioCodec, config: Bytes) -> Option<TrackDescription> {
    let mut fields = Fields(entry.content);
    fields.bytes(16)?;
    let channels = fields.u16()?;
    let audio = AudioInfo { sample_rate: sample_rate(entry)?, channels };
    Some(TrackDescription::Audio(audio.config(codec, config), entry.name))
}

/// Codec in an ES descriptor.
enum Specific<'a> {
    /// An AudioSpecificConfig.
    Aac(&'a [u8]),
    /// MPEG audio.
    Mpeg,
    /// Video, with its decoder configuration.
    Video(VideoCodec, &'a [u8]),
}

/// Reads the codec of the ES descriptor in `esds`, if known (ISO/IEC 14496-1 §7.2.6.6).
fn specific_config(esds: &[u8]) -> Option<Specific<'_>> {
    let mut fields = Fields::after_version(esds)?;
    let (tag::ES, es) = next_descriptor(&mut fields)? else { return None };
    let mut fields = Fields(es);
    fields.u16()?;
    let flags = fields.u8()?;
    if flags & 0x80 != 0 {
        fields.u16()?;
    }
    if flags & 0x40 != 0 {
        let length = fields.u8()?;
        fields.bytes(length.into())?;
    }
    if flags & 0x20 != 0 {
        fields.u16()?;
    }
    let (tag::DECODER_CONFIG, config) = next_descriptor(&mut fields)? else { return None };
    let mut fields = Fields(config);
    // MPEG-4 audio, or AAC by its MPEG-2 number.
    match fields.u8()? {
        0x40 | 0x66..=0x68 => {}
        0x69 | 0x6B => return Some(Specific::Mpeg),
        kind @ (0x20 | 0x60..=0x65 | 0x6A) => {
            let codec = if kind == 0x20 { VideoCodec::Mpeg4 } else { VideoCodec::Mpeg2 };
            let config = fields.bytes(12).and_then(|_| next_descriptor(&mut fields));
            let config = config.filter(|(its, _)| *its == tag::DECODER_SPECIFIC);
            return Some(Specific::Video(codec, config.map_or(&[], |(_, config)| config)));
        }
        _ => return None,
    }
    fields.bytes(12)?;
    match next_descriptor(&mut fields)? {
        (tag::DECODER_SPECIFIC, config) => Some(Specific::Aac(config)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::container::mp4::live::simulated::aac;
    use crate::wire::container::mp4::{Writer, index};
    use crate::wire::container::{Muxer, Tracks};

    #[test]
    fn a_copy_keeps_the_language_of_the_audio() {
        for language in [Some(*b"fra"), None] {
            let audio = AudioTrack { language, ..aac().into() };
            let file = Writer::new(Tracks { video: None, audio: vec![audio] }).begin();
            let copied = index(&mut &file[..]).unwrap().tracks.audio;
            assert_eq!(copied[0].language, language);
        }
    }

    #[test]
    fn the_sample_entry_of_flac_has_its_bits_per_sample() {
        let mut config = [0; 34];
        config[12..14].copy_from_slice(&[0x43, 0x70]);
        let audio = crate::wire::codec::AudioInfo { sample_rate: 48_000, channels: 2 };
        let of = |codec| sample_bits(&audio.config(codec, Bytes::copy_from_slice(&config)));
        assert_eq!((of(AudioCodec::Flac), of(AudioCodec::Aac)), (24, 16));
    }

    #[test]
    fn the_matrix_of_a_track_tells_its_rotation() {
        // As phones write it: 90° clockwise, the frame moved back by its height.
        let of = |matrix: [i32; 5]| {
            let fields = matrix.map(i32::to_be_bytes).concat();
            let tkhd = [&[0; 4 + 20 + 16][..], &fields[..]].concat();
            let mut trak = bytes::BytesMut::new();
            put_box(&mut trak, *b"tkhd", |out| out.extend_from_slice(&tkhd));
            rotation(&trak)
        };
        let one = 0x1_0000;
        assert_eq!(of([0, one, 0, -one, 0]), Some(Rotation::Right));
        assert_eq!(of([-one, 0, 0, 0, -one]), Some(Rotation::Half));
        assert_eq!(of([0, -one, 0, one, 0]), Some(Rotation::Left));
        assert_eq!(of([-one, 0, 0, 0, one]), Some(Rotation::Mirrored));
        assert_eq!(of([one, 0, 0, 0, -one]), Some(Rotation::MirroredHalf));
        assert_eq!(of([0, one, 0, one, 0]), Some(Rotation::MirroredLeft));
        assert_eq!(of([0, -one, 0, -one, 0]), Some(Rotation::MirroredRight));
        assert_eq!(of([one, one, 0, -one, one]), None, "an oblique frame");
    }
}
