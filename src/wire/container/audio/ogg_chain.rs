//! Streams of sound that follow each other in one file, each with heads of its own: what is heard of one
//! begins where what is heard of the one before it ends.

use crate::base::Timestamp;
use crate::wire::container::{Error, Index, Link, SampleLocation};

/// More streams than anybody joined, and as much of heads that differ.
pub(super) const MAX_LINKS: usize = 4_096;
pub(super) const MAX_HEADERS: usize = 16 << 20;

/// The streams so far, as one.
#[derive(Debug, Default)]
pub(super) struct OggChain {
    whole: Option<Index>,
    /// Why the first one that could not be used was not.
    fault: Option<Error>,
    /// Bytes of heads.
    heads: usize,
}

impl OggChain {
    /// No more is taken.
    pub(super) fn is_full(&self) -> bool {
        let links = self.whole.as_ref().map_or(0, |whole| whole.links.len());
        links >= MAX_LINKS || self.heads >= MAX_HEADERS
    }

    /// The next one; one that cannot be used, or in which there is no sound, is passed over.
    ///
    /// # Errors
    /// More samples than any file has.
    pub(super) fn add(&mut self, next: Result<Index, Error>) -> Result<(), Error> {
        let next = match next {
            Ok(next) => next,
            Err(fault) => {
                self.fault.get_or_insert(fault);
                return Ok(());
            }
        };
        let Some(whole) = self.whole.as_mut().filter(|whole| !whole.samples.is_empty()) else {
            self.whole = Some(next);
            return Ok(());
        };
        let (Some((_, ends)), Some((begins, next_ends))) = (whole.heard, next.heard) else {
            return Ok(());
        };
        let (Some(first), Some(audio)) =
            (next.samples.first(), next.tracks.audio.into_iter().next())
        else {
            return Ok(());
        };
        let later = |time: Timestamp| time.offset(ends.micros_since(begins));
        let mut parameters = audio.parameters;
        let before = whole.links.last().map(|link| &link.parameters);
        let before = before.or(whole.tracks.audio.first().map(|audio| &audio.parameters));
        match before.filter(|before| before.config == parameters.config) {
            // Kept once.
            Some(before) => parameters.config = before.config.clone(),
            None => self.heads += parameters.config.len(),
        }
        whole.links.push(Link { at: first.at, heard: ends, parameters });
        for place in next.samples {
            whole.push(SampleLocation { dts: later(place.dts), pts: later(place.pts), ..place })?;
        }
        whole.holes.extend(next.holes);
        whole.heard = whole.heard.map(|(begins, _)| (begins, later(next_ends)));
        whole.whole = next.whole;
        Ok(())
    }

    /// All of them; `None`: there were none.
    pub(super) fn finish(self) -> Option<Result<Index, Error>> {
        self.whole.map(Ok).or_else(|| self.fault.map(Err))
    }
}
