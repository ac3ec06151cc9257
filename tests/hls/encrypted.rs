//! Tests of HLS with encrypted samples, made by a third-party packager with a key that anyone can
//! download. Also tests keys that only a DRM system can provide.

use std::path::{Path, PathBuf};

use onair::player::{Config, FailureKind, Source, State};

use super::{fs, peers, serve, texts};
use crate::watch::{Outcome, config, play};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/encrypted")
}

/// Plays a source to its end. Also returns the pitch of the middle half of the audio, as zero
/// crossings per second.
fn hear(config: Config) -> (Outcome, f64) {
    let folder = tempfile::tempdir().unwrap();
    let dump = folder.path().join("heard.wav");
    let outcome = play(&Config { audio_dump: Some(dump.clone()), ..config }, |_| false);
    let wav = hound::WavReader::open(&dump).unwrap();
    let (rate, channels) = (wav.spec().sample_rate, usize::from(wav.spec().channels));
    let all: Vec<i16> = wav.into_samples().step_by(channels).map(Result::unwrap).collect();
    let middle = &all[all.len() / 4..all.len() * 3 / 4];
    let rising = middle.windows(2).filter(|pair| pair[0] < 0 && pair[1] >= 0).count();
    (outcome, rising as f64 * f64::from(rate) / middle.len().max(1) as f64)
}

/// Checks that a decrypted film is the same as the film that was never encrypted.
#[track_caller]
fn is_the_film(name: &str, (outcome, pitch): (Outcome, f64), plain: &Outcome) {
    assert_eq!(outcome.state, State::Ended, "{name}: {:?}", outcome.events);
    let (figures, known) = (&outcome.figures, &plain.figures);
    assert_eq!((figures.decoded, figures.damaged), (known.decoded, 0), "{name}");
    let off = figures.audio_samples as i64 - known.audio_samples as i64;
    assert!(off.abs() < 4_096, "{name}: {off} samples");
    assert!((pitch - 440.0).abs() < 5.0, "{name}: {pitch} Hz");
    let planes = |outcome: &Outcome| outcome.picture.as_ref().unwrap().planes().y.clone();
    assert!(planes(&outcome) == planes(plain), "{name}: another picture");
}

#[test]
fn a_stream_encrypted_by_another_packager_decrypts_to_the_same_video() {
    peers::require!("nginx");
    let source = Source::File(folder().join("plain.mp4"));
    let (plain, pitch) = hear(Config { speaker: false, ..Config::new(source) });
    assert!((pitch - 440.0).abs() < 5.0, "{pitch} Hz");
    let web = serve(&folder());
    for kind in ["ts", "cbcs", "cenc"] {
        let url = format!("http://127.0.0.1:{}/{kind}/master.m3u8", web.http);
        is_the_film(kind, hear(config(&url)), &plain);
    }
}

#[test]
fn keys_that_cannot_be_had_are_named() {
    let list = |key: &str| {
        let head = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-KEY:";
        format!("{head}{key}\n#EXTINF:1,\na.ts\n#EXT-X-ENDLIST\n")
    };
    let widevine = "KEYFORMAT=\"urn:uuid:edef8ba9-79d6-4ace-a3c8-27dcd51d21ed\"";
    for (key, word) in [
        (
            "METHOD=SAMPLE-AES,URI=\"skd://k\",KEYFORMAT=\"com.apple.streamingkeydelivery\"",
            "FairPlay",
        ),
        (format!("METHOD=SAMPLE-AES-CTR,URI=\"data:x\",{widevine}").as_str(), "Widevine"),
        ("METHOD=SAMPLE-AES-CTR,URI=\"x\",KEYFORMAT=\"com.microsoft.playready\"", "PlayReady"),
        ("METHOD=SAMPLE-AES,URI=\"x\",KEYFORMAT=\"something.else\"", "protected"),
    ] {
        let port = texts(&[("/x", list(key).as_str()), ("/a.ts", "0123456789abcdef")]);
        let url = format!("http://127.0.0.1:{port}/x");
        let outcome = play(&Config { reconnect: false, ..config(&url) }, |_| false);
        assert_eq!(outcome.failure().kind, FailureKind::Codec, "{word}: {:?}", outcome.failure());
        assert!(outcome.failure().to_string().contains(word), "{:?}", outcome.failure());
    }
}

#[test]
fn another_key_and_none_at_all_do_no_harm() {
    peers::require!("nginx");
    for kind in ["ts", "cbcs", "cenc"] {
        let copy = tempfile::tempdir().unwrap();
        for entry in fs::read_dir(folder().join(kind)).unwrap() {
            let entry = entry.unwrap();
            fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
        }
        let web = serve(copy.path());
        let url = format!("http://127.0.0.1:{}/v.m3u8", web.http);
        fs::write(copy.path().join("key.bin"), [9; 16]).unwrap();
        let outcome = play(&Config { reconnect: false, ..config(&url) }, |_| false);
        assert!(outcome.state.is_final() && outcome.figures.damaged > 0, "{kind}: {outcome:?}");

        let list = fs::read_to_string(copy.path().join("v.m3u8")).unwrap();
        let bare: Vec<_> = list.lines().filter(|line| !line.starts_with("#EXT-X-KEY")).collect();
        fs::write(copy.path().join("v.m3u8"), bare.join("\n")).unwrap();
        let outcome = play(&Config { reconnect: false, ..config(&url) }, |_| false);
        assert!(
            outcome.failure().to_string().contains("encrypted"),
            "{kind}: {:?}",
            outcome.failure()
        );
    }
}
