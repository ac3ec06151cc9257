//! Files that are read bit by bit: from the disk, or while the bytes are still to come, as from a web
//! server. Whoever reads is told what is missing, and calls again once it is there.

use std::fmt;

use crate::base::Timestamp;
use crate::wire::container::{Error, Index, ReadAt, SampleLocation, Unit};

/// The reader of a file. Where bytes are missing a method continues when it is called again.
pub trait Demuxer: fmt::Debug + Send + Sync {
    /// The format's name, which is also its extension.
    fn name(&self) -> &'static str;

    /// Reads what tells of the whole.
    ///
    /// # Errors
    /// What is wrong with the file, or [`Error::is_missing`].
    fn head(&mut self, source: &mut dyn ReadAt) -> Result<(), Error>;

    /// What is in it; samples only where [all are known](Self::is_whole).
    fn index(&self) -> &Index;

    /// Adds the samples that follow to `found`, by their DTS as far as they were read. False at the end.
    ///
    /// # Errors
    /// As [`head`](Self::head).
    fn read_on(
        &mut self,
        source: &mut dyn ReadAt,
        found: &mut Vec<SampleLocation>,
    ) -> Result<bool, Error>;

    /// The first unit.
    fn beginning(&self) -> Unit;

    /// What is read next begins there.
    fn go_to(&mut self, unit: Unit);

    /// Where it ends, as far as that is known by now.
    fn end(&self) -> Option<Timestamp>;

    /// Of audio alone, when what is heard begins: what its encoder put before it comes earlier.
    fn heard_from(&self) -> Option<Timestamp> {
        None
    }

    /// Of audio alone that was read from its beginning to its end, what is heard of it.
    fn audio_span(&self) -> Option<(Timestamp, Timestamp)> {
        None
    }

    /// Whether what tells where everything is has not come yet, and may be at the end.
    fn is_blind(&self) -> bool {
        false
    }

    /// Whether all samples are known by now.
    fn is_whole(&self) -> bool {
        false
    }

    /// Looks up where units are and where it ends, where that is at the end.
    ///
    /// # Errors
    /// As [`head`](Self::head).
    fn look_up(&mut self, _source: &mut dyn ReadAt) -> Result<(), Error> {
        Ok(())
    }

    /// Where units are, as far as that is known, by their times.
    fn units(&self) -> &[Unit] {
        &[]
    }

    /// The units that begin in these bytes, which are at `at`; and perhaps what only looks like one.
    fn units_in(&self, _bytes: &[u8], _at: u64) -> Vec<Unit> {
        Vec::new()
    }

    /// Between two places that are so near, in bytes, units are read one after the other: about as much as
    /// is asked for at a time.
    fn stretch(&self) -> u64 {
        128 << 10
    }

    /// The same, for who reads elsewhere in the file.
    fn boxed(&self) -> Box<dyn Demuxer>;
}

impl Clone for Box<dyn Demuxer> {
    fn clone(&self) -> Self {
        (**self).boxed()
    }
}
