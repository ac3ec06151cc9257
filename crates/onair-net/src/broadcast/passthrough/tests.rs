//! Tests of sending files as streams.

use bytes::{Bytes, BytesMut};

use super::items::keep_carried;
use super::*;
use crate::broadcast::hub::backlog::Limits;
use crate::broadcast::hub::subscription::NextPacket;
use crate::media::{AudioCodec, FrameRate, PixelAspect, Rotation, Size, VideoCodec, VideoConfig};
use crate::wire::codec::AudioInfo;
use crate::wire::container::flv::{TagKind, file_header, write_tag};
use crate::wire::container::mp4::live::{initialization, tracks};
use crate::wire::container::track_config::bare_video_config;
use crate::wire::container::{
    self, AudioTrack, Index, SampleLocation, TrackId, Tracks, UnsupportedContent, unsupported,
};

/// Writes a file with AV1 and Opus, and three frames 40 ms apart. The file's end marker has time 0.
fn file(folder: &Path) -> PathBuf {
    let mut out = BytesMut::from(&file_header(true, true)[..]);
    write_tag(TagKind::Video, 1_000, b"\x90av01\x81\0\0\0", &mut out);
    write_tag(TagKind::Audio, 1_000, b"\x90OpusOpusHead", &mut out);
    for (at, first) in [(1_000, 0x91), (1_040, 0xA1), (1_080, 0xA1)] {
        write_tag(TagKind::Video, at, &[first, b'a', b'v', b'0', b'1', 7], &mut out);
        write_tag(TagKind::Audio, at, b"\x91Opus\x05", &mut out);
    }
    write_tag(TagKind::Video, 0, b"\x92av01", &mut out);
    let path = folder.join("film.flv");
    std::fs::write(&path, &out).unwrap();
    path
}

#[test]
fn a_file_is_sent_as_is_and_begins_again() {
    let folder = tempfile::tempdir().unwrap();
    let passthrough = PassthroughFile::open(&file(folder.path())).unwrap();
    assert_eq!(passthrough.head.config_bodies.len(), 2);
    assert!(passthrough.head.has_video);
    let showing = passthrough.show(true, Clock::start()).unwrap();
    let subscription = showing.hub.subscribe("test", Limits::LIVE);
    // Nothing is sent before a subscriber is present.
    assert!(matches!(subscription.next_timeout(POLL_INTERVAL * 3), NextPacket::Waiting));
    showing.projection.begin();
    let mut times = Vec::new();
    while times.len() < 7 {
        match subscription.next_timeout(Duration::from_secs(30)) {
            NextPacket::Tag(tag) if tag.track == Track::Video => {
                assert_eq!(tag.flv_body()[1..], *b"av01\x07");
                times.push((tag.dts.as_millis(), tag.keyframe));
            }
            NextPacket::Tag(_) => {}
            other => panic!("{other:?}"),
        }
    }
    let first = times[0].0;
    let times: Vec<_> = times.iter().map(|(at, key)| (at - first, *key)).collect();
    let round = 80 + LOOP_GAP_MS;
    let (a, b) = ([(0, true), (40, false), (80, false)], 2 * round);
    let second = a.map(|(at, key)| (at + round, key));
    assert_eq!(times, [&a[..], &second[..], &[(b, true)]].concat());
    showing.end(Duration::from_secs(30)).unwrap();
}

#[test]
fn a_file_with_a_single_frame_is_repeated_at_later_times() {
    let folder = tempfile::tempdir().unwrap();
    let mut out = BytesMut::from(&file_header(false, true)[..]);
    write_tag(TagKind::Video, 0, b"\x90av01\x81\0\0\0", &mut out);
    write_tag(TagKind::Video, 0, b"\x91av01\x07", &mut out);
    let path = folder.path().join("slate.flv");
    std::fs::write(&path, &out).unwrap();
    let showing = PassthroughFile::open(&path).unwrap().show(true, Clock::start()).unwrap();
    let subscription = showing.hub.subscribe("test", Limits::LIVE);
    showing.projection.begin();
    let mut times = Vec::new();
    while times.len() < 4 {
        match subscription.next_timeout(Duration::from_secs(30)) {
            NextPacket::Tag(tag) => times.push(tag.dts.as_millis()),
            other => panic!("{other:?}"),
        }
    }
    let steps: Vec<_> = times.windows(2).map(|two| two[1] - two[0]).collect();
    assert_eq!(steps, [LOOP_GAP_MS; 3]);
    showing.end(Duration::from_secs(30)).unwrap();
}

#[test]
fn a_config_of_the_beginning_is_sent_again_after_another_one() {
    let folder = tempfile::tempdir().unwrap();
    let mut out = BytesMut::from(&file_header(true, true)[..]);
    let (first, second) = (b"\x90av01\x81\0\0\0", b"\x90av01\x81\x01\0\0");
    write_tag(TagKind::Video, 0, first, &mut out);
    write_tag(TagKind::Audio, 0, b"\x90OpusOpusHead", &mut out);
    write_tag(TagKind::Video, 1_000, b"\x91av01\x07", &mut out);
    write_tag(TagKind::Audio, 1_000, b"\x91Opus\x05", &mut out);
    write_tag(TagKind::Video, 1_040, second, &mut out);
    write_tag(TagKind::Video, 1_040, b"\x91av01\x08", &mut out);
    let path = folder.path().join("film.flv");
    std::fs::write(&path, &out).unwrap();
    let showing = PassthroughFile::open(&path).unwrap().show(true, Clock::start()).unwrap();
    let subscription = showing.hub.subscribe("test", Limits::LIVE);
    showing.projection.begin();
    let mut sent = Vec::new();
    while sent.len() < 6 {
        match subscription.next_timeout(Duration::from_secs(30)) {
            NextPacket::Tag(tag) if tag.track == Track::Video => sent.push(tag),
            NextPacket::Tag(_) => {}
            other => panic!("{other:?}"),
        }
    }
    // A target that begins at one of these packets needs its configs.
    let configs = |number: usize| sent[number].configurations.clone().map(|it| it.to_vec());
    let audio = (Track::Audio, Bytes::from_static(b"\x90OpusOpusHead"));
    let video = |body: &'static [u8]| (Track::Video, Bytes::from_static(body));
    assert_eq!((configs(0), configs(2)), (None, Some(vec![audio.clone(), video(second)])));
    assert_eq!(configs(4), Some(vec![video(first), audio]));
    let begin = sent[0].dts.as_millis();
    let sent = sent.iter().map(|tag| (tag.dts.as_millis() - begin, &tag.flv_body()[..]));
    let (one, two): (&[u8], &[u8]) = (b"\x91av01\x07", b"\x91av01\x08");
    let again = 40 + LOOP_GAP_MS;
    let expected: [(i64, &[u8]); 6] =
        [(0, one), (40, second), (40, two), (again, first), (again, one), (again + 40, second)];
    assert_eq!(sent.collect::<Vec<_>>(), expected);
    showing.end(Duration::from_secs(30)).unwrap();
}

#[test]
fn what_cannot_be_sent_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(PassthroughFile::open(folder.path()), Err(Error::NoFile)));
    assert!(matches!(PassthroughFile::open(&folder.path().join("no")), Err(Error::Io(_))));
    let path = folder.path().join("a.flv");
    std::fs::write(&path, b"MP4").unwrap();
    assert!(matches!(PassthroughFile::open(&path), Err(Error::Flv(_))));
    std::fs::write(&path, file_header(true, true)).unwrap();
    assert!(matches!(PassthroughFile::open(&path), Err(Error::Empty)));
}

#[test]
fn a_video_is_not_sent_sideways_or_distorted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("phone.mp4");
    let config = Bytes::from_static(&[1, 0, 0, 0, 0, 10, 0x82, 1, 1, 1, 0, 0]);
    let size = Size::new(64, 48);
    let video = VideoConfig { size, ..bare_video_config(VideoCodec::Vp9, config, &[]) };
    let refused = |video| {
        std::fs::write(&path, initialization(&tracks(Some(&video), None), 1)).unwrap();
        let refused = PassthroughFile::open(&path).unwrap_err();
        assert!(Problem::from(&refused).own_cure().is_some(), "it is no question of the codecs");
        refused
    };
    let rotated = refused(VideoConfig { rotation: Rotation::Right, ..video.clone() });
    assert!(matches!(rotated, Error::Rotated));
    let stretched = refused(VideoConfig { pixel_aspect: PixelAspect::new(4, 3), ..video });
    assert!(matches!(stretched, Error::Stretched));
}

fn audio(codec: AudioCodec) -> AudioTrack {
    AudioInfo { sample_rate: 48_000, channels: 2 }.config(codec, Bytes::new()).into()
}

#[test]
fn a_file_is_sent_without_the_tracks_that_flv_does_not_support() {
    let (pts, dts) = (Timestamp::ZERO, Timestamp::ZERO);
    let location = |track| SampleLocation { track, dts, pts, keyframe: true, at: 0, size: 1 };
    let mut index = Index {
        tracks: Tracks {
            video: None,
            audio: vec![audio(AudioCodec::Vorbis), audio(AudioCodec::Aac), audio(AudioCodec::Opus)],
        },
        samples: [0, 1, 2, 1].map(|it| location(TrackId::Audio(it))).to_vec(),
        ..Index::default()
    };
    assert_eq!(keep_carried(&mut index).unwrap(), None, "a track of each kind is left");
    let codecs: Vec<_> = index.tracks.audio.iter().map(|it| it.config.codec).collect();
    let tracks: Vec<_> = index.samples.iter().map(|it| it.track).collect();
    assert_eq!((codecs, tracks), (vec![AudioCodec::Aac], vec![TrackId::Audio(0); 2]));
    index.tracks.audio = vec![audio(AudioCodec::Vorbis)];
    let refused = keep_carried(&mut index).unwrap_err();
    let vorbis = UnsupportedContent::Codec("Vorbis".to_owned());
    assert!(matches!(refused, container::Error::Unsupported(codec) if codec == vorbis));
}

#[test]
fn a_file_that_is_sent_without_its_audio_or_video_says_so() {
    let mut index = Index {
        tracks: Tracks { video: None, audio: vec![audio(AudioCodec::Aac)] },
        unsupported: unsupported::of_mkv(1, "V_MJPEG").into_iter().collect(),
        ..Index::default()
    };
    let missing = keep_carried(&mut index).unwrap().unwrap();
    assert_eq!(missing.to_string(), "Motion JPEG video");
    index.tracks.video = Some(VideoConfig {
        codec: VideoCodec::H264,
        size: Size::new(320, 240),
        frame_rate: FrameRate::FPS_30,
        bitrate: BitsPerSecond(0),
        codec_config: Bytes::new(),
        pixel_aspect: None,
        rotation: Rotation::None,
    });
    index.tracks.audio = vec![audio(AudioCodec::Vorbis)];
    let missing = keep_carried(&mut index).unwrap().unwrap();
    assert_eq!(missing.to_string(), "Vorbis audio");
}
