//! Writes a stream to one file after another: a new file begins at a keyframe, so no frame is lost. If there is no
//! video, or if the video has ended, a new file begins with audio. The operations of this module block on the disk, so
//! do not call them on the runtime's threads.

use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::files::disk_space::Warning;
use crate::server::recordings::boundaries::Boundaries;
use crate::server::recordings::contents::{Contents, FileTimes};
use crate::server::recordings::file::{RecordingTask, RecordingWriter};
use crate::server::recordings::rules::FileRules;
use crate::server::recordings::samples::MAX_SAMPLES;
use crate::server::recordings::tags::{EventReader, StreamConfigs, StreamTag};
use crate::wire::container::Format;
use crate::wire::container::flv::TagKind;

/// Time between two attempts to create the next file.
const RETRY_DELAY: Duration = Duration::from_secs(2);
/// A new file begins after this number of samples, because the server can play only a file with at most
/// [`MAX_SAMPLES`].
const MAX_FILE_SAMPLES: usize = MAX_SAMPLES / 4 * 3;

/// A file, and the amount of data in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PartFigures {
    pub path: PathBuf,
    /// The duration of its media.
    pub after: Duration,
    pub bytes: u64,
}

/// An event to report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PartEvent {
    /// The file has its first data.
    Begun(PartFigures),
    /// The next finished file lacks this many frames, because no file for the returned video could be created.
    Lost(u64),
    Finished(PartFigures),
    /// The file received no data and was removed.
    Empty(PartFigures),
    /// The publisher causes too many files.
    Flood,
    Disk(Warning),
}

/// The writer of all files of one publication.
#[derive(Debug)]
pub(crate) struct PartsWriter {
    task: RecordingTask,
    file: RecordingWriter,
    contents: Contents,
    configs: StreamConfigs,
    /// Converts tags to packets, for formats that need packets.
    reader: Option<EventReader>,
    /// The times of the media of the file.
    times: FileTimes,
    /// Number of bytes that are not in the file yet.
    pending: u64,
    /// Number of samples in the file.
    samples: usize,
    /// See [`MAX_FILE_SAMPLES`].
    max_samples: usize,
    /// The tags at which a file can begin.
    boundaries: Boundaries,
    /// The kinds of tags with media in this file.
    kinds: Vec<TagKind>,
    /// True if the configs of the stream have changed.
    outdated: bool,
    /// The time at which the next file could not be created.
    held: Option<Instant>,
    /// Number of frames since then that the file cannot have.
    lost: u64,
    events: Vec<PartEvent>,
}

impl PartsWriter {
    /// Creates the first file.
    ///
    /// # Errors
    /// Fails if the file cannot be created.
    pub fn create(task: RecordingTask) -> io::Result<Self> {
        let file = task.create()?;
        let configs = StreamConfigs::default();
        let contents = Contents::new(task.rules.format, &configs);
        let reader = (task.rules.format == Format::Mp4).then(EventReader::new);
        Ok(Self {
            task,
            file,
            contents,
            configs,
            reader,
            times: FileTimes::default(),
            pending: 0,
            samples: 0,
            max_samples: MAX_FILE_SAMPLES,
            boundaries: Boundaries::default(),
            kinds: Vec::new(),
            outdated: false,
            held: None,
            lost: 0,
            events: Vec::new(),
        })
    }

    /// Returns the file in progress.
    pub fn figures(&self) -> PartFigures {
        PartFigures {
            path: self.file.path().to_owned(),
            after: self.times.newest(),
            bytes: self.file.written(),
        }
    }

    /// Returns the events since the last call.
    pub fn take_events(&mut self) -> Vec<PartEvent> {
        std::mem::take(&mut self.events)
    }

    /// Writes the tags of the stream.
    ///
    /// # Errors
    /// Fails if the current file cannot be written. It then ends with its last complete unit.
    pub fn write(&mut self, tags: &[Bytes]) -> io::Result<()> {
        for tag in tags.iter().filter_map(StreamTag::parse) {
            let time = self.times.of(tag.track, tag.time_ms);
            let step = time.saturating_sub(self.times.newest());
            let step = self.configs.has_video().then_some(step);
            if self.boundaries.add(&tag, step) && self.splits_before(&tag) {
                self.split()?;
            }
            let is_parsed = self.reader.is_some();
            let kind_count = self.configs.kind_count(is_parsed);
            let mut differs = self.configs.note(&tag);
            let events = self.reader.as_mut().map(|reader| reader.events(&tag)).unwrap_or_default();
            for (track, event) in &events {
                differs |= self.configs.note_event(*track, event);
            }
            // Some publishers complete a config before its first frame.
            self.outdated |= differs && self.kinds.contains(&tag.kind);
            let begins_kind = self.configs.kind_count(is_parsed) > kind_count;
            self.outdated |= begins_kind && self.contents.has_settled();
            if self.configs.omits(&tag) {
                self.lost += u64::from(tag.is_media && self.held.is_some());
                continue;
            }
            let time = self.times.note(&tag);
            self.contents.add(&tag, time, &events, &self.configs);
            self.pending += tag.body.len() as u64;
            self.samples += tag.samples;
            if tag.is_media && !self.kinds.contains(&tag.kind) {
                self.kinds.push(tag.kind);
            }
        }
        self.flush(false)
    }

    /// Completes the last file.
    ///
    /// # Errors
    /// Fails if the file cannot be completed.
    pub fn finish(&mut self) -> io::Result<()> {
        self.flush(true)?;
        self.complete()
    }

    /// Removes the file if it is empty.
    pub fn remove_if_empty(&self) {
        self.file.remove_if_empty();
    }

    /// Returns true if a new file, which can begin with this tag, begins with it.
    fn splits_before(&self, tag: &StreamTag) -> bool {
        if !self.times.has_begun() {
            return false;
        }
        let lasted = self.times.of(tag.track, tag.time_ms);
        let FileRules { split_time, split_bytes, .. } = self.task.rules;
        // The next frames must fit too.
        let group = self.boundaries.largest_group();
        let size = self.file.written() + self.pending + group + self.contents.index_weight();
        let is_due = self.outdated
            || self.configs.omits(tag)
            || self.samples >= self.max_samples
            || split_time.is_some_and(|most| lasted >= most)
            || split_bytes.is_some_and(|most| size > most);
        is_due && self.held.is_none_or(|since| since.elapsed() >= RETRY_DELAY)
    }

    /// Continues in a new file, or in the current file if no new one can be created.
    fn split(&mut self) -> io::Result<()> {
        if !self.task.disk.takes_file(&self.task.stream) {
            self.events.push(PartEvent::Flood);
            self.held = Some(Instant::now());
            return Ok(());
        }
        let next = match self.task.create() {
            Ok(next) => next,
            Err(error) => {
                tracing::warn!(%error, "the recording goes on in the file that it has");
                self.held = Some(Instant::now());
                return Ok(());
            }
        };
        self.finish()?;
        self.file = next;
        self.configs.omit_video(self.boundaries.has_video_ended());
        self.contents = Contents::new(self.task.rules.format, &self.configs);
        (self.times, self.outdated, self.held) = (FileTimes::default(), false, None);
        self.samples = 0;
        self.kinds.clear();
        Ok(())
    }

    fn flush(&mut self, ends: bool) -> io::Result<()> {
        self.pending = 0;
        let units = self.contents.units(self.file.written(), &self.configs, ends);
        if units.is_empty() {
            return Ok(());
        }
        self.file.set_index(self.contents.index_weight());
        self.append(&units).inspect_err(|_| self.give_up())
    }

    fn append(&mut self, units: &[Bytes]) -> io::Result<()> {
        let since = Instant::now();
        let was_empty = self.file.written() == 0;
        let result = self.file.append(units);
        if was_empty && self.file.written() > 0 {
            self.events.push(PartEvent::Begun(self.figures()));
        }
        result?;
        self.contents.commit();
        let warning = self.file.check(since)?;
        self.events.extend(warning.map(PartEvent::Disk));
        Ok(())
    }

    /// After a failure: completes the file, as far as that is possible.
    fn give_up(&mut self) {
        let written = self.file.written();
        if written == 0 {
            return;
        }
        let mut end = self.contents.finish(written);
        // A unit that is not in the file needs no correction.
        end.patches.retain(|(at, _)| *at < written);
        let _ = self.file.complete(&end.append, &end.patches).and_then(|()| self.file.finish());
    }

    fn complete(&mut self) -> io::Result<()> {
        let end = self.contents.finish(self.file.written());
        self.file.complete(&end.append, &end.patches)?;
        self.file.finish()?;
        let figures = self.figures();
        self.file.remove_if_empty();
        let lost = std::mem::take(&mut self.lost);
        self.events.extend((lost > 0).then_some(PartEvent::Lost(lost)));
        self.events.push(match figures.bytes {
            0 => PartEvent::Empty(figures),
            _ => PartEvent::Finished(figures),
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests;
