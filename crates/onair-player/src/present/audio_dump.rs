//! Writes the played audio to a WAV file of 16-bit samples.

use std::fs::File;
use std::io::{self, BufWriter, Seek, Write};
use std::path::{Path, PathBuf};

use crate::files::{self, Trouble};
use crate::player::decode::audio::PlayedAudio;
use crate::player::session::report::PlayerReport;
use crate::player::state::{Failure, FailureKind, Severity};
use crate::text::problem::problem;
use crate::wire::codec::pcm::{Coding, Pcm};
use crate::wire::container::audio::wav;

/// The initial length in the header. If the file is never completed, it ends at its real end.
const UNKNOWN_LENGTH: u64 = 0xFFFF_FFFF;

/// A WAV file in progress. The first audio determines its format; audio with another rate or
/// channel count is dropped and reported.
pub(crate) struct Dump {
    path: PathBuf,
    /// The output file. It is opened at once, so that an invalid path is reported before playback.
    file: Option<File>,
    writer: Option<BufWriter<File>>,
    /// Sample rate and channels.
    format: (u32, u16),
    /// Size of the audio data in bytes.
    bytes: u64,
    broken: bool,
}

impl Dump {
    /// Creates the file, under another name if the path exists.
    pub(crate) fn create(path: &Path) -> Result<Self, Failure> {
        let made = files::create(path);
        let (file, path) = made.map_err(|error| cannot_write(path, &error))?;
        Ok(Self {
            path,
            file: Some(file),
            writer: None,
            format: (48_000, 2),
            bytes: 0,
            broken: false,
        })
    }

    /// Reports the name of the file if it differs from the requested one.
    pub(crate) fn tell_name(&self, report: &PlayerReport, wanted: &Path) {
        if self.path != wanted {
            let path = self.path.display().to_string();
            let problem = problem!("player-dump-renamed", detail = path.as_str());
            report.say(problem, Severity::Info, path);
        }
    }

    /// Adds played audio.
    pub(crate) fn write(&mut self, report: &PlayerReport, audio: &PlayedAudio<'_>) {
        if self.broken {
            return;
        }
        if self.writer.is_none()
            && let Err(error) = self.start(audio.rate, audio.channels)
        {
            return self.fail(report, &error);
        }
        if (audio.rate, audio.channels) != self.format {
            let path = self.path.display().to_string();
            let problem = problem!("play-dump-changed", path = path);
            return self.give_up(report, &Failure::new(FailureKind::File, problem));
        }
        let Some(writer) = &mut self.writer else { return };
        for &value in audio.data {
            let sample = (value * 32_767.0).round().clamp(-32_768.0, 32_767.0) as i16;
            if let Err(error) = writer.write_all(&sample.to_le_bytes()) {
                return self.fail(report, &error);
            }
            self.bytes += 2;
        }
    }

    /// Completes the file.
    pub(crate) fn finish(mut self, report: &PlayerReport) {
        if self.writer.is_none() && !self.broken {
            // Without audio, the file is still valid.
            if let Err(error) = self.start(48_000, 2) {
                self.fail(report, &error);
            }
        }
        let head = wav::head(pcm(self.format), self.bytes);
        let Some(mut writer) = self.writer.take() else { return };
        let completed = match writer.rewind() {
            // In a pipe, the length stays unknown.
            Err(error) if error.kind() == io::ErrorKind::NotSeekable => Ok(()),
            rewound => rewound.and_then(|()| writer.write_all(&head)).and_then(|()| writer.flush()),
        };
        if let Err(error) = completed {
            self.fail(report, &error);
        }
    }

    fn start(&mut self, sample_rate: u32, channels: u16) -> io::Result<()> {
        let Some(file) = self.file.take() else { return Ok(()) };
        self.format = (sample_rate, channels);
        let writer = self.writer.insert(BufWriter::new(file));
        writer.write_all(&wav::head(pcm(self.format), UNKNOWN_LENGTH))
    }

    fn fail(&mut self, report: &PlayerReport, error: &io::Error) {
        let failure = cannot_write(&self.path, error);
        self.give_up(report, &failure);
    }

    /// Reports the first failure, after which no more audio is written.
    fn give_up(&mut self, report: &PlayerReport, failure: &Failure) {
        if !std::mem::replace(&mut self.broken, true) {
            report.output_failed(failure);
        }
    }
}

/// Returns the sample format.
const fn pcm((sample_rate, channels): (u32, u16)) -> Pcm {
    Pcm { coding: Coding::Signed, big_endian: false, bytes: 2, channels, sample_rate }
}

/// Returns the failure for an output file.
pub(crate) fn cannot_write(path: &Path, error: &io::Error) -> Failure {
    let (path, reason) = (path.display().to_string(), Trouble::problem(error));
    Failure::new(FailureKind::File, problem!("play-cannot-write", path = path, reason = reason))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Clock, Timestamp};
    use crate::player::state::Event;
    use crate::text::Language;

    fn write(dump: &mut Dump, report: &PlayerReport) {
        let data = vec![0.5; 20_000];
        let audio = PlayedAudio { at: Timestamp::ZERO, rate: 48_000, channels: 2, data: &data };
        dump.write(report, &audio);
    }

    fn length(path: &Path) -> u32 {
        let file = std::fs::read(path).unwrap();
        u32::from_le_bytes(file[40..44].try_into().unwrap())
    }

    #[test]
    fn a_file_that_is_not_completed_is_no_empty_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.wav");
        let (report, events) = PlayerReport::new(Clock::start());
        let mut dump = Dump::create(&path).unwrap();
        write(&mut dump, &report);
        assert_eq!(length(&path), u32::MAX);
        dump.finish(&report);
        assert_eq!((length(&path), events.waiting().count()), (40_000, 0));
    }

    #[test]
    fn audio_of_another_format_ends_the_file_without_advice_about_the_disk() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.wav");
        let (report, events) = PlayerReport::new(Clock::start());
        let mut dump = Dump::create(&path).unwrap();
        write(&mut dump, &report);
        let audio = PlayedAudio { at: Timestamp::ZERO, rate: 44_100, channels: 2, data: &[0.5; 8] };
        dump.write(&report, &audio);
        write(&mut dump, &report);
        dump.finish(&report);
        assert_eq!(length(&path), 40_000, "the audio up to the change");
        let events: Vec<_> = events.waiting().collect();
        let [Event::Message(message)] = &events[..] else { panic!("{events:?}") };
        assert!(message.problem.to_string().contains("one format"), "{message:?}");
        let cure = Language::English.cure(&message.problem).unwrap();
        assert!(cure.contains("up to the change") && !cure.contains("folder"), "{cure}");
    }

    #[test]
    fn an_output_that_fails_is_reported_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.wav");
        std::fs::write(&path, "").unwrap();
        let (report, events) = PlayerReport::new(Clock::start());
        let mut dump = Dump::create(&folder.path().join("b.wav")).unwrap();
        // Like a full disk, a file that is open for reading takes no data.
        dump.file = Some(File::open(&path).unwrap());
        write(&mut dump, &report);
        write(&mut dump, &report);
        dump.finish(&report);
        assert_eq!(events.waiting().count(), 1);
    }
}
