//! Tests of audio files made by ffmpeg. The player must report the right duration, play every
//! sample, loop without a gap, pause and seek. Damaged files must end with a message.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::peers::{self, LIMIT, Peer, missing};
use onair::base::{Clock, Stop, Timestamp};
use onair::media::Pulled as Filled;
use onair::media::playback_control::{EndBehavior, TransportCommand};
use onair::media::source_status::SourceState;
use onair::net::{self, Runtime};
use onair::player::source::{self, Context, MediaSource};
use onair::player::{Config, Source, probe};
use onair::wire::container::audio;

const SECONDS: f64 = 3.0;

/// Name, encoder options, and whether the file states where its audio begins and ends.
const SONGS: [(&str, &[&str], bool); 8] = [
    ("song.mp3", &["-c:a", "libmp3lame", "-b:a", "128k", "-write_id3v1", "1"], true),
    ("vbr.mp3", &["-c:a", "libmp3lame", "-q:a", "5", "-ar", "44100"], true),
    (
        "bare.mp3",
        &["-c:a", "libmp3lame", "-q:a", "5", "-write_xing", "0", "-id3v2_version", "0"],
        false,
    ),
    ("song.flac", &["-c:a", "flac"], true),
    ("song.ogg", &["-c:a", "libvorbis"], true),
    ("song.opus", &["-c:a", "libopus"], true),
    ("flac.ogg", &["-c:a", "flac"], true),
    ("song.aac", &["-c:a", "aac"], false),
];

/// A tone of 1 kHz with metadata tags.
fn song(folder: &Path, name: &str, codec: &[&str]) -> PathBuf {
    let path = folder.join(name);
    let mut words = vec!["-hide_banner", "-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i"];
    words.extend(["aevalsrc='0.5*sin(2*PI*1000*t)':s=48000:c=mono", "-t", "3"]);
    words.extend(["-metadata", "title=A song", "-metadata", "comment=of one note"]);
    words.extend(codec);
    words.push(path.to_str().unwrap());
    Peer::start("ffmpeg", words).wait_success(LIMIT);
    path
}

struct PlayingSong {
    media: MediaSource,
    clock: Clock,
    next: Timestamp,
    sound: Vec<f32>,
    _runtime: Runtime,
}

impl PlayingSong {
    fn open(path: &Path, at_end: EndBehavior) -> Self {
        let clock = Clock::start();
        let runtime = Runtime::start().unwrap();
        let context = Context { clock, rate: 48_000, channels: 1, at_end };
        let media = source::open(&Config::new(Source::File(path.into())), &context, &runtime);
        let (media, next) = (media.unwrap(), clock.now());
        Self { media, clock, next, sound: Vec::new(), _runtime: runtime }
    }

    /// Pulls ten milliseconds of audio for the program.
    fn step(&mut self) -> bool {
        let mut block = [0.0; 480];
        let filled = self.media.audio.pull(self.next, &mut block) == Filled::Audio;
        self.sound.extend(block);
        self.next += Duration::from_millis(10);
        Stop::new().wait(self.next.since(self.clock.now()));
        filled
    }

    fn until(&mut self, what: &str, mut is_so: impl FnMut(&Self) -> bool) {
        let limit = self.clock.now() + LIMIT;
        while !is_so(self) {
            let report = self.media.audio_status.report();
            assert!(self.clock.now() < limit, "never: {what}; {report:?}");
            self.step();
        }
    }

    fn place(&self) -> f64 {
        self.media.transport.position().map_or(0.0, |it| it.at.as_secs_f64())
    }
}

/// The amplitude of the 1 kHz tone.
fn tone(sound: &[f32]) -> f64 {
    let (mut sine, mut cosine) = (0.0, 0.0);
    for (number, sample) in sound.iter().enumerate() {
        let phase = number as f64 / 48.0 * std::f64::consts::TAU;
        sine += f64::from(*sample) * phase.sin();
        cosine += f64::from(*sample) * phase.cos();
    }
    sine.hypot(cosine) * 2.0 / sound.len() as f64
}

#[test]
fn songs_play_for_their_whole_length_and_loop() {
    peers::in_real_time!(songs_play_for_their_whole_length_and_loop);
    if missing(&["ffmpeg"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for (name, codec, exact) in SONGS {
        let path = song(folder.path(), name, codec);
        let mut playing = PlayingSong::open(&path, EndBehavior::Loop);
        playing.until("its sound", |it| it.sound.iter().any(|sample| sample.abs() > 0.1));
        let whole = |it: &PlayingSong| it.media.transport.position().and_then(|it| it.whole);
        playing.until("its length", |it| whole(it).is_some());
        let whole = whole(&playing).unwrap().as_secs_f64();
        let off = whole - SECONDS;
        eprintln!("  {name}: {whole:.4} s");
        assert!(
            if exact { off.abs() < 0.001 } else { (0.0..0.11).contains(&off) },
            "{name}: {whole}"
        );
        // Plays the file twice; a busy machine may be late once.
        let (mut strong, mut seamless, mut rounds) = (false, false, 0);
        while !(strong && (seamless || !exact)) {
            rounds += 1;
            assert!(rounds < 6, "{name}: {strong} {seamless}");
            let from = playing.sound.len() + 4_800;
            playing.until("a round", |it| it.sound.len() > from + 48 * 3_300);
            let part = &playing.sound[from..from + 48 * 3_200];
            strong |= (tone(&part[..9_600]) - 0.5).abs() < 0.05;
            // A wave has 48 samples; each must equal the one before it.
            let worst = part.windows(49).map(|it| (it[48] - it[0]).abs()).fold(0.0, f32::max);
            let quietest = part.chunks(48).map(|it| it.iter().copied().fold(0.0, f32::max));
            let quietest = quietest.fold(1.0, f32::min);
            eprintln!("  {name}: waves differ by {worst:.4}, the faintest is {quietest:.3}");
            seamless |= worst < 0.15 && quietest > 0.4;
        }
        assert_eq!(playing.media.audio_status.state(), SourceState::Open, "{name}");
    }
}

/// The amplitude of a frequency.
fn amplitude(sound: &[f32], hertz: f64) -> f64 {
    let (mut sine, mut cosine) = (0.0, 0.0);
    for (number, sample) in sound.iter().enumerate() {
        let phase = number as f64 * hertz / 48_000.0 * std::f64::consts::TAU;
        sine += f64::from(*sample) * phase.sin();
        cosine += f64::from(*sample) * phase.cos();
    }
    sine.hypot(cosine) * 2.0 / sound.len() as f64
}

#[test]
fn streams_of_ogg_that_follow_each_other_are_all_played() {
    peers::in_real_time!(streams_of_ogg_that_follow_each_other_are_all_played);
    if missing(&["ffmpeg"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    // Chained parts that differ in tone, codec, rate and number of channels; the last two have the
    // same configuration.
    let parts = [
        ("a.ogg", 1_000.0, "libvorbis", "44100", "1"),
        ("b.opus", 600.0, "libopus", "48000", "2"),
        ("c.ogg", 800.0, "flac", "48000", "1"),
        ("d.ogg", 400.0, "flac", "48000", "1"),
    ];
    let mut whole = Vec::new();
    for (name, hertz, codec, rate, channels) in parts {
        let path = folder.path().join(name);
        let sound = format!("aevalsrc='0.5*sin(2*PI*{hertz}*t)':s=48000:c=mono");
        let words = ["-hide_banner", "-nostdin", "-v", "error", "-f", "lavfi", "-i", &sound];
        let how = ["-t", "2", "-c:a", codec, "-ar", rate, "-ac", channels, path.to_str().unwrap()];
        Peer::start("ffmpeg", words.into_iter().chain(how)).wait_success(LIMIT);
        whole.extend(std::fs::read(path).unwrap());
    }
    let path = folder.path().join("all.ogg");
    std::fs::write(&path, whole).unwrap();

    let mut playing = PlayingSong::open(&path, EndBehavior::Hold);
    let over = |it: &PlayingSong| it.media.transport.position().is_some_and(|it| it.paused);
    playing.until("its end", over);
    let length = playing.media.transport.position().unwrap().whole.unwrap().as_secs_f64();
    assert!((length - 8.0).abs() < 0.01, "{length}");
    // The tones follow each other, each for its length. A busy machine may lose blocks; silent
    // blocks do not count.
    let mut runs: Vec<(f64, f64)> = Vec::new();
    for block in playing.sound.chunks_exact(2_400) {
        let Some((_, hertz, ..)) = parts.iter().find(|part| amplitude(block, part.1) > 0.3) else {
            continue;
        };
        match runs.last_mut() {
            Some((last, seconds)) if last.to_bits() == hertz.to_bits() => *seconds += 0.05,
            _ => runs.push((*hertz, 0.05)),
        }
    }
    eprintln!("  {runs:?}");
    let order: Vec<f64> = runs.iter().map(|run| run.0).collect();
    assert_eq!(order, parts.map(|part| part.1));
    assert!(runs.iter().all(|run| (1.5..2.1).contains(&run.1)), "{runs:?}");

    // Seeks to the third part, which is decoded correctly at once, and to the others.
    for (place, hertz) in [(5.0, 800.0), (0.5, 1_000.0), (2.1, 600.0)] {
        playing.media.transport.ask(TransportCommand::To(Duration::from_secs_f64(place)));
        let from = playing.sound.len();
        playing.until(&format!("{hertz} Hz at {place} s"), |it| {
            let new = &it.sound[from..];
            new.len() > 24_000 && amplitude(&new[new.len() - 9_600..], hertz) > 0.3
        });
    }
    // The probe reports the same length, and the codec of the first part.
    let (runtime, clock) = (Runtime::start().unwrap(), Clock::start());
    let file = Source::File(path);
    let found = probe::probe(&file, &net::Options::default(), &runtime, clock, &|| false).unwrap();
    assert!((found.duration.unwrap() - 8.0).abs() < 0.01, "{:?}", found.duration);
    assert_eq!(found.audio.unwrap().format.to_string(), "Vorbis");
}

#[test]
fn songs_can_be_paused_and_seeked() {
    if missing(&["ffmpeg"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for (name, codec, _) in SONGS {
        let path = song(folder.path(), name, codec);
        let mut playing = PlayingSong::open(&path, EndBehavior::Loop);
        playing.until("its sound", |it| it.sound.iter().any(|sample| sample.abs() > 0.1));
        playing.media.transport.ask(TransportCommand::Pause);
        playing.until("the pause", |it| it.media.transport.position().is_some_and(|it| it.paused));
        playing.until("silence", |it| it.sound.iter().rev().take(9_600).all(|it| *it == 0.0));
        playing.media.transport.ask(TransportCommand::To(Duration::from_millis(1_500)));
        playing.media.transport.ask(TransportCommand::Resume);
        playing.until("the place", |it| (1.5..2.5).contains(&it.place()));
        let from = playing.sound.len();
        playing.until(&format!("the tone of {name} there"), |it| {
            let new = &it.sound[from..];
            new.len() > 9_600 && (tone(&new[new.len() - 9_600..]) - 0.5).abs() < 0.05
        });
    }
}

#[test]
fn songs_are_probed() {
    if missing(&["ffmpeg"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (runtime, clock) = (Runtime::start().unwrap(), Clock::start());
    let kinds =
        [("mp3", "MP3"), ("mp3", "MP3"), ("mp3", "MP3"), ("flac", "FLAC"), ("ogg", "Vorbis")];
    let kinds = kinds.into_iter().chain([("ogg", "Opus"), ("ogg", "FLAC"), ("aac", "AAC")]);
    for ((name, codec, exact), (format, sound)) in SONGS.into_iter().zip(kinds) {
        let file = Source::File(song(folder.path(), name, codec));
        let found =
            probe::probe(&file, &net::Options::default(), &runtime, clock, &|| false).unwrap();
        let audio = found.audio.unwrap();
        assert_eq!((found.format, audio.format.to_string().as_str()), (format, sound), "{name}");
        let rate = if name == "vbr.mp3" { 44_100 } else { 48_000 };
        assert_eq!((audio.sample_rate, audio.channels), (Some(rate), Some(1)), "{name}");
        let off = found.duration.unwrap() - SECONDS;
        assert!(
            if exact { off.abs() < 0.001 } else { (0.0..0.11).contains(&off) },
            "{name}: {off}"
        );
    }
}

#[test]
fn damaged_songs_end_with_a_sentence() {
    if missing(&["ffmpeg"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for (name, codec, _) in SONGS {
        let path = song(folder.path(), name, codec);
        let whole = std::fs::read(&path).unwrap();
        // Parsing a file that is cut or damaged anywhere must not crash.
        let mut seed = 7_u64;
        for round in 0..300 {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let place = (seed >> 33) as usize % whole.len();
            let mut bad = whole.clone();
            if round % 2 == 0 {
                bad.truncate(place);
            } else {
                let end = (place + (seed as usize & 0xF)).min(bad.len());
                bad[place..end].fill((seed >> 8) as u8);
            }
            let mut source = bad.as_slice();
            let _ = audio::index(&mut source);
        }
        // With only its first bytes, the file fails with a reason.
        std::fs::write(&path, &whole[..whole.len().min(60)]).unwrap();
        let bad = PlayingSong::open(&path, EndBehavior::Clear);
        let status = &bad.media.audio_status;
        peers::wait_for("a word", LIMIT, || status.state() == SourceState::Failed);
        let reason = status.report().reason.to_string();
        assert!(reason.contains(name) && reason.len() > name.len() + 20, "{reason}");
        // A file damaged in the middle plays to its end.
        let mut bad = whole;
        let middle = bad.len() / 2;
        bad[middle..middle + 200].fill(0x55);
        std::fs::write(&path, &bad).unwrap();
        let mut playing = PlayingSong::open(&path, EndBehavior::Clear);
        playing.until("its end", |it| it.media.transport.position().is_some_and(|it| it.paused));
        let loud = playing.sound.iter().filter(|sample| sample.abs() > 0.1).count();
        assert!(loud > 48_000, "{name}: {loud}");
    }
}
