//! Elements before the clusters: the EBML header, `SeekHead`, `Info`, `Tracks` and `Chapters`.

use bytes::{BufMut, Bytes, BytesMut};

use crate::base::Timestamp;
use crate::media::{AudioCodec, Rotation};
use crate::wire::codec::Colors;
use crate::wire::container::mkv::codecs::{
    RECTANGULAR, audio_entry, put_colors, put_displayed_size, roll, video_entry,
};
use crate::wire::container::mkv::ebml::{
    id, put_binary, put_float, put_id, put_long, put_master, put_uint, put_void,
};
use crate::wire::container::{Chapter, TrackId, Tracks, audio_frame};

/// Nanoseconds per tick.
pub(super) const TICK_NANOS: u64 = 1_000_000;
/// Number of bytes that are reserved for `SeekHead` with all its entries.
pub(super) const RESERVED_SEEK_HEAD_BYTES: usize = 128;
/// Length in bytes of the `Duration` element, and of the Void element that reserves space for it.
pub(super) const DURATION_ELEMENT_BYTES: usize = 11;
/// Number of bytes that are reserved for chapters while the file is written.
pub(super) const RESERVED_CHAPTER_BYTES: usize = 8 << 10;

pub(super) const TYPE_VIDEO: u64 = 1;
pub(super) const TYPE_AUDIO: u64 = 2;
pub(super) const TYPE_SUBTITLE: u64 = 17;
/// Pre-roll of an Opus decoder before a seek position (RFC 7845 §4.6).
const OPUS_PRE_ROLL_NANOS: u64 = 80_000_000;

pub(super) fn put_ebml(out: &mut BytesMut) {
    put_master(out, id::EBML, |out| {
        put_uint(out, id::EBML_VERSION, 1);
        put_uint(out, id::EBML_READ_VERSION, 1);
        put_uint(out, id::EBML_MAX_ID_LENGTH, 4);
        put_uint(out, id::EBML_MAX_SIZE_LENGTH, 8);
        put_binary(out, id::DOC_TYPE, b"matroska");
        put_uint(out, id::DOC_TYPE_VERSION, 4);
        put_uint(out, id::DOC_TYPE_READ_VERSION, 2);
    });
}

/// Makes `SeekHead` with these positions (relative to the segment's content), padded to its
/// reserved size.
pub(super) fn seek_head(places: &[(u32, u64)]) -> Bytes {
    let mut out = BytesMut::new();
    put_master(&mut out, id::SEEK_HEAD, |out| {
        for (id, at) in places {
            put_master(out, id::SEEK, |out| {
                put_id(out, id::SEEK_ID);
                out.put_u8(0x84);
                out.put_u32(*id);
                put_long(out, id::SEEK_POSITION, *at);
            });
        }
    });
    let rest = RESERVED_SEEK_HEAD_BYTES.saturating_sub(out.len());
    put_void(&mut out, rest.max(2));
    out.freeze()
}

/// Makes `Info`, and returns it with the position of the duration in it.
pub(super) fn info() -> (Bytes, usize) {
    let app = concat!("onair ", env!("CARGO_PKG_VERSION"));
    let mut inner = BytesMut::new();
    put_uint(&mut inner, id::TIMESTAMP_SCALE, TICK_NANOS);
    let at = inner.len();
    put_void(&mut inner, DURATION_ELEMENT_BYTES);
    put_binary(&mut inner, id::MUXING_APP, app.as_bytes());
    put_binary(&mut inner, id::WRITING_APP, app.as_bytes());
    let mut out = BytesMut::new();
    put_binary(&mut out, id::INFO, &inner);
    let at = out.len() - inner.len() + at;
    (out.freeze(), at)
}

/// Returns the `Duration` element.
pub(super) fn duration(end: Timestamp) -> Bytes {
    let mut out = BytesMut::new();
    put_float(&mut out, id::DURATION, end.as_micros().max(0) as f64 / 1_000.0);
    out.freeze()
}

/// Returns the number of a track in the file, counted from 1.
pub(super) fn number(tracks: &Tracks, track: TrackId) -> Option<u8> {
    let place = tracks.ids().position(|id| id == track)?;
    u8::try_from(place + 1).ok()
}

/// Writes `Tracks`; `delays` are the codec delays of the audio tracks.
pub(super) fn put_tracks(out: &mut BytesMut, tracks: &Tracks, colors: &Colors, delays: &[u64]) {
    put_master(out, id::TRACKS, |out| {
        for (number, track) in (1_u64..).zip(tracks.ids()) {
            let delay = match track {
                TrackId::Video => 0,
                TrackId::Audio(index) => delays.get(usize::from(index)).copied().unwrap_or(0),
            };
            put_master(out, id::TRACK_ENTRY, |out| {
                put_track(out, tracks, colors, (track, number), delay);
            });
        }
    });
}

fn put_track(
    out: &mut BytesMut,
    tracks: &Tracks,
    colors: &Colors,
    (track, number): (TrackId, u64),
    delay_nanos: u64,
) {
    put_uint(out, id::TRACK_NUMBER, number);
    put_uint(out, id::TRACK_UID, number);
    put_uint(out, id::FLAG_LACING, 0);
    let language = match track {
        TrackId::Video => None,
        TrackId::Audio(index) => tracks.audio.get(usize::from(index)).and_then(|it| it.language),
    };
    put_binary(out, id::LANGUAGE, &language.unwrap_or(*b"und"));
    match track {
        TrackId::Video => {
            let Some(video) = &tracks.video else { return };
            put_uint(out, id::TRACK_TYPE, TYPE_VIDEO);
            let Some((codec, config)) = video_entry(video) else { return };
            put_binary(out, id::CODEC_ID, codec.as_bytes());
            if !config.is_empty() {
                put_binary(out, id::CODEC_PRIVATE, &config);
            }
            let rate = video.frame_rate;
            let nanos = 1_000_000_000 * u64::from(rate.den()) / u64::from(rate.num());
            put_uint(out, id::DEFAULT_DURATION, nanos);
            put_master(out, id::VIDEO, |out| {
                put_uint(out, id::PIXEL_WIDTH, video.size.width.into());
                put_uint(out, id::PIXEL_HEIGHT, video.size.height.into());
                put_displayed_size(out, video);
                put_colors(out, colors);
                if video.rotation != Rotation::None {
                    put_master(out, id::PROJECTION, |out| {
                        put_uint(out, id::PROJECTION_TYPE, RECTANGULAR);
                        if video.rotation.is_mirrored() {
                            put_float(out, id::PROJECTION_POSE_YAW, 180.0);
                        }
                        put_float(out, id::PROJECTION_POSE_ROLL, roll(video.rotation).into());
                    });
                }
            });
        }
        TrackId::Audio(index) => {
            let Some(audio) = tracks.audio.get(usize::from(index)) else { return };
            put_uint(out, id::TRACK_TYPE, TYPE_AUDIO);
            put_uint(out, id::FLAG_DEFAULT, u64::from(index == 0));
            if !audio.name.is_empty() {
                put_binary(out, id::NAME, audio.name.as_bytes());
            }
            let audio = &audio.config;
            let Some((codec, config)) = audio_entry(audio) else { return };
            put_binary(out, id::CODEC_ID, codec.as_bytes());
            if !config.is_empty() {
                put_binary(out, id::CODEC_PRIVATE, &config);
            }
            if delay_nanos > 0 {
                put_uint(out, id::CODEC_DELAY, delay_nanos);
            }
            if audio.codec == AudioCodec::Opus {
                put_uint(out, id::SEEK_PRE_ROLL, OPUS_PRE_ROLL_NANOS);
            }
            put_master(out, id::AUDIO, |out| {
                let (_, core) = audio_frame(audio);
                put_float(out, id::SAMPLING_FREQUENCY, core.into());
                if core != audio.sample_rate {
                    put_float(out, id::OUTPUT_SAMPLING_FREQUENCY, audio.sample_rate.into());
                }
                put_uint(out, id::CHANNELS, audio.channels.into());
            });
        }
    }
}

/// Returns the `Chapters` element.
pub(super) fn chapters(chapters: &[Chapter]) -> BytesMut {
    let mut out = BytesMut::new();
    put_master(&mut out, id::CHAPTERS, |out| {
        put_master(out, id::EDITION_ENTRY, |out| {
            for (uid, chapter) in (1..).zip(chapters) {
                put_master(out, id::CHAPTER_ATOM, |out| {
                    put_uint(out, id::CHAPTER_UID, uid);
                    let nanos = chapter.at.as_micros().max(0).unsigned_abs().saturating_mul(1_000);
                    put_uint(out, id::CHAPTER_TIME_START, nanos);
                    put_master(out, id::CHAPTER_DISPLAY, |out| {
                        put_binary(out, id::CHAP_STRING, chapter.title.as_bytes());
                        put_binary(out, id::CHAP_LANGUAGE, b"und");
                    });
                });
            }
        });
    });
    out
}
