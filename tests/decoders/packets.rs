//! Reads the tracks and packets of test files in each container format.

use std::path::Path;

use bytes::Bytes;
use onair::base::Timestamp;
use onair::decode;
use onair::media::{
    AudioCodec, AudioConfig, BitsPerSecond, EncodedPacket, FrameRate, Rotation, Size, Track,
    VideoCodec, VideoConfig, VideoFrame,
};
use onair::wire::container::flv::audio::AudioPacket;
use onair::wire::container::flv::video::VideoPacket;
use onair::wire::container::flv::{Demuxer, FrameType, TagKind, parse_audio, parse_video};
use onair::wire::container::ts;
use onair::wire::container::ts::{Codec, Event};
use onair::wire::container::{Format, Index, ReadAt, TrackId, mkv, mp4};

/// The tracks and packets of a file.
pub struct Film {
    pub video: Option<VideoConfig>,
    pub audio: Option<AudioConfig>,
    pub packets: Vec<EncodedPacket>,
}

fn packet(
    track: Track,
    dts: Timestamp,
    pts: Timestamp,
    keyframe: bool,
    data: Bytes,
) -> EncodedPacket {
    EncodedPacket::received(track, (dts, pts), keyframe, data)
}

/// Reads the file with onair's demuxers.
pub fn read(path: &Path) -> Film {
    let data = std::fs::read(path).unwrap();
    if path.extension().is_some_and(|it| it == "ts") {
        return read_ts(&data);
    }
    let mut source = &data[..];
    let Index { tracks, samples, .. } = match Format::of_path(path).unwrap() {
        Format::Flv => return read_flv(&data),
        Format::Mp4 => mp4::index_to_play(&mut source).unwrap(),
        Format::Mkv => mkv::index_to_play(&mut source).unwrap(),
    };
    let packets = samples.iter().map(|place| {
        let mut data = vec![0; place.size as usize];
        source.read_at(place.at, &mut data).unwrap();
        let track = if place.track == TrackId::Video { Track::Video } else { Track::Audio };
        packet(track, place.dts, place.pts, place.keyframe, data.into())
    });
    let packets = packets.collect();
    let audio = tracks.audio.into_iter().next().map(|track| track.config);
    Film { video: tracks.video, audio, packets }
}

fn read_ts(data: &[u8]) -> Film {
    let mut film = Film { video: None, audio: None, packets: Vec::new() };
    let mut take = |event| match event {
        Event::VideoConfig { config, .. } => {
            film.video = Some(VideoConfig {
                codec: VideoCodec::Hevc,
                size: Size::new(0, 0),
                frame_rate: FrameRate::FPS_30,
                bitrate: BitsPerSecond(0),
                codec_config: config,
                pixel_aspect: None,
                rotation: Rotation::None,
            });
        }
        Event::Video { dts, pts, keyframe, data, .. } => {
            let [dts, pts] = [dts, pts].map(|ticks| Timestamp::from_micros(ticks * 100 / 9));
            film.packets.push(packet(Track::Video, dts, pts, keyframe, data));
        }
        Event::Audio { codec, pts, data } => {
            let codec = if codec == Codec::Ac3 { AudioCodec::Ac3 } else { AudioCodec::Eac3 };
            film.audio = Some(AudioConfig {
                codec,
                sample_rate: 48_000,
                channels: 2,
                bitrate: BitsPerSecond(0),
                codec_config: Bytes::new(),
            });
            let at = Timestamp::from_micros(pts * 100 / 9);
            film.packets.push(packet(Track::Audio, at, at, true, data));
        }
        _ => {}
    };
    let mut demuxer = ts::Demuxer::new();
    demuxer.push(data, &mut take);
    demuxer.finish(&mut take);
    film
}

fn read_flv(data: &[u8]) -> Film {
    let mut demuxer = Demuxer::new();
    demuxer.push(data);
    let mut film = Film { video: None, audio: None, packets: Vec::new() };
    while let Some(tag) = demuxer.next_tag().unwrap() {
        let at = Timestamp::from_millis(tag.time_ms.into());
        match tag.kind {
            TagKind::Video => {
                let body = parse_video(&tag.body).unwrap();
                let codec = body.track.format.codec().unwrap();
                let VideoPacket::Frame { data, .. } = body.track.packet else { continue };
                if data.is_empty() {
                    continue;
                }
                film.video.get_or_insert(VideoConfig {
                    codec,
                    size: Size::new(0, 0),
                    frame_rate: FrameRate::FPS_30,
                    bitrate: BitsPerSecond(0),
                    codec_config: Bytes::new(),
                    pixel_aspect: None,
                    rotation: Rotation::None,
                });
                let key = body.frame_type == FrameType::Key;
                film.packets.push(packet(Track::Video, at, at, key, data));
            }
            TagKind::Audio => {
                let body = parse_audio(&tag.body).unwrap();
                let AudioPacket::Frame(data) = body.track.packet else { continue };
                let legacy = body.legacy.unwrap();
                let codec = match tag.body[0] >> 4 {
                    1 => AudioCodec::AdpcmSwf,
                    4..=6 => AudioCodec::Nellymoser,
                    _ => AudioCodec::Speex,
                };
                let mono = codec != AudioCodec::AdpcmSwf;
                film.audio.get_or_insert(AudioConfig {
                    codec,
                    sample_rate: legacy.sample_rate,
                    channels: if mono { 1 } else { legacy.channels },
                    bitrate: BitsPerSecond(0),
                    codec_config: Bytes::new(),
                });
                film.packets.push(packet(Track::Audio, at, at, true, data));
            }
            TagKind::Script => {}
        }
    }
    film
}

impl Film {
    /// Returns the packets of one track.
    pub fn of(&self, track: Track) -> impl Iterator<Item = &EncodedPacket> {
        self.packets.iter().filter(move |packet| packet.track == track)
    }

    /// Returns the frames that onair decodes.
    pub fn pictures(&self) -> Vec<VideoFrame> {
        let mut decoder = decode::open_video(self.video.as_ref().unwrap()).unwrap();
        let mut frames = Vec::new();
        for packet in self.of(Track::Video) {
            frames.extend(decoder.decode(packet).unwrap());
        }
        frames.extend(decoder.flush());
        frames
    }
}
