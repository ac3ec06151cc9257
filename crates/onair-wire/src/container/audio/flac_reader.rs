//! Reads FLAC. Each frame declares its position in samples or frames, and ends where the next frame
//! begins.

use std::collections::BTreeSet;

use crate::base::Timestamp;
use crate::wire::container::audio::flac::{
    FlacHeader, FrameInfo, FrameSearch, MAX_FRAME_HEADER_BYTES, Scan, heads,
};
use crate::wire::container::audio::packets::{Kind, audio_span, index_of, several, time};
use crate::wire::container::{
    Demuxer, Error, FilePart, Index, ReadAt, SampleLocation, TrackId, Unit,
};

/// Maximum number of possible headers that are checked in one block.
const MAX_HEADERS: usize = 65_536;

/// The FLAC reader.
#[derive(Clone, Debug)]
pub(super) struct Flac {
    index: Index,
    info: FrameInfo,
    rate: u32,
    scan: Scan,
    /// The current frame, until its end is found.
    frame: Option<(u64, FlacHeader)>,
    /// The search for the end of the frame.
    hunt: Option<FrameSearch>,
    /// Number of samples before the next frame.
    samples: u64,
    /// The first sample of the audio.
    first: Option<u64>,
    over: bool,
    /// End of the frame, once found.
    end: Option<u64>,
}

impl Flac {
    pub(super) fn open(source: &mut dyn ReadAt, begin: u64) -> Result<Self, Error> {
        let info = FrameInfo::read(source, begin)?;
        let (index, rate) = (index_of(info.config.clone()), info.config.sample_rate);
        let end = Some(info.samples).filter(|samples| *samples > 0);
        let hunt = Some(FrameSearch::any(info.frames));
        Ok(Self {
            index,
            info,
            rate,
            scan: Scan::default(),
            frame: None,
            hunt,
            samples: 0,
            first: None,
            over: false,
            end,
        })
    }

    /// Finds the first frame at or after the start of the audio. Returns false if there is none.
    fn begin(&mut self, source: &mut dyn ReadAt) -> Result<bool, Error> {
        if self.frame.is_some() {
            return Ok(true);
        }
        let Some(hunt) = self.hunt.as_mut().filter(|_| !self.over) else { return Ok(false) };
        self.frame = self.scan.find(source, &self.info, hunt)?;
        (self.hunt, self.over) = (None, self.frame.is_none());
        if let Some((_, frame)) = self.frame {
            self.first.get_or_insert(self.info.begins(frame));
        }
        Ok(!self.over)
    }

    fn step(&mut self, source: &mut dyn ReadAt) -> Result<Option<SampleLocation>, Error> {
        if !self.begin(source)? {
            return Ok(None);
        }
        let Some((place, frame)) = self.frame else { return Ok(None) };
        let hunt = self.hunt.get_or_insert_with(|| FrameSearch::behind(place, frame, &self.info));
        let next = self.scan.find(source, &self.info, hunt)?;
        let end = next.map_or(source.size(), |(next, _)| next);
        let size = u32::try_from(end - place).map_err(|_| Error::TooMuch(FilePart::Samples))?;
        self.samples = self.samples.max(self.info.begins(frame));
        let pts = time(self.samples, self.rate);
        self.samples = self.samples.saturating_add(frame.samples.into());
        (self.frame, self.hunt, self.over) = (next, None, next.is_none());
        if self.over {
            self.index.finished = self.end.is_none_or(|end| end <= self.samples);
            self.end.get_or_insert(self.samples);
        }
        let track = TrackId::Audio(0);
        Ok(Some(SampleLocation { track, keyframe: true, dts: pts, pts, at: place, size }))
    }
}

impl Demuxer for Flac {
    fn name(&self) -> &'static str {
        Kind::Flac.extension()
    }

    fn head(&mut self, source: &mut dyn ReadAt) -> Result<(), Error> {
        if self.first.is_none() && !self.begin(source)? {
            return Err(Error::Empty);
        }
        Ok(())
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
        Unit { time: time(self.first.unwrap_or(0), self.rate), at: self.info.frames }
    }

    fn go_to(&mut self, unit: Unit) {
        self.hunt = Some(FrameSearch::any(unit.at.max(self.info.frames)));
        (self.frame, self.samples, self.over) = (None, 0, false);
    }

    fn end(&self) -> Option<Timestamp> {
        self.end.map(|end| time(end, self.rate))
    }

    fn audible_from(&self) -> Option<Timestamp> {
        Some(self.beginning().time)
    }

    fn audio_span(&self) -> Option<(Timestamp, Timestamp)> {
        let all = time(self.samples, self.rate);
        audio_span(self.beginning().time, self.end().unwrap_or(all), all)
    }

    // Returns the frames that are followed by a matching frame.
    fn units_in(&self, bytes: &[u8], at: u64) -> Vec<Unit> {
        let usable = bytes.len().saturating_sub(MAX_FRAME_HEADER_BYTES);
        let found: Vec<_> = heads(bytes, usable).take(MAX_HEADERS).collect();
        let begins: BTreeSet<u64> = found.iter().map(|(_, head)| self.info.begins(*head)).collect();
        let unit = |(offset, head): &(usize, FlacHeader)| {
            let samples = self.info.begins(*head);
            let next = samples.saturating_add(head.samples.into());
            let unit = Unit { time: time(samples, self.rate), at: at + *offset as u64 };
            begins.contains(&next).then_some(unit)
        };
        found.iter().filter_map(unit).collect()
    }
}
