//! Files of sound alone that are read bit by bit while the bytes are still to come, as from a web server:
//! whoever reads is told what is missing, and calls again once it is there. Each kind has its own way to
//! another place: by the numbers in its frames (FLAC), by the counts of its pages (Ogg), or by where it
//! stands in the file (MP3, ADTS, WAV).

mod flac;
mod mpeg_frames;
mod ogg;
#[cfg(test)]
mod tests;

use super::{Kind, kind};
use crate::base::Timestamp;
use crate::wire::container::audio::wav;
use crate::wire::container::{Error, Index, ReadAt, SampleLocation, Unit};

/// A file of any of these kinds.
#[derive(Clone, Debug, Default)]
pub struct IncrementalReader {
    found: Option<(Kind, Reader)>,
    /// What is in it before that is known.
    nothing: Index,
}

#[derive(Clone, Debug)]
enum Reader {
    Frames(Box<mpeg_frames::Frames>),
    Flac(Box<flac::Flac>),
    Ogg(Box<ogg::Ogg>),
    Wav(Box<wav::WavCursor>),
}

impl IncrementalReader {
    /// Its kind, once that is known.
    pub fn kind(&self) -> Option<Kind> {
        self.found.as_ref().map(|(kind, _)| *kind)
    }

    /// Reads what tells of the whole.
    ///
    /// # Errors
    /// What is wrong with the file, that it is none of these, or that bytes are missing.
    pub fn head(&mut self, source: &mut dyn ReadAt) -> Result<(), Error> {
        if self.found.is_none() {
            let (kind, at) = kind(source)?.ok_or(Error::UnknownFormat)?;
            let reader = match kind {
                Kind::Mp3 => Reader::Frames(Box::new(mpeg_frames::Frames::open(
                    source,
                    at,
                    crate::wire::container::audio::mpeg_frames::MPEG,
                )?)),
                Kind::Adts => Reader::Frames(Box::new(mpeg_frames::Frames::open(
                    source,
                    at,
                    crate::wire::container::audio::mpeg_frames::ADTS,
                )?)),
                Kind::Flac => Reader::Flac(Box::new(flac::Flac::open(source, at)?)),
                Kind::Ogg => Reader::Ogg(Box::new(ogg::Ogg::new(at))),
                Kind::Wav => Reader::Wav(Box::new(wav::WavCursor::open(source, at)?)),
            };
            self.found = Some((kind, reader));
        }
        match &mut self.found {
            Some((_, Reader::Flac(it))) => it.head(source),
            Some((_, Reader::Ogg(it))) => it.head(source),
            _ => Ok(()),
        }
    }

    /// What is in it, without samples.
    pub fn index(&self) -> &Index {
        match &self.found {
            None => &self.nothing,
            Some((_, Reader::Frames(it))) => it.index(),
            Some((_, Reader::Flac(it))) => it.index(),
            Some((_, Reader::Ogg(it))) => it.index(),
            Some((_, Reader::Wav(it))) => it.index(),
        }
    }

    /// When what is heard begins: what its encoder put before it comes earlier.
    pub fn heard_from(&self) -> Timestamp {
        match &self.found {
            Some((_, Reader::Frames(it))) => it.heard_from(),
            Some((_, Reader::Flac(it))) => it.heard_from(),
            Some((_, Reader::Ogg(it))) => it.heard_from(),
            Some((_, Reader::Wav(_))) | None => Timestamp::ZERO,
        }
    }

    /// When what is heard ends, as far as that is known by now.
    pub fn end(&self) -> Option<Timestamp> {
        match &self.found {
            Some((_, Reader::Frames(it))) => it.end(),
            Some((_, Reader::Flac(it))) => it.end(),
            Some((_, Reader::Ogg(it))) => it.end(),
            Some((_, Reader::Wav(it))) => it.end(),
            None => None,
        }
    }

    /// Looks at its end, where that tells what its beginning does not.
    ///
    /// # Errors
    /// As [`head`](Self::head).
    pub fn look_up(&mut self, source: &mut dyn ReadAt) -> Result<(), Error> {
        match &mut self.found {
            Some((_, Reader::Frames(it))) => it.look_up(source),
            _ => Ok(()),
        }
    }

    /// Places in it by their times, where they are known.
    pub fn units(&self) -> &[Unit] {
        match &self.found {
            Some((_, Reader::Frames(it))) => it.units(),
            Some((_, Reader::Wav(it))) => it.units(),
            _ => &[],
        }
    }

    /// The first one.
    pub fn beginning(&self) -> Unit {
        match &self.found {
            Some((_, Reader::Frames(it))) => it.beginning(),
            Some((_, Reader::Flac(it))) => it.beginning(),
            Some((_, Reader::Ogg(it))) => it.beginning(),
            Some((_, Reader::Wav(it))) => it.beginning(),
            None => Unit { time: Timestamp::ZERO, at: 0 },
        }
    }

    /// The places that begin in these bytes, which stand at `at`, where they tell their times.
    pub fn units_in(&self, bytes: &[u8], at: u64) -> Vec<Unit> {
        match &self.found {
            Some((_, Reader::Flac(it))) => it.units_in(bytes, at),
            Some((_, Reader::Ogg(it))) => it.units_in(bytes, at),
            _ => Vec::new(),
        }
    }

    /// What is read next begins there.
    pub fn go_to(&mut self, unit: Unit) {
        match &mut self.found {
            Some((_, Reader::Frames(it))) => it.go_to(unit),
            Some((_, Reader::Flac(it))) => it.go_to(unit),
            Some((_, Reader::Ogg(it))) => it.go_to(unit),
            Some((_, Reader::Wav(it))) => it.go_to(unit),
            None => {}
        }
    }

    /// Adds the packets that follow to `found`. False at the end.
    ///
    /// # Errors
    /// As [`head`](Self::head).
    pub fn read_on(
        &mut self,
        source: &mut dyn ReadAt,
        found: &mut Vec<SampleLocation>,
    ) -> Result<bool, Error> {
        match &mut self.found {
            Some((_, Reader::Frames(it))) => it.read_on(source, found),
            Some((_, Reader::Flac(it))) => it.read_on(source, found),
            Some((_, Reader::Ogg(it))) => it.read_on(source, found),
            Some((_, Reader::Wav(it))) => it.read_on(source, found),
            None => Ok(false),
        }
    }
}
