//! Segments of a live stream (ISO/IEC 23000-19, CMAF): the initialization segment, and chunks of
//! one track each. Concatenated chunks of several tracks form a segment of all these tracks. This
//! module has no I/O.

use bytes::{BufMut, Bytes, BytesMut};

use crate::media::{AudioCodec, AudioConfig, VideoCodec};
use crate::wire::container::mp4::boxes::put_box;
use crate::wire::container::mp4::fragment::{SampleRun, moof};
use crate::wire::container::mp4::sample_table::Entry;
use crate::wire::container::mp4::writer::{self, Writer};
use crate::wire::container::{AudioTrack, Tracks, audio_frame};

/// Ticks per second of video.
pub const VIDEO_TIMESCALE: u32 = writer::MOVIE_TIMESCALE;
/// Track number of the video, or of the audio if there is no video.
pub const FIRST_TRACK_ID: u32 = 1;
/// Track number of the audio if there is video.
pub const SECOND_TRACK_ID: u32 = 2;

/// Returns the ticks per second of audio.
pub fn audio_timescale(audio: &AudioConfig) -> u32 {
    audio_frame(audio).1
}

/// Returns true if video of this codec can be sent in CMAF segments, and some browsers or players
/// support it.
pub const fn is_live_video(codec: VideoCodec) -> bool {
    matches!(codec, VideoCodec::H264 | VideoCodec::Hevc | VideoCodec::Av1 | VideoCodec::Vp9)
}

/// Returns true if audio of this codec can be sent in CMAF segments, and some browsers or players
/// support it.
pub const fn is_live_audio(codec: AudioCodec) -> bool {
    matches!(codec, AudioCodec::Aac | AudioCodec::Opus | AudioCodec::Flac | AudioCodec::Mp3)
}

/// Makes the initialization segment of these tracks. `first_track` is the number of the first one.
pub fn initialization(tracks: &Tracks, first_track: u32) -> Bytes {
    Writer::live(tracks.clone(), first_track.max(1)).initialization()
}

/// Returns the tracks of a stream with at most one of each kind.
pub fn tracks(video: Option<&crate::media::VideoConfig>, audio: Option<&AudioConfig>) -> Tracks {
    let audio = audio.cloned().map(AudioTrack::from);
    Tracks { video: video.cloned(), audio: audio.into_iter().collect() }
}

/// A sample of a chunk, with times in ticks of its track.
#[derive(Clone, Debug)]
pub struct ChunkSample {
    pub entry: Entry,
    pub data: Bytes,
}

/// The track of a chunk.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct ChunkTrack {
    pub number: u32,
    pub video: bool,
}

/// Makes a chunk of one track: `moof` and `mdat`. `last_duration` is the duration of the last
/// sample in ticks.
pub fn chunk(
    track: ChunkTrack,
    sequence: u32,
    samples: &[ChunkSample],
    last_duration: u32,
) -> Bytes {
    let entries: Vec<Entry> = samples.iter().map(|sample| sample.entry).collect();
    let ChunkTrack { number, video } = track;
    let run = [SampleRun { number, video, entries: &entries, last_duration }];
    let head = u32::try_from(moof(sequence, &run, 0).len() + 8).unwrap_or(u32::MAX);
    let size: usize = samples.iter().map(|sample| sample.data.len()).sum();
    let mut out = BytesMut::with_capacity(head as usize + size);
    out.put_slice(&moof(sequence, &run, head));
    put_box(&mut out, *b"mdat", |out| {
        samples.iter().for_each(|sample| out.put_slice(&sample.data));
    });
    out.freeze()
}

/// A track for tests.
#[cfg(any(test, feature = "test-support"))]
pub mod simulated {
    use bytes::Bytes;

    use crate::media::{AudioCodec, AudioConfig, BitsPerSecond};

    /// Returns the config of an AAC track.
    pub fn aac() -> AudioConfig {
        AudioConfig {
            codec: AudioCodec::Aac,
            sample_rate: 48_000,
            channels: 2,
            bitrate: BitsPerSecond(128_000),
            codec_config: Bytes::from_static(&[0x11, 0x90]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::container::mp4::boxes::{boxes, child};
    use crate::wire::container::mp4::index;
    use crate::wire::container::mp4::live::simulated::aac;

    #[test]
    fn pieces_behind_their_initialization_are_a_file() {
        let tracks = tracks(None, Some(&aac()));
        let mut file = BytesMut::from(&initialization(&tracks, FIRST_TRACK_ID)[..]);
        for part in 0..3_i64 {
            let samples: Vec<_> = (0..4_i64)
                .map(|at| {
                    let dts = 480_000 + (part * 4 + at) * 1_024;
                    let entry = Entry { dts, composition: 0, size: 3, keyframe: true };
                    ChunkSample { entry, data: Bytes::from_static(b"abc") }
                })
                .collect();
            let track = ChunkTrack { number: FIRST_TRACK_ID, video: false };
            file.put_slice(&chunk(track, part as u32 + 1, &samples, 1_024));
        }
        let names: Vec<_> = boxes(&file).map(|found| found.name).collect();
        assert_eq!(&names[..2], [*b"ftyp", *b"moov"]);
        assert_eq!(&names[2..4], [*b"moof", *b"mdat"]);
        let index = index(&mut &file[..]).unwrap();
        assert_eq!(index.samples.len(), 12);
        let dts: Vec<_> = index.samples.iter().map(|sample| sample.dts.as_millis()).collect();
        assert_eq!((dts[0], dts[11]), (10_000, 10_000 + 11 * 1_024 * 1_000 / 48_000));
        for sample in &index.samples {
            let at = sample.at as usize;
            assert_eq!(&file[at..at + sample.size as usize], b"abc");
        }
        // A player of a single track gets the same track number as in the whole stream.
        let second = initialization(&tracks, SECOND_TRACK_ID);
        let moov = child(&second, *b"moov").unwrap();
        let tkhd = child(child(moov, *b"trak").unwrap(), *b"tkhd").unwrap();
        assert_eq!(&tkhd[20..24], [0, 0, 0, 2]);
    }

    #[test]
    fn samples_after_an_empty_one_keep_their_times() {
        let tracks = tracks(None, Some(&aac()));
        let mut file = BytesMut::from(&initialization(&tracks, FIRST_TRACK_ID)[..]);
        let sample = |(at, data): (i64, &'static str)| {
            let size = data.len() as u32;
            let entry = Entry { dts: at * 48_000, composition: 0, size, keyframe: true };
            ChunkSample { entry, data: Bytes::from_static(data.as_bytes()) }
        };
        let samples: Vec<_> = [(0, "abc"), (1, ""), (2, "de")].map(sample).into();
        let track = ChunkTrack { number: FIRST_TRACK_ID, video: false };
        file.put_slice(&chunk(track, 1, &samples, 1_024));
        let index = index(&mut &file[..]).unwrap();
        let found = index.samples.iter().map(|it| (it.dts.as_millis(), it.size));
        assert_eq!(found.collect::<Vec<_>>(), [(0, 3), (2_000, 2)]);
        let last = index.samples[1];
        assert_eq!(&file[last.at as usize..last.at as usize + 2], b"de");
    }
}
