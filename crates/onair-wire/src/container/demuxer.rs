//! Reads files incrementally, from the disk or while bytes still arrive from a web server. A reader
//! reports missing bytes, and the caller repeats the call when they have arrived.

use std::fmt;

use crate::base::Timestamp;
use crate::wire::container::{Error, Index, ReadAt, SampleLocation, Unit};

/// Copies a reader whose type is unknown. Every reader that is `Clone` has this.
pub trait CloneDemuxer {
    /// Returns a copy for reading at another position.
    fn boxed(&self) -> Box<dyn Demuxer>;
}

impl<T: Demuxer + Clone + 'static> CloneDemuxer for T {
    fn boxed(&self) -> Box<dyn Demuxer> {
        Box::new(self.clone())
    }
}

/// The reader of a file format. After missing bytes, a method continues when it is called again.
pub trait Demuxer: CloneDemuxer + fmt::Debug + Send + Sync {
    /// Returns the name of the format, which is also its file extension.
    fn name(&self) -> &'static str;

    /// Reads the headers of the file, unless they were read when it was opened.
    ///
    /// # Errors
    /// Fails if the file is invalid, or if bytes are missing ([`Error::is_missing`]).
    fn head(&mut self, _source: &mut dyn ReadAt) -> Result<(), Error> {
        Ok(())
    }

    /// Returns the contents of the file. The samples are complete only if [all are
    /// known](Self::is_whole).
    fn index(&self) -> &Index;

    /// Adds the next samples to `found`, sorted by DTS within what was read. Returns false at the
    /// end.
    ///
    /// # Errors
    /// Fails with the same errors as [`head`](Self::head).
    fn read_on(
        &mut self,
        source: &mut dyn ReadAt,
        found: &mut Vec<SampleLocation>,
    ) -> Result<bool, Error>;

    /// Returns the first unit.
    fn beginning(&self) -> Unit;

    /// Moves to a unit, at which the next read begins.
    fn go_to(&mut self, unit: Unit);

    /// Returns the end time of the file, if it is known.
    fn end(&self) -> Option<Timestamp>;

    /// Returns the time at which the audible audio of an audio-only file begins, after the
    /// encoder's padding.
    fn audible_from(&self) -> Option<Timestamp> {
        None
    }

    /// Returns the audible span of an audio-only file that was read completely.
    fn audio_span(&self) -> Option<(Timestamp, Timestamp)> {
        None
    }

    /// Returns true if the index of the file has not arrived yet, and may be at the end.
    fn is_blind(&self) -> bool {
        false
    }

    /// Returns true if all samples are known.
    fn is_whole(&self) -> bool {
        false
    }

    /// Reads the units and the end time if these are at the end of the file.
    ///
    /// # Errors
    /// Fails with the same errors as [`head`](Self::head).
    fn look_up(&mut self, _source: &mut dyn ReadAt) -> Result<(), Error> {
        Ok(())
    }

    /// Returns the known units, by time.
    fn units(&self) -> &[Unit] {
        &[]
    }

    /// Returns the units that begin in these bytes, which are at `at`. The list may include false
    /// matches.
    fn units_in(&self, _bytes: &[u8], _at: u64) -> Vec<Unit> {
        Vec::new()
    }

    /// Returns the maximum distance in bytes between positions that are read in one piece: about
    /// the size of a request.
    fn stretch(&self) -> u64 {
        128 << 10
    }
}

impl Clone for Box<dyn Demuxer> {
    fn clone(&self) -> Self {
        (**self).boxed()
    }
}
