//! Tests the events that bodies of every kind cause, in every order.

use super::*;
use crate::wire::codec::h264::DecoderConfig;
use crate::wire::container::flv::{parse_audio, parse_video};

const HIGH_PROFILE_SPS: [u8; 25] = [
    0x67, 0x64, 0x00, 0x20, 0xac, 0xd9, 0x40, 0xc0, 0x29, 0xb0, 0x11, 0x00, 0x00, 0x03, 0x00, 0x01,
    0x00, 0x00, 0x03, 0x00, 0x32, 0x0f, 0x18, 0x31, 0x96,
];

fn word(event: TagEvent) -> String {
    match event {
        TagEvent::Event(StreamEvent::Config(config)) => config.codec().name().to_owned(),
        TagEvent::Event(StreamEvent::Packet(packet)) => {
            String::from_utf8_lossy(&packet.data).into_owned()
        }
        TagEvent::UnsupportedVideo(format) => format!("no {format}"),
        TagEvent::UnsupportedAudio(format) => format!("no {format}"),
        TagEvent::Colors(_) | TagEvent::Channels(..) => "told".to_owned(),
        TagEvent::Damaged => "damaged".to_owned(),
        TagEvent::TooLong(bytes) => format!("{bytes} bytes"),
        TagEvent::Event(other) => format!("{other:?}"),
    }
}

fn words(events: TagEvents) -> Vec<String> {
    events.into_iter().flatten().map(word).collect()
}

fn read_video(reader: &mut BodyReader, dts: Timestamp, body: &Bytes) -> TagEvents {
    reader.video(dts, parse_video(body).ok(), body)
}

fn read_audio(reader: &mut BodyReader, body: &Bytes) -> TagEvents {
    reader.audio(Timestamp::ZERO, parse_audio(body).ok(), body)
}

fn video(reader: &mut BodyReader, body: &[u8]) -> Vec<String> {
    words(read_video(reader, Timestamp::ZERO, &Bytes::copy_from_slice(body)))
}

fn audio(reader: &mut BodyReader, body: &[u8]) -> Vec<String> {
    words(read_audio(reader, &Bytes::copy_from_slice(body)))
}

fn aac_plays() -> BodyReader {
    let mut reader = BodyReader::new(|_| true);
    assert_eq!(audio(&mut reader, b"\xAF\x00\x11\x90"), ["AAC"]);
    assert_eq!(audio(&mut reader, b"\xAF\x01abc"), ["abc"]);
    reader
}

#[test]
fn audio_that_is_announced_or_shows_what_it_is_follows_aac_at_once() {
    // STREAMINFO with 48 kHz and two channels.
    let mut flac = b"\x90fLaC".to_vec();
    flac.extend([0x10, 0, 0x10, 0, 0, 0, 0, 0, 0, 0, 0x0B, 0xB8, 0x02, 0xF0]);
    flac.extend([0; 20]);
    let mut reader = aac_plays();
    assert!(audio(&mut reader, &flac).is_empty());
    assert_eq!(audio(&mut reader, b"\x91fLaCrest"), ["FLAC", "rest"]);
    assert_eq!(audio(&mut reader, b"\x91fLaCmore"), ["more"]);
    // The stream returns to AAC without a config.
    assert_eq!(audio(&mut reader, b"\xAF\x01abc"), ["AAC", "abc"]);
    // A whole MP3 frame, 128 kbit/s at 44.1 kHz.
    let mut mp3 = vec![0x2F, 0xFF, 0xFB, 0x90, 0x64];
    mp3.resize(1 + 417, 0);
    let mut reader = aac_plays();
    assert_eq!(audio(&mut reader, &mp3[..300]), ["damaged"], "a part is no frame");
    assert_eq!(audio(&mut reader, &mp3)[0], "MP3");
    assert_eq!(audio(&mut reader, b"\x9Fabcd"), ["damaged"]);
}

#[test]
fn audio_without_a_config_is_named_and_legacy_headers_give_rate_and_channels() {
    let mut reader = BodyReader::new(|_| true);
    assert_eq!(audio(&mut reader, b"\xAF\x01abc"), ["AAC", "abc"]);
    assert_eq!(audio(&mut reader, b"\xAF\x01abc"), ["abc"]);
    let mut reader = BodyReader::new(|_| true);
    let [Some(TagEvent::Event(StreamEvent::Config(TrackConfig::Audio(config)))), Some(_)] =
        read_audio(&mut reader, &Bytes::from_static(b"\x3Bab"))
    else {
        panic!("no config")
    };
    assert_eq!(
        (config.codec, config.sample_rate, config.channels),
        (AudioCodec::PcmS16Le, 22_050, 2)
    );
    // The codec is reported even if the first frame is damaged.
    assert_eq!(audio(&mut BodyReader::new(|_| true), b"\x2Eabcd"), ["MP3", "abcd"]);
    assert_eq!(audio(&mut reader, b"\xCFab"), ["no audio codec 12"]);
    assert!(audio(&mut reader, b"\xCFab").is_empty(), "said once");
}

#[test]
fn times_are_those_of_the_body_to_the_microsecond() {
    let mut reader = BodyReader::new(|_| true);
    let take = |reader: &mut BodyReader, body: &'static [u8]| {
        let at = Timestamp::from_micros(1_000_001);
        read_video(reader, at, &Bytes::from_static(body)).into_iter().flatten().find_map(|it| {
            match it {
                TagEvent::Event(StreamEvent::Packet(it)) => {
                    Some((it.dts.as_micros(), it.pts.as_micros()))
                }
                _ => None,
            }
        })
    };
    assert_eq!(take(&mut reader, b"\x17\x01\x00\x00\x28abcd"), Some((1_000_001, 1_040_001)));
    // ModEx: adds 500,000 ns.
    let mut reader = BodyReader::new(|_| true);
    assert_eq!(
        take(&mut reader, b"\x97\x02\x07\xA1\x20\x01vp09\x05"),
        Some((1_000_001, 1_000_501))
    );
}

#[test]
fn a_config_has_a_bound_and_keeps_nothing_else() {
    let mut reader = BodyReader::new(|_| true);
    let long = [format!("{} bytes", MAX_CONFIG_BYTES + 1)];
    let config = vec![0; MAX_CONFIG_BYTES + 1];
    assert_eq!(video(&mut reader, &[&b"\x17\0\0\0\0"[..], &config].concat()), long);
    assert_eq!(video(&mut reader, &[&b"\x90hvc1"[..], &config].concat()), long);
    assert_eq!(audio(&mut reader, &[&b"\xAF\0"[..], &config].concat()), long);
    // A small part of a large body does not keep the rest in memory.
    let body = Bytes::from(vec![0; 1 << 20]);
    let within = |part: &Bytes| body.as_ptr_range().contains(&part.as_ptr());
    assert!(!within(&apart(body.slice(9..99), &body)));
    assert!(within(&apart(body.slice(9..), &body)));
}

#[test]
fn before_the_first_frame_a_few_of_no_codec_are_damage_and_more_are_meant() {
    let mut reader = BodyReader::new(|_| true);
    let strange = b"\x1F\x01\x00\x00\x00picture";
    for _ in 1..MIN_CODEC_CHANGE_TAGS {
        assert!(video(&mut reader, strange).is_empty());
    }
    assert_eq!((reader.suspect(), reader.take_strays()), (Some(VideoFormat::Legacy(15)), 0));
    assert_eq!(video(&mut reader, strange), ["no unknown codec 15"]);
    // A new connection counts from zero, and the earlier bodies count as damage.
    let mut reader = BodyReader::new(|_| true);
    for _ in 1..MIN_CODEC_CHANGE_TAGS {
        video(&mut reader, strange);
    }
    reader.restart();
    assert_eq!((reader.suspect(), reader.take_strays()), (None, MIN_CODEC_CHANGE_TAGS - 1));
    // A multitrack body with an unknown codec.
    assert!(video(&mut reader, b"\x96\x01abcd\x25picture").is_empty());
    let config = DecoderConfig::new(
        Bytes::from_static(&HIGH_PROFILE_SPS),
        Bytes::from_static(&[0x68, 0xEB, 0xE3, 0xCB, 0x22, 0xC0]),
    );
    let config = config.unwrap().build().unwrap();
    assert_eq!(video(&mut reader, &[b"\x17\0\0\0\0", &config[..]].concat()), ["H.264"]);
    assert!(reader.take_strays() > 0 && reader.suspect().is_none());
    // A known codec is accepted at its first announcement.
    let mut reader = BodyReader::new(|codec| codec != VideoCodec::Vvc);
    assert_eq!(video(&mut reader, b"\x90vvc1config"), ["no VVC"]);
}

#[test]
fn frames_of_another_codec_begin_with_their_first_keyframe_where_they_were_announced() {
    let mut reader = BodyReader::new(|_| true);
    assert_eq!(video(&mut reader, b"\x90vp09conf"), ["VP9"]);
    assert_eq!(video(&mut reader, b"\x91vp09picture"), ["picture"]);
    assert!(video(&mut reader, b"\x90av01conf").is_empty());
    // One frame of the first codec shows that the announcement was an accident.
    assert_eq!(video(&mut reader, b"\xA1vp09picture"), ["picture"]);
    assert_eq!(video(&mut reader, b"\x91av01picture"), ["damaged"]);
    assert!(video(&mut reader, b"\x90av01conf").is_empty());
    assert!(video(&mut reader, b"\xA1av01picture").is_empty(), "none to begin with");
    assert_eq!(video(&mut reader, b"\x91av01picture"), ["AV1", "picture"]);
    assert_eq!(video(&mut reader, b"\xA1av01more"), ["more"]);
}

#[test]
fn the_size_of_vp9_is_that_of_its_keyframes_and_changes_are_reported() {
    // A keyframe of 640 or 320 columns and 360 rows (VP9 §6.2).
    let key = |wide: bool| {
        let columns: u8 = if wide { 0x27 } else { 0x13 };
        let head = [0x82, 0x49, 0x83, 0x42, 0x20];
        let size = [columns, 0xF0, 0x16, 0x70];
        Bytes::from([&b"\x91vp09"[..], &head, &size].concat())
    };
    let mut reader = BodyReader::new(|_| true);
    let mut sizes = |body: &Bytes| {
        let events = read_video(&mut reader, Timestamp::ZERO, body);
        let config = events.into_iter().flatten().find_map(|it| match it {
            TagEvent::Event(StreamEvent::Config(TrackConfig::Video(it))) => Some(it.size),
            _ => None,
        });
        config.map(|size| (size.width, size.height))
    };
    let record = Bytes::from_static(b"\x90vp09\x01\0\0\0\0\x1F\x80\x01");
    assert_eq!(sizes(&record), Some((0, 0)));
    assert_eq!(sizes(&key(true)), Some((640, 360)));
    assert_eq!(sizes(&key(true)), None);
    assert_eq!(sizes(&record), Some((640, 360)), "the publisher repeats it");
    assert_eq!(sizes(&Bytes::from_static(b"\xA1vp09\x86\0\x40\x92")), None);
    assert_eq!(sizes(&key(false)), Some((320, 360)));
}

#[test]
fn the_byte_that_crops_vp6_is_its_config_and_tells_when_it_changes() {
    let mut reader = BodyReader::new(|_| true);
    assert!(video(&mut reader, b"\x24\x10inter").is_empty(), "none to begin with");
    let take = |reader: &mut BodyReader, body: &'static [u8]| {
        let events = read_video(reader, Timestamp::ZERO, &Bytes::from_static(body));
        let config = events.into_iter().flatten().find_map(|it| match it {
            TagEvent::Event(StreamEvent::Config(TrackConfig::Video(it))) => Some(it.codec_config),
            _ => None,
        });
        config.map(|config| config.to_vec())
    };
    assert_eq!(take(&mut reader, b"\x14\x10key"), Some(vec![0x10]));
    assert_eq!(take(&mut reader, b"\x24\x10inter"), None);
    assert_eq!(take(&mut reader, b"\x14\x20key"), Some(vec![0x20]));
}

/// FFmpeg and other programs send `colorInfo` with the frame type of a command (Enhanced RTMP,
/// Metadata Frame).
#[test]
fn colors_are_read_in_either_frame_type_and_empty_ones_are_not_reported() {
    use crate::wire::amf0::{Value, encode};
    let info = |primaries: f64| {
        let config = Value::object([("colorPrimaries", primaries.into())]);
        encode(&["colorInfo".into(), Value::object([("colorConfig", config)])])
    };
    for (first, primaries, expected) in
        [(0x94, 9.0, &["told"][..]), (0xD4, 9.0, &["told"]), (0xD4, 2.0, &[]), (0x94, 2.0, &[])]
    {
        let body = [&[first][..], &b"hvc1"[..], &info(primaries)].concat();
        let mut reader = BodyReader::new(|_| true);
        assert_eq!(video(&mut reader, &body), expected, "{first:#x} {primaries}");
    }
}
