//! A WAV file as a source. A separate thread reads, converts and resamples the file in advance, and
//! loops it without a gap. In a looped file, the position depends only on the time since the grid's
//! origin, so a video file that is opened at the same time is in sync. A file that plays once
//! begins when it is opened; samples that are read late play later, and are not dropped.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{
    Async, FixedAsync, Resampler, SincInterpolationParameters, SincInterpolationType,
    WindowFunction,
};

use crate::audio::source::{Context, Error, Source};
use crate::audio::system::remixed;
use crate::base::queue::{self, Full, Receiver, Sender};
use crate::base::{FileStamp, Stop, Timestamp, Worker};
use crate::media::playback_control::{EndBehavior, TransportCommand};
use crate::media::samples::micros_to_frames;
use crate::media::source_status::{SourceFormat, SourceState, SourceStatus};
use crate::media::{AudioFeed, Pulled, Transport};
use crate::problems::ToProblem;
use crate::text::problem::{Problem, problem};
use crate::wire::codec::pcm::Pcm;
use crate::wire::container::audio::wav::WavAudio;
use crate::wire::container::{self, ReadAt};

/// Number of file frames per read. With this number, the reader wakes about a dozen times per
/// second.
const CHUNK_FRAMES: usize = 4_096;
/// Number of chunks read ahead.
const READ_AHEAD_CHUNKS: usize = 4;
/// Interval at which the reader checks whether an ended file should restart.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// Returns true if a file begins like a WAV file. An unreadable file counts as a WAV file, so that
/// this module reports the reason.
pub(super) fn is_wav(path: &Path) -> bool {
    let mut head = [0; 4];
    let regular = path.metadata().is_ok_and(|meta| meta.is_file());
    let read = regular.then(|| File::open(path).and_then(|mut file| file.read_exact(&mut head)));
    !matches!(read, Some(Ok(()))) || matches!(&head, b"RIFF" | b"RF64" | b"RIFX")
}

/// Opens a WAV file as a source.
pub(super) fn open(path: &Path, context: &Context) -> Result<Source, Error> {
    let fault = |reason: Problem| Error::File { path: path.to_owned(), reason };
    // Opening a pipe would block.
    FileStamp::of(path).map_err(fault)?;
    let file = File::open(path).map_err(|error| fault(error.into()))?;
    let clip = Clip::new(BufReader::new(file)).map_err(fault)?;
    let rate_in = clip.pcm.sample_rate;
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    let status = SourceStatus::new("", name);
    let Context { grid, rate, channels, at_end, .. } = *context;
    let turner = FormatConverter::new(rate_in, rate, channels)
        .ok_or_else(|| fault(problem!("wav-rate", rate = rate_in.to_string())))?;
    status.open(SourceFormat::Audio { rate: rate_in, channels: clip.pcm.channels });
    let (blocks, ready) = queue::bounded("file-audio", READ_AHEAD_CHUNKS, Full::Block);
    let its_status = Arc::clone(&status);
    let transport = Transport::default();
    transport.set_at_end(at_end);
    let (context, its_transport) = (*context, transport.clone());
    // Use the time of the request.
    let now = Instants(context).now();
    let worker = Worker::spawn("audio-file", move |stop| {
        let reader = Reader { clip, turner, instants: Instants(context), transport: its_transport };
        if let Err(why) = reader.read_ahead(now, &blocks, stop) {
            let reason = problem!("source-unreadable", reason = &why);
            its_status.down(SourceState::Failed, reason, why.to_string());
        }
    })?;
    let feed = Box::new(WavFeed {
        origin: grid.origin,
        rate,
        channels: usize::from(channels),
        ready,
        held: VecDeque::new(),
        first: 0,
        later: 0,
        _worker: worker,
    });
    Ok(Source { feed, status, transport })
}

fn unreadable(error: &container::Error) -> Problem {
    match error {
        container::Error::Io(error) => error.into(),
        container::Error::Unsupported(what) => {
            problem!("wav-unsupported", what = what.to_problem())
        }
        container::Error::UnknownFormat => problem!("wav-none"),
        other => problem!("wav-damaged", reason = other.to_string()),
    }
}

/// A file with random access. The number is the file's length in bytes.
struct RandomAccessFile<'a, R>(&'a mut R, u64);

impl<R: Read + Seek> ReadAt for RandomAccessFile<'_, R> {
    fn size(&self) -> u64 {
        self.1
    }

    fn read_at(&mut self, at: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.end(at, buffer.len())?;
        self.0.seek(SeekFrom::Start(at))?;
        self.0.read_exact(buffer)
    }
}

/// The audio of a file in its own format.
struct Clip<R> {
    reader: R,
    pcm: Pcm,
    /// The byte offset of the first frame.
    begins: u64,
    /// The number of frames.
    frames: u64,
    /// The next frame.
    next: u64,
    bytes: Vec<u8>,
}

impl<R: Read + Seek> Clip<R> {
    fn new(mut reader: R) -> Result<Self, Problem> {
        let size = reader.seek(SeekFrom::End(0))?;
        let found = WavAudio::find(&mut RandomAccessFile(&mut reader, size), 0);
        let WavAudio { pcm, begins, ends } = found.map_err(|error| unreadable(&error))?;
        let Pcm { sample_rate, channels, .. } = pcm;
        if !(4_000..=384_000).contains(&sample_rate) || !(1..=8).contains(&channels) {
            return Err(problem!("wav-shape", rate = sample_rate.to_string(), channels = channels));
        }
        // A file that announces more data than it contains ends at its real end.
        let frames = ends.min(size).saturating_sub(begins) / u64::from(pcm.frame());
        if frames == 0 {
            return Err(problem!("wav-empty"));
        }
        let mut clip = Self { reader, pcm, begins, frames, next: 0, bytes: Vec::new() };
        clip.seek(0)?;
        Ok(clip)
    }

    /// Moves to a frame. Numbers beyond the end continue at the beginning, as in a loop.
    fn seek(&mut self, frame: i64) -> Result<(), Problem> {
        let frames = i64::try_from(self.frames).unwrap_or(i64::MAX);
        self.next = frame.rem_euclid(frames).unsigned_abs();
        let at = self.begins + self.next * u64::from(self.pcm.frame());
        self.reader.seek(SeekFrom::Start(at))?;
        Ok(())
    }

    /// Fills `out`, whose size is a whole number of file frames. After the end, the file begins
    /// again if `again` returns true; otherwise, silence follows. Returns true if the file ended in
    /// this call.
    fn read(&mut self, out: &mut [f32], again: impl Fn() -> bool) -> Result<bool, Problem> {
        let mut filled = 0;
        let mut barren = 0;
        while let Some(rest) = out.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            let got = self.take(rest);
            filled += got;
            barren = if got == 0 { barren + 1 } else { 0 };
            if barren > 1 {
                return Err(problem!("wav-cut-off"));
            }
            match out.get_mut(filled..).filter(|rest| !rest.is_empty()) {
                Some(rest) if !again() => {
                    rest.fill(0.0);
                    return Ok(true);
                }
                Some(_) => self.seek(0)?,
                None => {}
            }
        }
        Ok(false)
    }

    /// Reads whole frames up to the end, and returns the number of values.
    fn take(&mut self, out: &mut [f32]) -> usize {
        let channels = usize::from(self.pcm.channels);
        let left = usize::try_from(self.frames - self.next.min(self.frames)).unwrap_or(usize::MAX);
        let wanted = (out.len() / channels).min(left) * channels * usize::from(self.pcm.bytes);
        self.bytes.clear();
        // An unreadable position counts as the end.
        let _ = self.reader.by_ref().take(wanted as u64).read_to_end(&mut self.bytes);
        let values = out.iter_mut().zip(self.pcm.values(&self.bytes));
        let got = values.map(|(out, value)| *out = value).count() / channels;
        self.next += got as u64;
        got * channels
    }
}

/// Converts channels and rate to those of the program.
struct FormatConverter {
    resampler: Option<Async<f32>>,
    channels: usize,
    /// Number of frames that the resampler outputs before the first frame of the file.
    delay: usize,
    mixed: Vec<f32>,
    scratch: Vec<f32>,
}

impl FormatConverter {
    fn new(rate_in: u32, rate_out: u32, channels: u16) -> Option<Self> {
        let channels = usize::from(channels);
        let resampler = if rate_in == rate_out {
            None
        } else {
            let parameters = SincInterpolationParameters::new(128, WindowFunction::BlackmanHarris2)
                .oversampling_factor(128)
                .interpolation(SincInterpolationType::Cubic);
            let ratio = f64::from(rate_out) / f64::from(rate_in.max(1));
            let fixed = FixedAsync::Input;
            Some(Async::new_sinc(ratio, 1.0, &parameters, CHUNK_FRAMES, channels, fixed).ok()?)
        };
        let delay = resampler.as_ref().map_or(0, |resampler| resampler.output_delay());
        let most = resampler.as_ref().map_or(0, |resampler| resampler.output_frames_max());
        let scratch = vec![0.0; most * channels];
        Some(Self { resampler, channels, delay, mixed: Vec::new(), scratch })
    }

    /// Converts a chunk of the file to the program's format.
    fn turn(&mut self, samples: &[f32], channels: usize) -> Result<Vec<f32>, Problem> {
        let wanted = self.channels;
        self.mixed.clear();
        self.mixed.extend(remixed(samples, channels, wanted, true));
        let Some(resampler) = &mut self.resampler else { return Ok(self.mixed.clone()) };
        let frames = self.mixed.len() / wanted;
        let input = InterleavedSlice::new(&self.mixed, wanted, frames);
        let room = self.scratch.len() / wanted;
        let output = InterleavedSlice::new_mut(&mut self.scratch, wanted, room);
        let (Ok(input), Ok(mut output)) = (input, output) else {
            return Err("a chunk of odd size".into());
        };
        let done = resampler.process_into_buffer(&input, &mut output, None);
        let (_, given) = done.map_err(|error| error.to_string())?;
        let skip = self.delay.min(given);
        self.delay -= skip;
        Ok(self.scratch.get(skip * wanted..given * wanted).unwrap_or_default().to_vec())
    }
}

/// A block of audio.
struct WavBlock {
    /// The number of the first frame of the block, counted from the grid's origin.
    first: i64,
    samples: Vec<f32>,
    /// True if the file begins with this block, or begins again on request.
    begins: bool,
    /// True if the position of the block follows the program, which means that late audio is
    /// dropped.
    in_step: bool,
}

/// The time of the program, as a number of audio frames at the program's rate.
struct Instants(Context);

impl Instants {
    fn now(&self) -> i64 {
        let Context { clock, grid, rate, .. } = self.0;
        micros_to_frames(clock.now().micros_since(grid.origin).max(0), rate)
    }
}

struct Reader {
    clip: Clip<BufReader<File>>,
    turner: FormatConverter,
    instants: Instants,
    transport: Transport,
}

impl Reader {
    /// Reads ahead from `now`, a frame number since the grid's origin.
    fn read_ahead(
        mut self,
        now: i64,
        blocks: &Sender<WavBlock>,
        stop: &Stop,
    ) -> Result<(), Problem> {
        let pcm = self.clip.pcm;
        let mut first = now;
        if self.again() {
            // Whole seconds are whole frames at any rate.
            let second = now / i64::from(self.instants.0.rate);
            first = second * i64::from(self.instants.0.rate);
            self.clip.seek(second.saturating_mul(i64::from(pcm.sample_rate)))?;
        }
        let mut chunk = vec![0.0; CHUNK_FRAMES * usize::from(pcm.channels)];
        let mut begins = true;
        while !stop.is_set() {
            if self.asked() {
                self.clip.seek(0)?;
            }
            let transport = &self.transport;
            let over = self.clip.read(&mut chunk, || transport.at_end() == EndBehavior::Loop)?;
            let Some(next) = self.send(&chunk, first, begins, blocks)? else { break };
            (first, begins) = (next, false);
            if over {
                // The resampler still contains some audio.
                chunk.fill(0.0);
                let Some(next) = self.send(&chunk, first, false, blocks)? else { break };
                while !self.asked() && !self.again() {
                    if stop.wait(POLL_INTERVAL) {
                        return Ok(());
                    }
                }
                self.clip.seek(0)?;
                (first, begins) = (next.max(self.instants.now()), true);
            }
        }
        Ok(())
    }

    /// Returns true if the file loops.
    fn again(&self) -> bool {
        self.transport.at_end() == EndBehavior::Loop
    }

    /// Returns true if a restart of the file was requested. A WAV file ignores other requests.
    fn asked(&self) -> bool {
        std::iter::from_fn(|| self.transport.take())
            .fold(false, |is, go| is | (go == TransportCommand::Restart))
    }

    /// Sends a chunk that begins at the frame `first`. Returns the next frame, or `None` if the
    /// receiver is gone.
    fn send(
        &mut self,
        chunk: &[f32],
        first: i64,
        begins: bool,
        blocks: &Sender<WavBlock>,
    ) -> Result<Option<i64>, Problem> {
        let samples = self.turner.turn(chunk, usize::from(self.clip.pcm.channels))?;
        let frames = (samples.len() / self.turner.channels) as i64;
        let piece = WavBlock { first, samples, begins, in_step: self.again() };
        Ok(blocks.send(piece).is_ok().then_some(first + frames))
    }
}

struct WavFeed {
    origin: Timestamp,
    rate: u32,
    channels: usize,
    ready: Receiver<WavBlock>,
    /// The buffered audio.
    held: VecDeque<f32>,
    /// The number of the first buffered frame.
    first: i64,
    /// Number of frames by which the audio plays late.
    later: i64,
    _worker: Worker,
}

impl AudioFeed for WavFeed {
    fn pull(&mut self, at: Timestamp, out: &mut [f32]) -> Pulled {
        let start = micros_to_frames(at.micros_since(self.origin), self.rate);
        let end = start + (out.len() / self.channels) as i64;
        loop {
            let held = (self.held.len() / self.channels) as i64;
            let old = (start - self.first).clamp(0, held);
            self.held.drain(..old as usize * self.channels);
            self.first += old;
            if self.first + held - old >= end {
                break;
            }
            let Ok(WavBlock { first, samples, begins, in_step }) = self.ready.try_recv() else {
                break;
            };
            let over = self.held.is_empty();
            if begins {
                // The block never begins before the end of the audio that is still playing.
                let end = self.first + (self.held.len() / self.channels) as i64;
                self.later = if over { 0 } else { (end - first).max(0) };
            }
            if over && !in_step {
                self.later = self.later.max(start - first);
            }
            let first = first + self.later;
            if over {
                self.first = first;
            }
            // If the file restarted after its end, silence separates the restart from the audio
            // that is still playing.
            let gap = first - self.first - (self.held.len() / self.channels) as i64;
            let gap = gap.clamp(0, i64::from(self.rate)) as usize;
            self.held.extend(std::iter::repeat_n(0.0, gap * self.channels));
            self.held.extend(samples);
        }
        let ahead = usize::try_from(self.first - start).unwrap_or(0) * self.channels;
        let (gap, rest) = out.split_at_mut(ahead.min(out.len()));
        gap.fill(0.0);
        let ready = self.held.len().min(rest.len());
        let whole = gap.is_empty() && ready == rest.len();
        let (samples, missing) = rest.split_at_mut(ready);
        // Copy the samples: the next pull drops those before it.
        for (out, sample) in samples.iter_mut().zip(&self.held) {
            *out = *sample;
        }
        missing.fill(0.0);
        if whole { Pulled::Audio } else { Pulled::Silence }
    }

    fn delay(&self) -> Duration {
        Duration::ZERO
    }
}
