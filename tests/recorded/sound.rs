//! Tests of audio files on web servers. Each format must play as it does from disk, from any
//! position. Other tests use servers without range requests, and radio stations whose stream has no
//! end.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::probe;
use super::web::serve;
use crate::peers::certificates::Authority;
use crate::peers::{self, Peer, web};
use crate::watch::{Watching, config, cure, play};
use onair::base::Clock;
use onair::media::playback_control::{EndBehavior, TransportCommand};
use onair::net::{Options, Runtime, Trust};
use onair::player::source::{self, Context};
use onair::player::{Config, FailureKind, Source, State};

/// File names and encoder options.
const SONGS: [(&str, &[&str]); 10] = [
    ("song.mp3", &["-c:a", "libmp3lame", "-b:a", "128k", "-write_id3v1", "1"]),
    ("vbr.mp3", &["-c:a", "libmp3lame", "-q:a", "5", "-ar", "44100"]),
    ("bare.mp3", &["-c:a", "libmp3lame", "-b:a", "96k", "-write_xing", "0", "-id3v2_version", "0"]),
    ("song.flac", &["-c:a", "flac"]),
    ("song.ogg", &["-c:a", "libvorbis"]),
    ("song.opus", &["-c:a", "libopus"]),
    ("flac.ogg", &["-c:a", "flac"]),
    ("song.aac", &["-c:a", "aac"]),
    ("song.wav", &["-c:a", "pcm_s24le"]),
    ("float.wav", &["-c:a", "pcm_f32le", "-ar", "44100"]),
];

/// Makes a file in which each second has another pitch: 300 Hz, 400 Hz, and so on.
fn make(folder: &Path, (name, codec): (&str, &[&str]), seconds: u32) -> PathBuf {
    let path = folder.join(name);
    let sound = format!("aevalsrc=0.3*sin(2*PI*t*(300+100*floor(t))):s=48000:d={seconds}");
    let words = ["-hide_banner", "-nostdin", "-y", "-v", "error", "-f", "lavfi", "-i", &sound];
    let tags = ["-metadata", "title=A song", "-metadata", "comment=of many notes"];
    let all = words.into_iter().chain(tags).chain(codec.iter().copied());
    Peer::start("ffmpeg", all.chain([path.to_str().unwrap()])).wait_success(peers::LIMIT);
    path
}

/// Plays a source. Returns the samples of one channel, and the sample rate.
fn samples_of(config: &Config, folder: &Path, name: &str) -> (Vec<i16>, f64) {
    let wav = folder.join("heard.wav");
    let outcome = play(&Config { audio_dump: Some(wav.clone()), ..config.clone() }, |_| false);
    assert_eq!(outcome.state, State::Ended, "{name}: {:?}", outcome.events);
    let mut wav = hound::WavReader::open(wav).unwrap();
    let spec = wav.spec();
    let each = usize::from(spec.channels);
    let left = wav.samples().step_by(each).map(Result::unwrap).collect();
    (left, f64::from(spec.sample_rate))
}

/// Returns the pitch of the half second that starts at `from`.
fn pitch((samples, rate): &(Vec<i16>, f64), from: f64) -> f64 {
    let half = &samples[(from * rate) as usize..((from + 0.5) * rate) as usize];
    half.windows(2).filter(|pair| pair[0] < 0 && pair[1] >= 0).count() as f64 * 2.0
}

#[test]
fn songs_on_a_web_server_can_be_seeked() {
    peers::require!("ffmpeg", "nginx");
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let good = authority.good();
    let nginx = web::Web::start(folder.path(), &good.certificate, &good.key);
    for song in SONGS {
        let name = song.0;
        let file = make(folder.path(), song, 12);
        let url = format!("http://127.0.0.1:{}/{name}", nginx.http);
        let watching = Watching::start(&config(&url));
        let samples = |it: &Watching| it.player.figures().audio_samples;
        watching
            .wait("the first sound", |it| samples(it) > 24_000 && it.player.duration().is_some());
        let length = watching.player.duration().unwrap().as_secs_f64();
        assert!((length - 12.0).abs() < 0.15, "{name}: {length}");
        for place in [9.0, 3.0] {
            let before = samples(&watching);
            assert!(watching.player.seek(Duration::from_secs_f64(place)), "{name}");
            watching.wait("that place", |it| {
                let at = it.player.position().as_secs_f64();
                samples(it) > before + 12_000 && (place..place + 2.5).contains(&at)
            });
        }
        assert!(watching.player.seek(Duration::from_secs(11)), "{name}");
        watching.wait("the end", |it| it.player.state().is_final());
        assert_eq!(watching.player.state(), State::Ended, "{name}");
        assert_eq!(watching.notice_keys(), ["player-no-video"], "{name}");
        watching.end();
        // After a seek, the audio must be that of the position, as with the local file. This case
        // uses TLS.
        let trust = Trust { ca_file: Some(authority.file()), ..Trust::default() };
        let net = Options { trust, ..Options::default() };
        let start = Some(Duration::from_millis(10_250));
        let secure = format!("https://127.0.0.1:{}/{name}", nginx.https);
        let theirs = Config { start, net, ..config(&secure) };
        let own = Config { start, speaker: false, ..Config::new(Source::File(file)) };
        let [theirs, own] = [theirs, own].map(|config| samples_of(&config, folder.path(), name));
        let seconds = |(audio, rate): &(Vec<i16>, f64)| audio.len() as f64 / rate;
        assert!((seconds(&theirs) - 1.75).abs() < 0.15, "{name}: {} s", seconds(&theirs));
        assert!((seconds(&theirs) - seconds(&own)).abs() < 0.06, "{name}: {} s", seconds(&own));
        for (begin, wanted) in [(0.1, 1_300.0), (1.0, 1_400.0)] {
            let found = pitch(&theirs, begin);
            assert!((found - wanted).abs() < 15.0, "{name}: {found} Hz");
        }
    }
}

#[test]
fn a_probe_tells_the_same_of_songs_on_a_web_server_and_on_the_disk() {
    peers::require!("ffmpeg", "nginx");
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let good = authority.good();
    let nginx = web::Web::start(folder.path(), &good.certificate, &good.key);
    for song in SONGS {
        let name = song.0;
        let file = make(folder.path(), song, 20);
        let url = format!("http://127.0.0.1:{}/{name}", nginx.http);
        let (web, disk) = (probe(&url), probe(file.to_str().unwrap()));
        assert_eq!(web["format"], disk["format"], "{name}");
        assert_eq!(web["streams"].as_array().unwrap().len(), 1, "{name}: {web}");
        for key in ["type", "codec", "profile", "sample_rate", "channels"] {
            assert_eq!(web["streams"][0][key], disk["streams"][0][key], "{name}: {key}");
        }
        let rate = if ["vbr.mp3", "float.wav"].contains(&name) { 44_100 } else { 48_000 };
        assert_eq!(web["streams"][0]["sample_rate"], rate, "{name}: {web}");
        assert_eq!(web["streams"][0]["channels"], 1, "{name}: {web}");
        let [web, disk] = [web, disk].map(|it| it["duration"].as_f64().unwrap());
        // This format has no header, so the duration is an estimate from the size of the frames.
        let near = if name == "song.aac" { 0.3 } else { 0.03 };
        assert!((web - disk).abs() < near, "{name}: {web} {disk}");
    }
}

#[test]
fn a_server_that_gives_no_parts_plays_a_song_from_its_beginning() {
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    for song in SONGS {
        let name = song.0;
        let url = serve(&make(folder.path(), song, 2), |_, _, _| None);
        for (start, key) in [(None, "player-fixed"), (Some(1), "player-no-start")] {
            let start = start.map(Duration::from_secs);
            let outcome = play(&Config { start, ..config(&url) }, |_| false);
            assert_eq!(outcome.state, State::Ended, "{name}: {:?}", outcome.events);
            // The notice about missing video can come late, even after the end, and is not checked
            // here.
            let mut rest = outcome.notice_keys();
            rest.retain(|it| *it != "player-no-video");
            assert_eq!(rest, [key], "{name}");
            assert_eq!(outcome.figures.duration, None, "{name}");
            let seconds = outcome.figures.audio_samples as f64 / 48_000.0;
            assert!((1.7..2.4).contains(&seconds), "{name}: {seconds} s");
        }
    }
}

#[test]
fn streams_of_ogg_that_follow_each_other_are_all_played_from_a_web_server() {
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    // Each of the three parts has one second of 300 Hz and one of 400 Hz.
    let parts = ["song.ogg", "song.opus", "flac.ogg"].map(|name| {
        let song = SONGS.into_iter().find(|song| song.0 == name).unwrap();
        std::fs::read(make(folder.path(), song, 2)).unwrap()
    });
    let path = folder.path().join("all.ogg");
    std::fs::write(&path, parts.concat()).unwrap();
    let url = serve(&path, |_, _, _| None);
    let samples = samples_of(&config(&url), folder.path(), "all.ogg");
    let seconds = samples.0.len() as f64 / samples.1;
    assert!((seconds - 6.0).abs() < 0.1, "{seconds}");
    for part in 0..6 {
        let wanted = 300.0 + 100.0 * f64::from(part % 2);
        let found = pitch(&samples, f64::from(part) + 0.25);
        assert!((found - wanted).abs() < 10.0, "{part}: {found} Hz");
    }
}

#[test]
fn a_song_on_a_web_server_is_a_source_that_can_be_seeked() {
    peers::require!("ffmpeg", "nginx");
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let good = authority.good();
    let nginx = web::Web::start(folder.path(), &good.certificate, &good.key);
    make(folder.path(), SONGS[0], 12);
    let url = format!("http://127.0.0.1:{}/song.mp3", nginx.http);
    let (runtime, clock) = (Runtime::start().unwrap(), Clock::start());
    let context = Context { clock, rate: 48_000, channels: 2, at_end: EndBehavior::Loop };
    let mut media = source::open(&Config::new(Source::Url(url)), &context, &runtime).unwrap();
    let transport = media.transport.clone();
    let mut is_at = |place: f64| {
        let mut block = [0.0; 960];
        media.audio.pull(clock.now(), &mut block);
        let is_audible = block.iter().any(|sample| sample.abs() > 0.1);
        let near = |at: Duration| (0.0..2.0).contains(&(at.as_secs_f64() - place));
        is_audible && transport.position().is_some_and(|it| near(it.at) && it.whole.is_some())
    };
    peers::wait_for("its beginning", peers::LIMIT, || is_at(0.0));
    transport.ask(TransportCommand::To(Duration::from_secs(8)));
    peers::wait_for("another place", peers::LIMIT, || is_at(8.0));
}

#[test]
fn a_station_without_an_end_plays_from_the_middle_of_a_frame() {
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    for (name, kind) in [("song.mp3", "audio/mpeg"), ("song.aac", "audio/aac")] {
        let song = SONGS.into_iter().find(|song| song.0 == name).unwrap();
        let file = std::fs::read(make(folder.path(), song, 4)).unwrap();
        let port = web::canned(move |_, socket| {
            let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n\r\n");
            let _ = socket.write_all(&[head.as_bytes(), &file[5_001..]].concat());
            // The station repeats endlessly, at about twice the playback speed.
            while socket.write_all(&file[5_000..file.len() - 3_000]).is_ok() {
                std::thread::sleep(Duration::from_millis(1_500));
            }
        });
        let watching = Watching::start(&config(&format!("http://127.0.0.1:{port}/station")));
        watching.wait("its sound", |it| it.player.figures().audio_samples > 5 * 48_000);
        assert_eq!(watching.player.duration(), None, "{name}");
        watching.end();
    }
}

#[test]
fn a_file_that_claims_to_be_audio_and_is_not_is_reported() {
    let port = web::canned(move |_, socket| {
        let text = [b"this is no song, whatever it is called; ".as_slice(); 4_000].concat();
        let head = "HTTP/1.1 200 OK\r\nContent-Type: audio/mpeg\r\n";
        let head = format!("{head}Content-Length: {}\r\n\r\n", text.len());
        let _ = socket.write_all(&[head.as_bytes(), &text].concat());
    });
    let outcome = play(&config(&format!("http://127.0.0.1:{port}/song.mp3")), |_| false);
    let failure = outcome.failure();
    assert_eq!(failure.kind, FailureKind::Unreachable, "{failure:?}");
    assert_eq!(
        failure.to_string(),
        "the server sends audio/mpeg, which onair does not play",
        "{failure:?}"
    );
    assert!(cure(failure).contains("FLAC"), "{failure:?}");
}
