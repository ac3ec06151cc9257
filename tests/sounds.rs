//! Tests of every audio format that onair plays: sample rate, pitch and duration.

mod he_aac;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::peers::{self, LIMIT, Peer, web};
use crate::watch::{Outcome, play};
use bytes::BytesMut;
use onair::base::{Clock, Timestamp};
use onair::media::{AudioFeed, Pulled};
use onair::mix::{self, Mixer, Strip, StripId};
use onair::player::{Config, Source, State};
use onair::wire::container::flv;
use onair::wire::container::flv::TagKind;
use onair::wire::container::mkv;

fn make(folder: &Path, name: &str, options: &[&str]) -> PathBuf {
    let path = folder.join(name);
    let words = ["-hide_banner", "-nostdin", "-y", "-v", "error", "-f", "lavfi", "-i"];
    let words = words.into_iter().chain(["sine=frequency=440:sample_rate=48000", "-t", "2"]);
    let words = words.chain(options.iter().copied()).chain([path.to_str().unwrap()]);
    Peer::start("ffmpeg", words).wait_success(LIMIT);
    path
}

/// The result of playing: sample rate, length in seconds, and the pitch in the middle.
struct PlaybackResult {
    outcome: Outcome,
    rate: u32,
    seconds: f64,
    pitch: f64,
}

fn hear(source: Source, folder: &Path) -> PlaybackResult {
    let dump = folder.join("heard.wav");
    // The dump does not overwrite an existing file.
    let _ = fs::remove_file(&dump);
    let config = Config { speaker: false, audio_dump: Some(dump.clone()), ..Config::new(source) };
    let outcome = play(&config, |_| false);
    assert_eq!(outcome.state, State::Ended, "{:?}", outcome.events);
    let wav = hound::WavReader::open(&dump).unwrap();
    let (rate, channels) = (wav.spec().sample_rate, usize::from(wav.spec().channels));
    let all: Vec<i16> = wav.into_samples().map(Result::unwrap).collect();
    let left: Vec<i16> = all.chunks(channels).map(|frame| frame[0]).collect();
    let middle = &left[left.len() / 4..left.len() * 3 / 4];
    // Upward zero crossings, interpolated between samples.
    let crossings: Vec<f64> = middle
        .windows(2)
        .enumerate()
        .filter(|(_, pair)| pair[0] < 0 && pair[1] >= 0)
        .map(|(at, pair)| {
            at as f64
                + f64::from(-i32::from(pair[0]))
                    / f64::from(i32::from(pair[1]) - i32::from(pair[0]))
        })
        .collect();
    let pitch = match (crossings.first(), crossings.last()) {
        (Some(first), Some(last)) if last > first => {
            (crossings.len() - 1) as f64 * f64::from(rate) / (last - first)
        }
        _ => 0.0,
    };
    PlaybackResult { outcome, rate, seconds: left.len() as f64 / f64::from(rate), pitch }
}

#[track_caller]
fn right(name: &str, result: &PlaybackResult, rate: u32) {
    let PlaybackResult { seconds, pitch, .. } = result;
    assert_eq!(result.rate, rate, "{name}");
    assert!((seconds - 2.0).abs() < 0.15, "{name}: {seconds} s");
    assert!((pitch - 440.0).abs() < 1.0, "{name}: {pitch} Hz");
    assert_eq!(result.outcome.figures.damaged, 0, "{name}");
}

#[test]
fn legacy_audio_of_flv_is_played() {
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    for (name, options, rate) in [
        ("mp3-44", &["-c:a", "libmp3lame", "-ar", "44100", "-ac", "2"][..], 44_100),
        ("mp3-22", &["-c:a", "libmp3lame", "-ar", "22050", "-ac", "1"], 22_050),
        ("pcm", &["-c:a", "pcm_s16le", "-ar", "44100", "-ac", "2"], 44_100),
        ("pcm8", &["-c:a", "pcm_u8", "-ar", "11025", "-ac", "1"], 11_025),
        ("alaw", &["-c:a", "pcm_alaw", "-ar", "8000", "-ac", "1"], 8_000),
        ("mulaw", &["-c:a", "pcm_mulaw", "-ar", "8000", "-ac", "1"], 8_000),
    ] {
        let file = make(folder.path(), &format!("{name}.flv"), options);
        right(name, &hear(Source::File(file), folder.path()), rate);
    }
}

#[test]
fn audio_of_transport_streams_is_played() {
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    for (name, options, rate) in [
        ("aac", &["-c:a", "aac", "-ar", "44100", "-ac", "2"][..], 44_100),
        ("mp3", &["-c:a", "libmp3lame", "-ar", "48000", "-ac", "2"], 48_000),
        ("opus", &["-c:a", "libopus", "-b:a", "96k", "-ac", "2"], 48_000),
        (
            "opus-speech",
            &["-c:a", "libopus", "-b:a", "16k", "-ac", "1", "-application", "voip"],
            48_000,
        ),
        ("s302m", &["-c:a", "s302m", "-strict", "-2", "-ac", "2"], 48_000),
        ("s302m-24", &["-c:a", "s302m", "-sample_fmt", "s32", "-strict", "-2", "-ac", "2"], 48_000),
        ("opus-long", &["-c:a", "libopus", "-frame_duration", "60", "-ac", "2"], 48_000),
    ] {
        let file = make(folder.path(), &format!("{name}.ts"), options);
        let data = fs::read(file).unwrap();
        let port = web::canned(move |_, socket| {
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", data.len());
            let _ = socket.write_all(head.as_bytes());
            let _ = socket.write_all(&data);
        });
        let source = Source::parse(&format!("http://127.0.0.1:{port}/x"));
        right(name, &hear(source, folder.path()), rate);
    }
}

/// An FLV file of these audio bodies, each with this many samples at 48 kHz.
fn film(
    folder: &Path,
    name: &str,
    start: Option<Vec<u8>>,
    bodies: &[Vec<u8>],
    lasts: u32,
) -> PathBuf {
    let mut out = BytesMut::new();
    out.extend_from_slice(&flv::file_header(false, true));
    if let Some(start) = start {
        flv::write_tag(TagKind::Audio, 0, &start, &mut out);
    }
    for (at, body) in bodies.iter().enumerate() {
        let time_ms = (at as u64 * u64::from(lasts) * 1_000 / 48_000) as u32;
        flv::write_tag(TagKind::Audio, time_ms, body, &mut out);
    }
    let path = folder.join(name);
    fs::write(&path, &out).unwrap();
    path
}

#[test]
fn audio_of_mp4_and_mkv_files_is_played() {
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    for (name, options, rate) in [
        ("aac.mp4", &["-c:a", "aac", "-ar", "44100"][..], 44_100),
        ("mp3.mp4", &["-c:a", "libmp3lame", "-ar", "44100"], 44_100),
        ("opus.mp4", &["-c:a", "libopus", "-strict", "-2"], 48_000),
        ("flac.mp4", &["-c:a", "flac", "-strict", "-2", "-ac", "2"], 48_000),
        ("mp3.mkv", &["-c:a", "libmp3lame", "-ar", "44100"], 44_100),
        ("opus.mkv", &["-c:a", "libopus", "-ac", "2"], 48_000),
        ("flac.mkv", &["-c:a", "flac", "-ar", "44100"], 44_100),
        ("sowt.mov", &["-c:a", "pcm_s16le", "-ar", "44100", "-ac", "2"], 44_100),
        ("twos.mov", &["-c:a", "pcm_s16be"], 48_000),
        ("s8.mov", &["-c:a", "pcm_s8"], 48_000),
        ("raw.mov", &["-c:a", "pcm_u8"], 48_000),
        ("in24.mov", &["-c:a", "pcm_s24be", "-ac", "2"], 48_000),
        ("in24-little.mov", &["-c:a", "pcm_s24le", "-ar", "44100"], 44_100),
        ("in32.mov", &["-c:a", "pcm_s32be"], 48_000),
        ("fl32.mov", &["-c:a", "pcm_f32be"], 48_000),
        ("fl64.mov", &["-c:a", "pcm_f64le"], 48_000),
        ("lpcm.mov", &["-c:a", "pcm_s24le", "-ar", "96000", "-ac", "2"], 96_000),
        ("alaw.mov", &["-c:a", "pcm_alaw", "-ar", "8000"], 8_000),
        ("ulaw.mov", &["-c:a", "pcm_mulaw", "-ar", "8000"], 8_000),
        ("51.mov", &["-c:a", "pcm_s16le", "-ac", "6"], 48_000),
        ("fragments.mov", &["-c:a", "pcm_s16le", "-movflags", "frag_keyframe+empty_moov"], 48_000),
        ("int-8.mkv", &["-c:a", "pcm_u8"], 48_000),
        ("int-16.mkv", &["-c:a", "pcm_s16le", "-ac", "2"], 48_000),
        ("int-24.mkv", &["-c:a", "pcm_s24le"], 48_000),
        ("big.mkv", &["-c:a", "pcm_s16be", "-ar", "44100"], 44_100),
        ("float.mkv", &["-c:a", "pcm_f32le", "-ac", "2"], 48_000),
        ("double.mkv", &["-c:a", "pcm_f64le"], 48_000),
        ("alaw.mkv", &["-c:a", "pcm_alaw", "-ar", "8000"], 8_000),
    ] {
        let file = make(folder.path(), name, options);
        right(name, &hear(Source::File(file), folder.path()), rate);
    }
}

#[test]
fn he_aac_keeps_rate_and_pitch() {
    let folder = tempfile::tempdir().unwrap();
    for (name, object_type) in [("he", 5), ("he-v2", 29)] {
        let made = he_aac::make(object_type, 2);
        assert_eq!(made.length, 2_048);
        let start = [&[0xAF, 0][..], &made.config].concat();
        let bodies: Vec<_> =
            made.units.iter().map(|unit| [&[0xAF, 1][..], unit].concat()).collect();
        let file = film(folder.path(), &format!("{name}.flv"), Some(start), &bodies, made.length);
        let result = hear(Source::File(file), folder.path());
        right(name, &result, 48_000);
        assert!(
            result.outcome.figures.audio.starts_with("HE-AAC"),
            "{}",
            result.outcome.figures.audio
        );
        // Signaled as older muxers do: AAC-LC at half the rate, and the extension only in the
        // bitstream.
        let core = onair::wire::codec::aac::AudioSpecificConfig::lc(
            24_000,
            if object_type == 29 { 1 } else { 2 },
        );
        let start = [&[0xAF, 0][..], &core.unwrap().build().unwrap()].concat();
        let file = film(folder.path(), "implicit.flv", Some(start), &bodies, made.length);
        right(&format!("{name}, implicit"), &hear(Source::File(file), folder.path()), 48_000);
    }
}

#[test]
fn flac_of_flv_plays() {
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    let flac = make(folder.path(), "a.flac", &["-c:a", "flac", "-frame_size", "4608", "-ac", "2"]);
    let data = fs::read(flac).unwrap();
    // Metadata blocks: STREAMINFO first, then others. After them, numbered frames.
    let mut at = 4;
    let info = data[8..42].to_vec();
    loop {
        let last = data[at] & 0x80 != 0;
        let length = u32::from_be_bytes([0, data[at + 1], data[at + 2], data[at + 3]]) as usize;
        at += 4 + length;
        if last {
            break;
        }
    }
    let head = [data[at], data[at + 1], data[at + 3]];
    let mut starts = Vec::new();
    for place in at..data.len() - 5 {
        let number = starts.len() as u8;
        if [data[place], data[place + 1], data[place + 3]] == head && data[place + 4] == number {
            starts.push(place);
        }
    }
    assert!((20..=22).contains(&starts.len()), "{}", starts.len());
    let body = |first: u8, rest: &[u8]| [&[first][..], b"fLaC", rest].concat();
    let ends = starts.iter().skip(1).copied().chain([data.len()]);
    let bodies: Vec<_> =
        starts.iter().zip(ends).map(|(from, until)| body(0x91, &data[*from..until])).collect();
    let start = body(0x90, &[&b"fLaC\x80\0\0\x22"[..], &info].concat());
    let file = film(folder.path(), "flac.flv", Some(start), &bodies, 4_608);
    right("flac", &hear(Source::File(file), folder.path()), 48_000);
}

/// Prepared audio, played once, then silence.
struct Made {
    samples: Arc<Vec<f32>>,
    at: usize,
    over: Arc<AtomicBool>,
}

impl AudioFeed for Made {
    fn pull(&mut self, _: Timestamp, out: &mut [f32]) -> Pulled {
        let rest = &self.samples[self.at..];
        let ready = rest.len().min(out.len());
        out[..ready].copy_from_slice(&rest[..ready]);
        out[ready..].fill(0.0);
        self.at += ready;
        self.over.store(self.at == self.samples.len(), Ordering::Relaxed);
        if ready == out.len() { Pulled::Audio } else { Pulled::Silence }
    }

    fn delay(&self) -> Duration {
        Duration::ZERO
    }
}

/// Six seconds of stereo at 48 kHz that fade in and out, so that block borders do not matter.
fn sound(of: impl Fn(f64) -> (f64, f64)) -> Arc<Vec<f32>> {
    let seconds = 6.0;
    let frame = |index: usize| {
        let t = index as f64 / 48_000.0;
        let soft = (t.min(seconds - t) / 0.8).clamp(0.0, 1.0).powi(4);
        let (left, right) = of(t);
        [(left * soft) as f32, (right * soft) as f32]
    };
    Arc::new((0..(seconds * 48_000.0) as usize).flat_map(frame).collect())
}

/// A mixer with one strip, because loudness is measured on the program.
fn one_strip_mixer(config: mix::Config, feed: Box<dyn AudioFeed>) -> Mixer {
    let mixer = Mixer::spawn(config).unwrap();
    mixer.set_strip(StripId::MAIN, Strip::default());
    mixer.set_feed(StripId::MAIN, Some(feed));
    mixer
}

/// Waits until each mixer has produced this many more samples per channel.
fn wait_for_more(mixers: &[Mixer], samples: u64) {
    let made: Vec<u64> = mixers.iter().map(|mixer| mixer.figures().samples).collect();
    peers::wait_for("more sound", LIMIT, || {
        mixers.iter().zip(&made).all(|(mixer, made)| mixer.figures().samples > made + samples)
    });
}

/// ffmpeg's measurement of the samples: integrated loudness, and true peak in dBTP.
fn by_ffmpeg(folder: &Path, samples: &[f32]) -> (f64, f64) {
    let path = folder.join("sound.f32");
    let bytes: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    fs::write(&path, bytes).unwrap();
    let output = std::process::Command::new("ffmpeg")
        .args(["-hide_banner", "-nostdin", "-v", "error", "-f", "f32le", "-ar", "48000"])
        .args(["-ac", "2", "-i"])
        .arg(&path)
        .args(["-af", "apad=pad_dur=1,ebur128=peak=true:metadata=1,ametadata=print:file=-"])
        .args(["-f", "null", "-"])
        .output()
        .unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    let last = |key: &str| -> f64 {
        let line = stdout.lines().rfind(|line| line.starts_with(key));
        line.unwrap_or_else(|| panic!("{key}: {stdout}"))
            .split_once('=')
            .unwrap()
            .1
            .parse()
            .unwrap()
    };
    // The peak of each channel, as a factor.
    let peak = ["lavfi.r128.true_peaks_ch0", "lavfi.r128.true_peaks_ch1"].map(last);
    (last("lavfi.r128.I"), 20.0 * peak[0].max(peak[1]).log10())
}

#[test]
fn loudness_is_what_ffmpeg_measures() {
    if peers::missing(&["ffmpeg"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let tone = |t: f64, hz: f64| (t * hz * std::f64::consts::TAU).sin();
    let noise = |t: f64| {
        let seed = ((t * 48_000.0).round() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        ((seed ^ (seed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 40) as f64 / 8_388_608.0 - 1.0
    };
    let sounds = [
        // Volume like that of a voice: the gate excludes the pauses.
        sound(|t| {
            let loud = if (t * 1.3).fract() < 0.6 { 0.2 } else { 0.002 };
            (loud * noise(t), loud * noise(t + 100.0))
        }),
        // One channel only, with low and high frequencies, which the weighting treats differently.
        sound(|t| (0.5 * tone(t, 60.0) + 0.2 * tone(t, 8_000.0), 0.0)),
        // Peaks between samples.
        sound(|t| {
            let both = 0.7 * (t * 12_000.0 * std::f64::consts::TAU + 0.785).sin();
            (both, -both)
        }),
    ];
    let clock = Clock::start();
    let config = mix::Config { rate: 48_000, channels: 2, origin: clock.now(), clock };
    let overs: Vec<Arc<AtomicBool>> = sounds.iter().map(|_| Arc::default()).collect();
    let start = |(samples, over): (&Arc<Vec<f32>>, &Arc<AtomicBool>)| {
        let feed = Made { samples: Arc::clone(samples), at: 0, over: Arc::clone(over) };
        one_strip_mixer(config, Box::new(feed))
    };
    let mixers: Vec<Mixer> = sounds.iter().zip(&overs).map(start).collect();
    peers::wait_for("the end of all sounds", LIMIT, || {
        overs.iter().all(|over| over.load(Ordering::Relaxed))
    });
    // Pulled audio is metered within moments; the silence after it changes nothing.
    wait_for_more(&mixers, 24_000);
    for (number, (samples, mixer)) in (1..).zip(sounds.iter().zip(&mixers)) {
        let (loudness, peak) = by_ffmpeg(folder.path(), samples);
        let reading = mixer.meter();
        let ours = f64::from(reading.integrated_lufs.unwrap());
        assert!((ours - loudness).abs() < 0.1, "{number}: {ours} LUFS, ffmpeg {loudness}");
        let ours = f64::from(reading.true_peak_dbtp);
        // Both meters oversample, with different filters: at the highest frequencies, such as in
        // white noise, they differ.
        let close = number == 1 || (ours - peak).abs() < 0.5;
        assert!(close, "{number}: {ours} dBTP, ffmpeg {peak}");
    }
}

/// Audio that repeats without end.
struct Again {
    samples: Vec<f32>,
    at: usize,
}

impl AudioFeed for Again {
    fn pull(&mut self, _: Timestamp, out: &mut [f32]) -> Pulled {
        for sample in out {
            *sample = self.samples[self.at];
            self.at = (self.at + 1) % self.samples.len();
        }
        Pulled::Audio
    }

    fn delay(&self) -> Duration {
        Duration::ZERO
    }
}

/// Audio of 100 ms that repeats, so that momentary and short-term loudness are the same at any
/// time.
#[test]
fn momentary_and_short_term_loudness_are_what_ffmpeg_measures() {
    peers::require!("ffmpeg");
    let tau = std::f64::consts::TAU;
    let noise = |index: usize| {
        let seed = (index as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        ((seed ^ (seed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 40) as f64 / 8_388_608.0 - 1.0
    };
    let sounds: Vec<Vec<f32>> = [
        // Syllables with gaps.
        (&|index: usize| {
            let loud = if index < 2_900 { 0.3 } else { 0.0 };
            (loud * noise(index), loud * noise(index))
        }) as &dyn Fn(usize) -> (f64, f64),
        // A chord that swells, with different tones in the two channels.
        &|index: usize| {
            let t = index as f64 / 48_000.0;
            let swell = 0.6 + 0.4 * (t * 10.0 * tau).sin();
            let tone = |hz: f64| (t * hz * tau).sin() * 0.12 * swell;
            (tone(110.0) + tone(440.0) + tone(4_400.0), tone(220.0) + tone(660.0))
        },
        // A kick drum in one channel.
        &|index: usize| {
            let t = index as f64 / 48_000.0;
            (0.9 * (t * 60.0 * tau).sin() * (-t * 40.0).exp(), 0.0)
        },
    ]
    .iter()
    .map(|of| {
        (0..4_800).flat_map(|index| <[f64; 2]>::from(of(index))).map(|it| it as f32).collect()
    })
    .collect();
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::start();
    let config = mix::Config { rate: 48_000, channels: 2, origin: clock.now(), clock };
    let start = |samples: &Vec<f32>| {
        one_strip_mixer(config, Box::new(Again { samples: samples.clone(), at: 0 }))
    };
    let mixers: Vec<Mixer> = sounds.iter().map(start).collect();
    // Longer than the longer window.
    wait_for_more(&mixers, 4 * 48_000);
    for (number, (samples, mixer)) in (1..).zip(sounds.iter().zip(&mixers)) {
        let whole = samples.repeat(60);
        let path = folder.path().join("again.f32");
        fs::write(&path, whole.iter().flat_map(|it| it.to_le_bytes()).collect::<Vec<_>>()).unwrap();
        let output = std::process::Command::new("ffmpeg")
            .args(["-hide_banner", "-nostdin", "-v", "error", "-f", "f32le", "-ar", "48000"])
            .args(["-ac", "2", "-i"])
            .arg(&path)
            .args(["-af", "ebur128=metadata=1,ametadata=print:file=-", "-f", "null", "-"])
            .output()
            .unwrap();
        let stdout = String::from_utf8(output.stdout).unwrap();
        let last = |key: &str| -> f64 {
            let line = stdout.lines().rfind(|line| line.starts_with(key)).unwrap();
            line.split_once('=').unwrap().1.parse().unwrap()
        };
        let reading = mixer.meter();
        for (key, ours) in
            [("lavfi.r128.M=", reading.momentary_lufs), ("lavfi.r128.S=", reading.short_term_lufs)]
        {
            let (ours, theirs) = (f64::from(ours.unwrap()), last(key));
            assert!((ours - theirs).abs() < 0.1, "{number} {key} {ours}, ffmpeg {theirs}");
        }
    }
}

/// Matroska can put several audio frames into one block, in three ways.
#[test]
fn laced_audio_of_matroska_is_found_frame_by_frame() {
    peers::require!("ffmpeg", "ffprobe", "mkvmerge");
    let folder = tempfile::tempdir().unwrap();
    let plain = make(folder.path(), "plain.mkv", &["-c:a", "ac3", "-ac", "2"]);
    for ways in [&[][..], &["--engage", "lacing_xiph"], &["--engage", "lacing_ebml"]] {
        let laced = folder.path().join("laced.mkv");
        let words = [&["-q", "-o", laced.to_str().unwrap()], ways, &[plain.to_str().unwrap()]];
        Peer::start("mkvmerge", words.concat()).wait_success(LIMIT);
        let theirs = peers::ffmpeg::probe(&laced).packets("audio");
        let blocks = fs::read(&laced).unwrap();
        let index = mkv::index_to_play(&mut blocks.as_slice()).unwrap();
        assert!(
            index.unsupported_contents.is_empty() && theirs.len() > 50,
            "{:?}",
            index.unsupported_contents
        );
        assert_eq!(index.samples.len(), theirs.len(), "{ways:?}");
        for (ours, theirs) in index.samples.iter().zip(&theirs) {
            assert_eq!(u64::from(ours.size), theirs.size, "{ours:?}");
            // ffprobe's times are rounded to whole milliseconds of the block.
            let seconds = ours.pts.as_micros() as f64 / 1e6;
            assert!((seconds - theirs.pts).abs() < 0.002, "{ours:?}, {theirs:?}");
            // The sync word with which each AC-3 frame begins.
            assert_eq!(blocks[ours.at as usize..][..2], [0x0B, 0x77]);
        }
        if cfg!(feature = "ffmpeg") {
            let result = hear(Source::File(laced), folder.path());
            assert!(
                (result.pitch - 440.0).abs() < 1.0 && result.seconds > 1.9,
                "{}",
                result.seconds
            );
        }
    }
}

#[test]
fn damaged_audio_of_every_kind_ends_in_time() {
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    let mut seed = 0x5EED_u64;
    let mut random = move || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed
    };
    let mp3 = make(folder.path(), "a.flv", &["-c:a", "libmp3lame", "-ar", "44100"]);
    let ts = make(folder.path(), "a.ts", &["-c:a", "libopus"]);
    let mut demuxer = onair::wire::container::ts::Demuxer::new();
    let mut bodies = vec![[&[0x90][..], b"OpusOpusHead\x01\x02\0\0\x80\xBB\0\0\0\0\0"].concat()];
    demuxer.push(&fs::read(ts).unwrap(), &mut |event| {
        if let onair::wire::container::ts::Event::Audio { data, .. } = event {
            bodies.push([&[0x91][..], b"Opus", &data].concat());
        }
    });
    let opus = film(folder.path(), "opus.flv", None, &bodies, 960);
    for path in [mp3, opus] {
        let whole = fs::read(&path).unwrap();
        for round in 0..3 {
            let mut data = whole.clone();
            for _ in 0..data.len() / 60 {
                let at = 40 + random() as usize % (data.len() - 40);
                // Tag headers stay intact, so that the damage reaches the decoders.
                data[at] ^= (random() & 0x3F) as u8;
            }
            let file = folder.path().join(format!("damaged-{round}.flv"));
            fs::write(&file, data).unwrap();
            let config = Config { speaker: false, ..Config::new(Source::File(file)) };
            let outcome = play(&config, |figures| figures.damaged > 300);
            assert!(outcome.state.is_final() || outcome.figures.damaged > 300);
        }
    }
}
