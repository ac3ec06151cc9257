//! Tests of the media parsers with hostile bytes: FLV, transport streams, MP4 and Matroska, audio
//! files, playlists, parameter sets and codec configs. The input is the fuzz targets' corpus and a
//! few thousand mutations of it from a fixed seed.
//!
//! onair's own muxers and encoders make part of the corpus under `tests/data/corpus/`; run with
//! `ONAIR_WRITE_CORPUS=1` to write that part again. ffmpeg 5.1 made the transport streams, the
//! audio files and the other films.

#[path = "../fuzz/media_bodies.rs"]
mod bodies;

use std::fs;
use std::path::PathBuf;

use crate::random::Random;
use bytes::{Bytes, BytesMut};
use onair::base::Timestamp;
use onair::media::{
    AudioCodec, AudioConfig, BitsPerSecond, EncodedPacket, FrameRate, Rotation, Size, StreamConfig,
    StreamEvent, Track, VideoCodec, VideoConfig,
};
use onair::wire::bits::BitWriter;
use onair::wire::codec::aac::{AudioSpecificConfig, Extension, adts};
use onair::wire::codec::h264;
use onair::wire::codec::h264::DecoderConfig;
use onair::wire::container::flv::{TagKind, file_header, metadata, metadata_body, write_tag};
use onair::wire::container::{Format, Muxer, Tracks};
use onair::wire::container::{mkv, mp4};

/// Mutations per fuzz target.
const MUTATIONS: u32 = 5_000;

/// A Baseline SPS of this size.
fn sps(width_in_mbs: u32, height_in_mbs: u32) -> Vec<u8> {
    let mut writer = BitWriter::default();
    [0x67, 66, 0, 30].into_iter().for_each(|byte| writer.bits(8, byte));
    [0, 0, 2, 1].into_iter().for_each(|code| writer.ue(code));
    writer.flag(false);
    writer.ue(width_in_mbs - 1);
    writer.ue(height_in_mbs - 1);
    [true, true, false, false].into_iter().for_each(|flag| writer.flag(flag));
    writer.trailing_bits();
    h264::escape(&writer.into_bytes())
}

fn record() -> Bytes {
    let pps = Bytes::from_static(&[0x68, 0xCE, 0x3C, 0x80]);
    DecoderConfig::new(sps(80, 45).into(), pps).unwrap().build().unwrap()
}

fn header_seeds() -> Vec<Vec<u8>> {
    let config = AudioSpecificConfig::lc(48_000, 2).unwrap();
    let extension = Extension { sample_rate: 96_000, parametric_stereo: false, explicit: true };
    let extended = AudioSpecificConfig { extension: Some(extension), ..config };
    let annexb = [&[0, 0, 0, 1][..], &sps(4, 4), &[0, 0, 1, 0x65, 0x88, 0x84, 0, 9]].concat();
    let rich = h264::rewrite_sps_vui(
        &sps(120, 68),
        &h264::VuiChanges { no_reordering: true, ..Default::default() },
    );
    vec![
        sps(80, 45),
        rich.unwrap().to_vec(),
        record().to_vec(),
        annexb,
        config.build().unwrap().to_vec(),
        extended.build().unwrap().to_vec(),
        adts::header(&config, 9).unwrap().to_vec(),
        vec![0, 0, 0, 1, 0x65, 0, 0, 0, 2, 0x41, 9],
    ]
}

fn flv_seeds() -> Vec<Vec<u8>> {
    let mut file = BytesMut::from(&[61][..]);
    file.extend_from_slice(&file_header(true, true));
    let value = metadata(&StreamConfig::default());
    write_tag(TagKind::Script, 0, &metadata_body(&value), &mut file);
    let config = [&[0x17, 0, 0, 0, 0][..], &record()].concat();
    let bodies: [(TagKind, &[u8]); 8] = [
        (TagKind::Video, &config),
        (TagKind::Audio, &[0xAF, 0, 0x11, 0x90]),
        (TagKind::Video, &[0x17, 1, 0, 0, 9, 0, 0, 0, 1, 0x65]),
        (TagKind::Audio, &[0xAF, 1, 9]),
        (TagKind::Video, b"\x97\x02\x07\xA1\x20\x01av01\x05"),
        (TagKind::Video, b"\x96\x20av01\x00\x00\x00\x01\x0Avp09\x03\x00\x00\x02\x0B\x0C"),
        (TagKind::Audio, b"\x94Opus\x01\x02\x00\x00\x00\x03"),
        (TagKind::Audio, b"\x95\x00ac-3\x01"),
    ];
    for (at, (kind, body)) in bodies.into_iter().enumerate() {
        write_tag(kind, at as u32 * 0x0100_0001, body, &mut file);
    }
    vec![file.to_vec(), file[..200].to_vec()]
}

/// Half a second of video and audio, or of audio alone, in fragments or clusters; `finished` adds
/// an index.
fn film(format: Format, pictures: bool, finished: bool) -> Vec<u8> {
    let config = AudioSpecificConfig::lc(48_000, 2).unwrap().build().unwrap();
    let audio = AudioConfig {
        codec: AudioCodec::Aac,
        sample_rate: 48_000,
        channels: 2,
        bitrate: BitsPerSecond(128_000),
        codec_config: config,
    };
    let video = VideoConfig {
        codec: VideoCodec::H264,
        size: Size::new(1_280, 720),
        frame_rate: FrameRate::FPS_30,
        bitrate: BitsPerSecond(0),
        codec_config: record(),
        pixel_aspect: None,
        rotation: Rotation::None,
    };
    let tracks = Tracks { video: pictures.then_some(video), audio: vec![audio.into()] };
    let mut muxer: Box<dyn Muxer> = match format {
        Format::Mp4 => Box::new(mp4::Writer::new(tracks)),
        _ => Box::new(mkv::Writer::new(tracks)),
    };
    let mut file = muxer.begin().to_vec();
    for number in 0..24_i64 {
        let at = Timestamp::from_micros(number * 1_024_000_000 / 48_000);
        let mut write = |track, keyframe, data| {
            let packet = EncodedPacket::received(track, (at, at), keyframe, data);
            muxer.write(&StreamEvent::Packet(packet));
        };
        if pictures && number % 2 == 0 {
            let keyframe = number % 8 == 0;
            let data = Bytes::from(vec![0, 0, 0, 3, if keyframe { 0x65 } else { 0x41 }, 9, 9]);
            write(Track::Video, keyframe, data);
        }
        write(Track::Audio, true, vec![number as u8; 5].into());
        if number % 8 == 7 {
            file.extend(muxer.flush(file.len() as u64).append);
            muxer.commit();
        }
    }
    if finished {
        let piece = muxer.finish(file.len() as u64, Timestamp::from_millis(512));
        file.extend(piece.append);
        for (at, bytes) in piece.patches {
            file[at as usize..at as usize + bytes.len()].copy_from_slice(&bytes);
        }
    }
    file
}

/// Each seed: how the file is cut, what length its server claims, where else it is probed, and then
/// the file.
fn film_seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for (number, format) in [Format::Mp4, Format::Mkv].into_iter().enumerate() {
        for (pictures, finished) in [(true, true), (true, false), (false, true), (false, false)] {
            let longer = [0, 150, 200][seeds.len() % 3];
            let head = [37 + number as u8, longer, 99];
            seeds.push([&head[..], &film(format, pictures, finished)].concat());
        }
    }
    seeds
}

impl Random {
    fn mutate(&mut self, base: &[u8], other: &[u8]) -> Vec<u8> {
        let mut bytes = base.to_vec();
        for _ in 0..=self.below(5) {
            let at = self.below(bytes.len());
            let end = (at + self.below(30)).min(bytes.len());
            match self.below(6) {
                0 if at < bytes.len() => bytes[at] = self.below(256) as u8,
                1 if at < bytes.len() => bytes[at] ^= 1 << self.below(8),
                2 => bytes.truncate(at),
                3 => drop(bytes.drain(at..end)),
                4 => bytes[at..end].fill([0, 3, 0x80, 0xFF][self.below(4)]),
                _ => {
                    let from = self.below(other.len());
                    let to = (from + self.below(60)).min(other.len());
                    bytes.splice(at..at, other[from..to].iter().copied());
                }
            }
        }
        bytes
    }
}

fn replay(target: &str, seeds: &[Vec<u8>], body: fn(&[u8]) -> bool) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/corpus").join(target);
    if std::env::var_os("ONAIR_WRITE_CORPUS").is_some() {
        fs::create_dir_all(&folder).unwrap();
        for (at, seed) in seeds.iter().enumerate() {
            fs::write(folder.join(format!("made-{at:02}")), seed).unwrap();
        }
    }
    let mut files: Vec<_> =
        fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= seeds.len(), "{} lacks seeds", folder.display());
    let inputs: Vec<Vec<u8>> = files.iter().map(|file| fs::read(file).unwrap()).collect();
    let mut random = Random(0x5EED);
    let parsed = inputs.iter().filter(|input| body(input)).count();
    assert!(parsed > 0, "no input in {} passes the first parser", folder.display());
    for _ in 0..MUTATIONS {
        let base = &inputs[random.below(inputs.len())];
        let other = &inputs[random.below(inputs.len())];
        body(&random.mutate(base, other));
    }
}

#[test]
fn flv_files() {
    replay("flv", &flv_seeds(), bodies::flv);
}

#[test]
fn headers() {
    replay("sps", &header_seeds(), bodies::sps);
}

#[test]
fn transport_streams() {
    replay("ts", &[], bodies::ts);
}

#[test]
fn hostile_video_files() {
    replay("film", &film_seeds(), bodies::film);
}

#[test]
fn playlists() {
    replay("hls", &[], bodies::hls);
}

#[test]
fn hostile_audio_files() {
    replay("sound", &[], bodies::sound);
}
