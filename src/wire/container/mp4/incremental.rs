//! An MP4 that is read bit by bit while the bytes are still to come: an ordinary one by its index,
//! wherever that stands, one of fragments from its beginning or from any fragment on.

use crate::base::Timestamp;
use crate::wire::container::mp4::boxes::header;
use crate::wire::container::mp4::fragments::{mfra, mfra_at, sidx, units_in};
use crate::wire::container::mp4::index::{MAX_MOOF, MAX_MOOV, NO_MOOV, NO_MP4, may_begin};
use crate::wire::container::mp4::movie::{Movie, moof, moov};
use crate::wire::container::{Error, Index, ReadAt, SampleLocation, Unit, read};

/// The longest index of fragments that is read.
const MAX_INDEX: usize = 4 << 20;
/// The most samples of a file whose length nobody has measured (half a day), and of one fragment of it.
const MAX_SAMPLES: usize = 4_000_000;
const MAX_FRAGMENT_SAMPLES: usize = 100_000;

/// See the module.
#[derive(Clone, Debug)]
pub struct IncrementalReader {
    index: Index,
    movie: Option<Movie>,
    /// The box that is read next, and how many came before it.
    at: u64,
    number: u64,
    units: Vec<Unit>,
    /// Where it ends, as it tells itself.
    end: Option<Timestamp>,
    looked: bool,
    /// What is read first, and the samples that are told before all fragments.
    beginning: u64,
    first: Vec<SampleLocation>,
    /// A fragment begins here.
    landing: bool,
}

impl Default for IncrementalReader {
    fn default() -> Self {
        Self {
            index: Index { to_play: true, most: MAX_SAMPLES, ..Index::default() },
            movie: None,
            at: 0,
            number: 0,
            units: Vec::new(),
            end: None,
            looked: false,
            beginning: 0,
            first: Vec::new(),
            landing: false,
        }
    }
}

/// A box at the top of the file: its name, where its content begins, and where it ends.
type TopBox = ([u8; 4], u64, u64);

fn next_box(source: &mut dyn ReadAt, at: u64) -> Result<Option<TopBox>, Error> {
    let size = source.size();
    let start = read(source, at, size.saturating_sub(at).min(16), 16, "boxes")?;
    let Some((head, name, length)) = header(&start) else { return Ok(None) };
    let length = if length == 0 { size - at } else { length };
    let end = at.checked_add(length).filter(|end| *end <= size);
    Ok(end.map(|end| (name, at + head as u64, end)))
}

impl IncrementalReader {
    /// Reads up to what tells where everything is. Where it cannot be read now it goes on there when it is
    /// called again, as the others do.
    ///
    /// # Errors
    /// Where it is no MP4, cannot be read, or has nothing that can be used.
    pub fn head(&mut self, source: &mut dyn ReadAt) -> Result<(), Error> {
        while let Some((name, content, end)) = next_box(source, self.at)? {
            if self.number == 0 && !may_begin(name) {
                return Err(NO_MP4);
            }
            match &name {
                b"moov" if self.movie.is_none() => {
                    let bytes = read(source, content, end - content, MAX_MOOV, "tables")?;
                    let mut movie = moov(&bytes, &mut self.index, source.size())?;
                    movie.titles = Vec::new();
                    self.end = movie.length.and_then(|seconds| {
                        let micros = seconds * 1e6;
                        (1.0..1e15).contains(&micros).then(|| Timestamp::from_micros(micros as i64))
                    });
                    self.movie = Some(movie);
                    if self.is_whole() {
                        self.index.usable()?;
                        self.index.arrange();
                        return Ok(());
                    }
                }
                b"sidx" if self.movie.is_some() => {
                    let bytes = read(source, content, end - content, MAX_INDEX, "places")?;
                    if let Some((units, ends)) = sidx(&bytes, end, source.size()) {
                        (self.units, self.end) = (units, Some(self.end.unwrap_or(ends)));
                    }
                }
                b"moof" | b"mdat" if self.movie.is_some() => break,
                _ => {}
            }
            self.at = end;
            self.number += 1;
        }
        if self.movie.is_none() {
            return Err(if self.number == 0 { NO_MP4 } else { NO_MOOV });
        }
        self.beginning = self.at;
        self.first.clone_from(&self.index.samples);
        self.index.most = MAX_FRAGMENT_SAMPLES;
        self.index.usable()
    }

    /// What is read first.
    pub fn beginning(&self) -> Unit {
        Unit { time: Timestamp::ZERO, at: self.beginning }
    }

    /// Whether all samples are known.
    pub fn is_whole(&self) -> bool {
        self.movie.as_ref().is_some_and(|movie| !movie.fragmented)
    }

    /// Whether it is still looked for what tells where everything is.
    pub fn is_blind(&self) -> bool {
        self.movie.is_none()
    }

    /// What is in it; with all samples where they are known.
    pub fn index(&self) -> &Index {
        &self.index
    }

    /// Where it ends, as it tells itself.
    pub fn end(&self) -> Option<Timestamp> {
        self.end
    }

    /// Looks up where fragments are, where that was not told in front.
    ///
    /// # Errors
    /// As [`IncrementalReader::head`].
    pub fn look_up(&mut self, source: &mut dyn ReadAt) -> Result<(), Error> {
        let size = source.size();
        if self.looked || self.is_whole() || !self.units.is_empty() || size < 16 {
            return Ok(());
        }
        let last = read(source, size - 16, 16, 16, "places")?;
        if let Some(at) = mfra_at(&last, size) {
            let bytes = read(source, at, size - at, MAX_INDEX, "places")?;
            let movie = self.movie.as_ref();
            self.units = movie.and_then(|movie| mfra(&bytes, movie, size)).unwrap_or_default();
        }
        self.looked = true;
        Ok(())
    }

    /// Where fragments are, as far as that is known, in their order.
    pub fn units(&self) -> &[Unit] {
        &self.units
    }

    /// What is read next begins there.
    pub fn go_to(&mut self, unit: Unit) {
        self.at = unit.at;
        self.landing = unit.at != self.beginning;
        self.index.samples.clear();
        if !self.landing {
            self.index.samples.clone_from(&self.first);
        }
        if let Some(movie) = &mut self.movie {
            movie.go_to(unit.time);
        }
    }

    /// Adds the samples that follow to `found`, in the order of their DTS within each fragment. False at the
    /// end.
    ///
    /// # Errors
    /// As [`IncrementalReader::head`].
    pub fn read_on(
        &mut self,
        source: &mut dyn ReadAt,
        found: &mut Vec<SampleLocation>,
    ) -> Result<bool, Error> {
        loop {
            if !self.index.samples.is_empty() {
                let samples = &mut self.index.samples;
                samples.sort_by_key(|sample| (sample.dts, sample.track));
                found.append(samples);
                return Ok(true);
            }
            let next = next_box(source, self.at)?;
            let is_unit =
                next.is_some_and(|(name, ..)| matches!(&name, b"moof" | b"sidx" | b"styp"));
            if self.landing && !is_unit {
                return Err(Error::Damaged("its index leads nowhere"));
            }
            let Some((name, content, end)) = next else { return Ok(false) };
            if name == *b"moof"
                && let Some(movie) = &mut self.movie
            {
                let bytes = read(source, content, end - content, MAX_MOOF, "fragments")?;
                moof(&bytes, self.at, movie, &mut self.index, source.size())?;
                // Nobody has the key.
                movie.sealed.clear();
            }
            (self.at, self.landing) = (end, false);
        }
    }

    /// The fragments that begin in these bytes, which stand at `at` in the file. What only looks like one
    /// may be among them.
    pub fn units_in(&self, bytes: &[u8], at: u64) -> Vec<Unit> {
        self.movie.as_ref().map_or_else(Vec::new, |movie| units_in(bytes, at, movie))
    }
}
