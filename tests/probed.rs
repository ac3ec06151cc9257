//! Tests of `onair probe` with audio in files that ffmpeg made. As ffprobe does, it must report the
//! codec, sample rate and channels of every track.

use serde_json::Value;

use crate::peers::{self, LIMIT, Onair, Peer};

/// Codec, rate and channels of each audio track in a file that is made with these options.
fn sounds(name: &str, tracks: &[(&str, &str, &str)]) -> Vec<(String, u64, u64)> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    let mut words: Vec<String> =
        ["-hide_banner", "-nostdin", "-v", "error", "-f", "lavfi", "-i"].map(str::to_owned).into();
    words.extend(["sine=frequency=400:sample_rate=48000:duration=3".to_owned()]);
    for (number, (codec, rate, channels)) in tracks.iter().enumerate() {
        words.extend(["-map".to_owned(), "0:a".to_owned()]);
        let options = [("c", codec), ("ar", rate), ("ac", channels)];
        words.extend(options.iter().flat_map(|(name, value)| {
            let name =
                if *name == "c" { format!("-c:a:{number}") } else { format!("-{name}:a:{number}") };
            [name, (**value).to_owned()]
        }));
    }
    words.push(path.to_str().unwrap().to_owned());
    Peer::start("ffmpeg", words.iter().map(String::as_str)).wait_success(LIMIT);
    let mut onair = Onair::start(&["probe", path.to_str().unwrap()]);
    assert_eq!(onair.peer.wait(LIMIT).code(), Some(0), "{}", onair.peer.errors());
    let report: Value = serde_json::from_str(&onair.peer.output()).unwrap();
    let streams = report["streams"].as_array().unwrap();
    let found = streams.iter().map(|stream| {
        let number = |name: &str| stream[name].as_u64().unwrap_or_else(|| panic!("{report}"));
        let codec = stream["codec"].as_str().unwrap().to_owned();
        (codec, number("sample_rate"), number("channels"))
    });
    found.collect()
}

fn track(codec: &str, rate: u64, channels: u64) -> (String, u64, u64) {
    (codec.to_owned(), rate, channels)
}

#[test]
fn mpeg_audio_is_of_the_layer_rate_and_channels_that_its_frames_have() {
    peers::require!("ffmpeg");
    let mp3 = &[("libmp3lame", "48000", "1")];
    for name in ["a.mkv", "a.mp4", "a.mp3"] {
        assert_eq!(sounds(name, mp3), [track("mp3", 48_000, 1)], "{name}");
    }
    assert_eq!(sounds("a.flv", &[("libmp3lame", "22050", "1")]), [track("mp3", 22_050, 1)]);
    for name in ["b.mkv", "b.mp2"] {
        assert_eq!(sounds(name, &[("mp2", "32000", "1")]), [track("mp2", 32_000, 1)], "{name}");
    }
}

#[test]
fn uncompressed_audio_is_named_by_its_format() {
    peers::require!("ffmpeg");
    for (name, codec) in [
        ("a.wav", "pcm_u8"),
        ("b.wav", "pcm_s24le"),
        ("c.wav", "pcm_f32le"),
        ("d.wav", "pcm_alaw"),
        ("e.mkv", "pcm_s16le"),
        ("f.mkv", "pcm_s24be"),
    ] {
        assert_eq!(sounds(name, &[(codec, "44100", "2")]), [track(codec, 44_100, 2)], "{name}");
    }
}

#[test]
fn the_further_tracks_of_a_file_are_what_they_are() {
    peers::require!("ffmpeg");
    let tracks = [
        ("aac", "48000", "2"),
        ("ac3", "44100", "1"),
        ("mp2", "32000", "1"),
        ("libmp3lame", "22050", "1"),
        ("pcm_s24le", "96000", "2"),
        ("flac", "44100", "1"),
    ];
    let names = ["aac", "ac3", "mp2", "mp3", "pcm_s24le", "flac"];
    let wanted: Vec<_> = names
        .into_iter()
        .zip(tracks)
        .map(|(name, (_, rate, channels))| {
            track(name, rate.parse().unwrap(), channels.parse().unwrap())
        })
        .collect();
    assert_eq!(sounds("a.mkv", &tracks), wanted);
}

#[test]
fn errors_about_an_address_fit_its_kind() {
    // An address without a listener, an unknown scheme, and an empty file.
    let empty = tempfile::NamedTempFile::new().unwrap();
    let empty = empty.path().to_str().unwrap();
    for (address, code, expected, unexpected) in [
        ("http://127.0.0.1:9/a.flv", 6, "https:// port 443", "RTMP"),
        ("rtmp://127.0.0.1:9/live/a", 6, "RTMP uses port 1935", "https://"),
        ("htp://127.0.0.1/a.flv", 2, "http://server/path/stream.flv", "FLV file"),
        (empty, 3, "the file is complete", "FLV file"),
    ] {
        let mut onair = Onair::start(&["probe", address]);
        assert_eq!(onair.peer.wait(LIMIT).code(), Some(code), "{address}");
        let errors = onair.peer.errors();
        assert!(errors.contains(expected) && !errors.contains(unexpected), "{address}: {errors}");
    }
}
