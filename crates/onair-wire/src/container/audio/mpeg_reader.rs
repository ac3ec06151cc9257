//! Reads MP3 and ADTS, whose frames have no index. The position in the file gives the time, by the
//! encoder's seek table or by the average frame size.

use crate::base::Timestamp;
use crate::wire::container::audio::mpeg_frames::{
    DECODER_DELAY_SAMPLES, Frame, MAX_NOISE_BYTES, READ_ADTS_HEADER, READ_MPEG_HEADER, ReadHeader,
    Tag, describe, find, frame_at,
};
use crate::wire::container::audio::packets::{Kind, audio_span, index_of, several, time, units};
use crate::wire::container::audio::wav::MAX_PLAUSIBLE_BYTES;
use crate::wire::container::{
    Demuxer, Error, FilePart, Index, ReadAt, SampleLocation, TrackId, Unit,
};

/// Number of bytes at the end of the file in which frames are counted for the average.
const TAIL_SCAN_BYTES: u64 = 64 << 10;

/// The reader of MP3 and ADTS files.
#[derive(Clone, Debug)]
pub(super) struct MpegFile {
    kind: Kind,
    index: Index,
    head: ReadHeader,
    first: Frame,
    rate: u32,
    tag: Tag,
    /// Position of the first audio byte.
    audio_start: u64,
    /// Total number of samples, announced or computed.
    all: Option<u64>,
    /// Sample counts with their byte positions, in order.
    map: Vec<(u64, u64)>,
    units: Vec<Unit>,
    /// Position of the next read.
    at: u64,
    samples: u64,
    /// True if the next read must first search for a frame.
    lands: bool,
    /// True if the file was not read continuously from its start.
    leapt: bool,
    /// Frames counted from the start of the file.
    seen: FrameCount,
}

/// Counts of frames and bytes.
#[derive(Copy, Clone, Debug, Default)]
struct FrameCount {
    frames: u64,
    bytes: u64,
    samples: u64,
    /// Bitrate of all frames; 0 if it varies or is unknown.
    bitrate: u32,
}

impl FrameCount {
    fn add(&mut self, frame: &Frame) {
        let alike = self.frames == 0 || self.bitrate == frame.bitrate;
        self.bitrate = if alike { frame.bitrate } else { 0 };
        self.frames += 1;
        self.bytes += frame.length as u64;
        self.samples += u64::from(frame.samples);
    }

    fn and(self, other: Self) -> Self {
        if self.frames == 0 || other.frames == 0 {
            return if self.frames == 0 { other } else { self };
        }
        Self {
            frames: self.frames + other.frames,
            bytes: self.bytes + other.bytes,
            samples: self.samples + other.samples,
            bitrate: if self.bitrate == other.bitrate { self.bitrate } else { 0 },
        }
    }

    /// Returns the average size in bytes of a frame with this many samples at this rate.
    fn mean(&self, samples: u32, rate: u32) -> f64 {
        let frames = self.frames.max(1) as f64;
        let mean = self.bytes as f64 / frames;
        let nominal = f64::from(self.bitrate) / 8.0 * f64::from(samples) / f64::from(rate);
        // Most encoders keep a constant bitrate exact by padding some frames with a byte.
        if (nominal - mean).abs() * frames <= 2.0 { nominal } else { mean }
    }
}

impl MpegFile {
    pub(super) fn open(source: &mut dyn ReadAt, begin: u64, kind: Kind) -> Result<Self, Error> {
        let head = if kind == Kind::Adts { READ_ADTS_HEADER } else { READ_MPEG_HEADER };
        let first = frame_at(source, begin, head)?.ok_or(Error::Damaged(FilePart::Samples))?;
        let config = describe(source, begin, &first)?;
        let rate = config.sample_rate.max(1);
        let read = Tag::read(source, begin, &first)?;
        let audio_start = if read.is_some() { begin + first.length as u64 } else { begin };
        let tag = read.unwrap_or_default();
        let mut found = Self {
            kind,
            index: index_of(config),
            head,
            first,
            rate,
            tag,
            audio_start,
            all: None,
            map: Vec::new(),
            units: Vec::new(),
            at: audio_start,
            samples: 0,
            lands: false,
            leapt: false,
            seen: FrameCount::default(),
        };
        let all = tag.frames.map(|frames| u64::from(frames) * u64::from(first.samples));
        let bytes = tag.bytes.map(|bytes| begin.saturating_add(bytes.into()));
        let end = bytes.unwrap_or(source.size()).min(source.size());
        if let Some(all) =
            all.filter(|all| *all > 0 && audio_start < end && end < MAX_PLAUSIBLE_BYTES)
        {
            let places = tag.places.map(|places| places.map(u64::from));
            // A web server can announce any length.
            let bytes = u128::from(end - begin);
            let place = |place: u64| begin + (bytes * u128::from(place) / 256) as u64;
            let table = places.filter(|places| places.is_sorted()).map(|places| {
                let points = (0..).zip(places).skip(1);
                let point =
                    |(number, at): (u64, u64)| (all * number / 100, place(at).max(audio_start));
                points.map(point).collect::<Vec<_>>()
            });
            found.lies(all, end, table.unwrap_or_default());
        }
        Ok(found)
    }

    /// Sets the total number of samples, the end in bytes, and the known points in between.
    fn lies(&mut self, all: u64, end: u64, between: Vec<(u64, u64)>) {
        self.all = Some(all);
        self.map = vec![(0, self.audio_start)];
        self.map.extend(between);
        self.map.push((all, end));
        self.units = units(all, self.rate, |at| self.byte(at));
    }

    /// Returns the approximate byte position of this sample.
    fn byte(&self, samples: u64) -> u64 {
        between(self.map.iter().copied(), samples).unwrap_or(self.audio_start)
    }

    /// Returns the sample index at a byte position, rounded to whole frames.
    fn samples_at(&self, at: u64) -> u64 {
        let each = u64::from(self.first.samples.max(1));
        let samples = between(self.map.iter().map(|(samples, at)| (*at, *samples)), at);
        let samples = samples.unwrap_or(0);
        (samples + each / 2) / each * each
    }

    /// Reads the next frame, and skips other bytes before it. Returns `None` at the end.
    fn frame(&self, source: &mut dyn ReadAt, at: &mut u64) -> Result<Option<Frame>, Error> {
        let (key, size) = (self.first.key, source.size());
        while *at < size {
            let frame = frame_at(source, *at, self.head)?.filter(|frame| frame.key == key);
            if let Some(frame) = frame {
                // The last frame was cut off.
                return Ok(Some(frame).filter(|it| *at + it.length as u64 <= source.size()));
            }
            match find(source, *at + 1, MAX_NOISE_BYTES, Some(key), self.head)? {
                Some(next) => *at = next,
                None => return Ok(None),
            }
        }
        Ok(None)
    }

    fn step(&mut self, source: &mut dyn ReadAt) -> Result<Option<SampleLocation>, Error> {
        if self.lands {
            let place = find(source, self.at, MAX_NOISE_BYTES, Some(self.first.key), self.head)?;
            let Some(place) = place else { return Ok(None) };
            (self.at, self.lands) = (place, false);
            self.samples = self.samples_at(place);
        }
        let mut at = self.at;
        let Some(frame) = self.frame(source, &mut at)? else {
            // A frame header at the end belongs to a frame that was cut off.
            let cut = frame_at(source, at, self.head)?.is_some_and(|it| it.key == self.first.key);
            self.index.finished = !cut;
            // All frames are counted.
            if self.all.is_none() && !self.leapt {
                self.lies(self.samples, self.at, Vec::new());
            }
            return Ok(None);
        };
        let pts = time(self.samples, self.rate);
        let size = u32::try_from(frame.length - frame.header).unwrap_or(u32::MAX);
        self.samples = self.samples.saturating_add(frame.samples.into());
        self.at = at + frame.length as u64;
        self.seen.add(&frame);
        let (track, at) = (TrackId::Audio(0), at + frame.header as u64);
        Ok(Some(SampleLocation { track, keyframe: true, dts: pts, pts, at, size }))
    }

    /// Returns the time at which the audible part ends if there are this many samples.
    fn ends(&self, samples: u64) -> Timestamp {
        let behind = self.tag.behind.saturating_sub(DECODER_DELAY_SAMPLES);
        time(samples.saturating_sub(behind), self.rate)
    }
}

impl Demuxer for MpegFile {
    fn name(&self) -> &'static str {
        self.kind.extension()
    }

    fn index(&self) -> &Index {
        &self.index
    }

    fn read_on(
        &mut self,
        source: &mut dyn ReadAt,
        found: &mut Vec<SampleLocation>,
    ) -> Result<bool, Error> {
        several(found, &mut || self.step(source))
    }

    fn beginning(&self) -> Unit {
        Unit { time: Timestamp::ZERO, at: self.audio_start }
    }

    fn go_to(&mut self, unit: Unit) {
        self.at = unit.at.max(self.audio_start);
        (self.lands, self.leapt) = (self.at > self.audio_start, true);
        self.samples = 0;
    }

    fn end(&self) -> Option<Timestamp> {
        self.all.map(|all| self.ends(all))
    }

    fn audible_from(&self) -> Option<Timestamp> {
        Some(time(self.tag.before.map_or(0, |before| before + DECODER_DELAY_SAMPLES), self.rate))
    }

    fn audio_span(&self) -> Option<(Timestamp, Timestamp)> {
        let all = time(self.samples, self.rate);
        audio_span(self.audible_from()?, self.ends(self.samples), all)
    }

    // Counts the frames at the end of the file if no tag has the total.
    fn look_up(&mut self, source: &mut dyn ReadAt) -> Result<(), Error> {
        let size = source.size();
        if self.all.is_some() || size >= MAX_PLAUSIBLE_BYTES {
            return Ok(());
        }
        let from = size.saturating_sub(TAIL_SCAN_BYTES).max(self.audio_start);
        let is_all = from == self.audio_start;
        let mut at = from;
        if !is_all {
            match find(source, from, TAIL_SCAN_BYTES, Some(self.first.key), self.head)? {
                Some(place) => at = place,
                // The end of the file is not audio.
                None => at = size,
            }
        }
        let (mut seen, mut end) = (FrameCount::default(), size);
        while let Some(frame) = self.frame(source, &mut at)? {
            seen.add(&frame);
            at += frame.length as u64;
            end = at;
        }
        let each = u64::from(self.first.samples);
        let all = if is_all {
            seen.samples
        } else {
            let mean = self.seen.and(seen).mean(self.first.samples, self.rate).max(1.0);
            (((end - self.audio_start) as f64 / mean).round() as u64).saturating_mul(each)
        };
        if all > 0 {
            self.lies(all, end, Vec::new());
        }
        Ok(())
    }

    fn units(&self) -> &[Unit] {
        &self.units
    }
}

/// Interpolates the value at `at` between these sorted points.
fn between(points: impl Iterator<Item = (u64, u64)> + Clone, at: u64) -> Option<u64> {
    let pairs = points.clone().zip(points.skip(1));
    let ((from, first), (to, last)) =
        pairs.clone().find(|(_, (to, _))| at < *to).or_else(|| pairs.last())?;
    let part = at.clamp(from, to) - from;
    let value = u128::from(last.saturating_sub(first)) * u128::from(part);
    Some(first.saturating_add((value / u128::from(to - from).max(1)) as u64))
}
