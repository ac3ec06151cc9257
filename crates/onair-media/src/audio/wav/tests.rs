//! Tests of WAV files as sources, played completely.

use hound::{SampleFormat, WavSpec};

use super::*;
use crate::base::Clock;
use crate::media::{FrameGrid, FrameRate};

fn write(spec: WavSpec, frames: u32, value: impl Fn(u32, u16) -> f32) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut writer = hound::WavWriter::create(file.path(), spec).unwrap();
    for frame in 0..frames {
        for channel in 0..spec.channels {
            let sample = value(frame, channel);
            match spec.sample_format {
                SampleFormat::Float => writer.write_sample(sample).unwrap(),
                SampleFormat::Int => {
                    let scale = (1_i64 << (spec.bits_per_sample - 1)) as f32;
                    writer.write_sample((sample * scale) as i32).unwrap();
                }
            }
        }
    }
    writer.finalize().unwrap();
    file
}

fn pull_all(context: &Context, path: &Path, blocks: i64) -> Vec<f32> {
    let mut source = open(path, context).unwrap();
    let mut all = Vec::new();
    for block in 0..blocks {
        let at = context.grid.origin.offset(block * 10_000);
        let mut out = vec![0.0; context.rate as usize / 100 * usize::from(context.channels)];
        let mut tries = 0;
        // The reader is a separate thread, so an early pull may be repeated.
        while source.feed.pull(at, &mut out) == Pulled::Silence && tries < 30_000 {
            Stop::new().wait(Duration::from_millis(1));
            tries += 1;
        }
        all.extend_from_slice(&out);
    }
    all
}

fn context(rate: u32, channels: u16) -> Context {
    let grid = FrameGrid { origin: Timestamp::ZERO, rate: FrameRate::FPS_30 };
    Context { clock: Clock::start(), grid, rate, channels, at_end: EndBehavior::Loop }
}

#[test]
fn every_format_plays_and_loops_without_a_seam() {
    for (bits, sample_format, channels) in [
        (16, SampleFormat::Int, 2),
        (24, SampleFormat::Int, 1),
        (32, SampleFormat::Int, 2),
        (8, SampleFormat::Int, 1),
        (32, SampleFormat::Float, 6),
    ] {
        let spec = WavSpec { channels, sample_rate: 48_000, bits_per_sample: bits, sample_format };
        // A ramp over 4,800 frames shows the position of each frame.
        let file = write(spec, 4_800, |frame, _| frame as f32 / 4_800.0 - 0.5);
        let samples = pull_all(&context(48_000, 2), file.path(), 25);
        assert_eq!(samples.len(), 25 * 960);
        // Stereo also contains the center and one surround channel, each 3 dB lower.
        let gain = if channels > 2 { 1.0 + std::f32::consts::SQRT_2 } else { 1.0 };
        for (index, frame) in samples.chunks(2).enumerate() {
            let want = gain * ((index % 4_800) as f32 / 4_800.0 - 0.5);
            assert!((frame[0] - want).abs() < 0.01, "{bits} bits at {index}: {frame:?}");
            assert_eq!(frame[0], frame[1]);
        }
    }
}

const TEST_TIMEOUT: Duration = Duration::from_secs(30);

/// Pulls until at least this many samples and a pause have arrived. Returns the audio without the
/// surrounding silence, and moves `from` to the end of the pulled audio.
fn pull_until_silent(
    source: &mut Source,
    context: &Context,
    from: &mut i64,
    least: usize,
) -> Vec<f32> {
    let mut all = Vec::new();
    let mut quiet = 0;
    let begun = context.clock.now();
    while quiet < 60 || all.len() < least {
        assert!(context.clock.now().since(begun) < TEST_TIMEOUT, "{} of {least}", all.len());
        let at = context.grid.origin.offset(*from * 10_000);
        // Like the mixer, request each block when it is due.
        while context.clock.now() < at + Duration::from_millis(10) {
            Stop::new().wait(Duration::from_millis(1));
        }
        let mut out = vec![0.0; context.rate as usize / 100];
        source.feed.pull(at, &mut out);
        let loud = out.iter().any(|it| *it != 0.0);
        quiet = if loud { 0 } else { quiet + 1 };
        *from += 1;
        all.extend(out.into_iter().filter(|it| *it != 0.0));
    }
    all
}

#[test]
fn a_file_played_once_plays_completely_and_then_stops_until_it_is_restarted() {
    for rate in [48_000, 44_100] {
        let spec = WavSpec {
            channels: 1,
            sample_rate: rate,
            bits_per_sample: 32,
            sample_format: SampleFormat::Float,
        };
        let count = rate / 5;
        let file = write(spec, count, |frame, _| 0.5 - (frame % 7) as f32 / 100.0);
        let at_end = EndBehavior::Clear;
        let context = Context { at_end, ..context(48_000, 1) };
        let mut source = open(file.path(), &context).unwrap();
        let mut next = 0;
        // The resampler rings slightly at both ends.
        let ring = if rate == 48_000 { 0 } else { 200 };
        let (least, most) = (9_600 - ring, 9_600 + ring);
        let whole = |samples: &[f32]| {
            assert!((least..=most).contains(&samples.len()), "{rate} Hz: {}", samples.len());
            let middle = &samples[1_000..8_600];
            assert!(middle.iter().all(|it| (0.4..0.55).contains(it)), "{rate} Hz");
        };
        whole(&pull_until_silent(&mut source, &context, &mut next, least));
        // The file has ended, and restarts on request.
        source.transport.ask(TransportCommand::Restart);
        whole(&pull_until_silent(&mut source, &context, &mut next, least));
        assert!(pull_until_silent(&mut source, &context, &mut next, 0).is_empty());
        // A changed end behavior applies from then on.
        source.transport.set_at_end(EndBehavior::Loop);
        let at = |block: i64| context.grid.origin.offset(block * 10_000);
        let mut out = vec![0.0; 480];
        let clock = Clock::start();
        while source.feed.pull(at(next), &mut out) == Pulled::Silence || out[0] == 0.0 {
            assert!(clock.now().since(Timestamp::ZERO) < TEST_TIMEOUT, "it does not begin again");
            Stop::new().wait(Duration::from_millis(10));
            next += 1;
        }
        source.transport.set_at_end(EndBehavior::Hold);
        let clock = Clock::start();
        while !pull_until_silent(&mut source, &context, &mut next, 0).is_empty() {
            assert!(clock.now().since(Timestamp::ZERO) < TEST_TIMEOUT, "it does not end");
        }
    }
}

#[test]
fn a_file_played_once_skips_nothing_where_it_is_read_too_late() {
    let (blocks, ready) = queue::bounded("test", 8, Full::Block);
    let worker = Worker::spawn("test", |_| ()).unwrap();
    let (held, origin) = (VecDeque::new(), Timestamp::ZERO);
    let mut feed = WavFeed {
        origin,
        rate: 1_000,
        channels: 1,
        ready,
        held,
        first: 0,
        later: 0,
        _worker: worker,
    };
    let mut pull = |at: i64| {
        let mut out = [0.0; 10];
        feed.pull(Timestamp::from_millis(at), &mut out);
        out.map(|it| it as i32)
    };
    let send = |first: i64, samples: [i32; 10], begins, in_step| {
        let samples = samples.map(|it| it as f32).to_vec();
        blocks.send(WavBlock { first, samples, begins, in_step }).unwrap();
    };
    let (one, two) = ([1; 10], [2; 10]);
    // This covers the beginning, the middle and the restart of the file.
    assert_eq!(pull(0), [0; 10]);
    send(3, one, true, false);
    assert_eq!(pull(10), one);
    assert_eq!(pull(20), [0; 10]);
    send(13, two, false, false);
    assert_eq!(pull(30), two);
    send(35, one, true, false);
    assert_eq!(pull(40), one);
    // The audio is at its correct position in time, and never overlaps audio that is still playing.
    send(52, one, true, false);
    send(58, two, true, false);
    assert_eq!(pull(50), [0, 0, 1, 1, 1, 1, 1, 1, 1, 1]);
    assert_eq!(pull(60), [1, 1, 2, 2, 2, 2, 2, 2, 2, 2]);
    // Audio in sync with the program keeps its position.
    send(75, one, true, true);
    assert_eq!(pull(80), [1, 1, 1, 1, 1, 0, 0, 0, 0, 0]);
}

#[test]
fn other_rates_are_resampled_in_place() {
    let spec = WavSpec {
        channels: 1,
        sample_rate: 44_100,
        bits_per_sample: 32,
        sample_format: SampleFormat::Float,
    };
    // 440 Hz fits the loop exactly.
    let wave = |time: f32| (time * 440.0 * std::f32::consts::TAU).sin() * 0.5;
    let file = write(spec, 4_410, |frame, _| wave(frame as f32 / 44_100.0));
    let samples = pull_all(&context(48_000, 1), file.path(), 60);
    for (index, sample) in samples.iter().enumerate().skip(200) {
        let want = wave(index as f32 / 48_000.0);
        assert!((sample - want).abs() < 0.02, "at {index}: {sample} for {want}");
    }
}

#[test]
fn hostile_files_are_refused() {
    let context = context(48_000, 2);
    let spec = WavSpec {
        channels: 1,
        sample_rate: 48_000,
        bits_per_sample: 16,
        sample_format: SampleFormat::Int,
    };
    let empty = write(spec, 0, |_, _| 0.0);
    assert!(open(empty.path(), &context).is_err());
    let garbage = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(garbage.path(), b"RIFF\xff\xff\xff\xffWAVEfmt \xff\xff\xff\xff").unwrap();
    assert!(open(garbage.path(), &context).is_err());
    assert!(open(Path::new("/nonexistent.wav"), &context).is_err());
    let odd = WavSpec { sample_rate: 1, ..spec };
    assert!(open(write(odd, 9, |_, _| 0.0).path(), &context).is_err());
}

#[test]
fn what_is_no_file_is_refused_before_it_is_opened() {
    let Err(Error::File { reason, .. }) = open(Path::new("/dev/null"), &context(48_000, 2)) else {
        panic!("it was opened");
    };
    assert_eq!(reason.id(), "io-not-a-file");
}
