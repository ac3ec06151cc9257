//! Playback control of a media source: commands to pause, seek and restart, and the position that
//! the source reports.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use crate::text::problem::{Problem, problem};

/// Maximum number of pending commands of a source. Beyond this number, the oldest commands are
/// dropped.
const MAX_PENDING_COMMANDS: usize = 16;

/// A command for a media source.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum TransportCommand {
    Pause,
    Resume,
    /// Play from the beginning.
    Restart,
    /// Seek to this position.
    To(Duration),
    /// Play the next file of a list.
    Next,
    Previous,
}

/// The behavior at the end of a file.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum EndBehavior {
    /// The file restarts.
    #[default]
    Loop,
    /// The source disappears.
    Clear,
    /// The last frame stays.
    Hold,
}

impl EndBehavior {
    /// Each behavior with its name.
    pub const ALL: [(&str, Self); 3] =
        [("loop", Self::Loop), ("clear", Self::Clear), ("hold", Self::Hold)];
}

impl std::str::FromStr for EndBehavior {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.iter().find(|(word, _)| *word == text).map(|(_, it)| *it);
        known.ok_or_else(|| problem!("choice-no-end", text = text))
    }
}

/// The position of a media source.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Default)]
pub struct Position {
    pub paused: bool,
    /// True if nothing plays, because the file has ended or cannot be played. `paused` is then true.
    pub stopped: bool,
    pub at: Duration,
    /// The duration of the file, or `None` if it is unknown, in which case the source cannot seek.
    pub whole: Option<Duration>,
    /// In a list, the index of the file from 0, and the number of files.
    pub item: Option<(usize, usize)>,
}

impl Position {
    /// Returns true if the source is at its beginning. For a source of unknown duration, this is
    /// unknown.
    pub fn is_at_start(&self) -> bool {
        let is_first = self.item.is_none_or(|(index, _)| index == 0);
        is_first && self.at.is_zero() && self.whole.is_some()
    }
}

/// A skipped file with the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkippedFile {
    pub path: PathBuf,
    pub reason: Problem,
}

#[derive(Debug, Default)]
struct Inside {
    asked: VecDeque<TransportCommand>,
    position: Option<Position>,
    at_end: EndBehavior,
    then: Vec<PathBuf>,
    /// Number of changes of the list of files.
    changes: u32,
    left_out: Arc<[SkippedFile]>,
}

/// The playback control, which both sides share. All clones share the same state.
#[derive(Clone, Debug, Default)]
pub struct Transport(Arc<Mutex<Inside>>);

impl PartialEq for Transport {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Transport {
    /// Sends a command. The source obeys it soon afterwards.
    pub fn ask(&self, go: TransportCommand) {
        let mut inside = self.0.lock();
        if inside.asked.len() >= MAX_PENDING_COMMANDS {
            inside.asked.pop_front();
        }
        inside.asked.push_back(go);
    }

    /// Takes the next command. The source calls this function.
    pub fn take(&self) -> Option<TransportCommand> {
        self.0.lock().asked.pop_front()
    }

    /// Returns the next command without taking it.
    pub fn peek(&self) -> Option<TransportCommand> {
        self.0.lock().asked.front().copied()
    }

    /// Sets the end behavior. The change also takes effect during playback.
    pub fn set_at_end(&self, at_end: EndBehavior) {
        self.0.lock().at_end = at_end;
    }

    /// Returns the current end behavior.
    pub fn at_end(&self) -> EndBehavior {
        self.0.lock().at_end
    }

    /// Sets the files that follow the first file. The change also takes effect during playback.
    pub fn set_then(&self, files: &[PathBuf]) {
        let mut inside = self.0.lock();
        if inside.then != files {
            inside.then = files.to_vec();
            inside.changes = inside.changes.wrapping_add(1);
        }
    }

    /// Returns the current files after the first one.
    pub fn then(&self) -> Vec<PathBuf> {
        self.0.lock().then.clone()
    }

    /// Returns the number of changes of the list, for a cheap comparison on every frame.
    pub fn then_changes(&self) -> u32 {
        self.0.lock().changes
    }

    /// Returns true if the first file loops alone, without files after it.
    pub fn goes_around(&self) -> bool {
        let inside = self.0.lock();
        inside.at_end == EndBehavior::Loop && inside.then.is_empty()
    }

    /// Reports the files that the source skips.
    pub fn tell_left_out(&self, files: &[SkippedFile]) {
        let mut inside = self.0.lock();
        if *inside.left_out != *files {
            inside.left_out = files.into();
        }
    }

    /// Returns the files of the playlist that the source skips.
    pub fn left_out(&self) -> Arc<[SkippedFile]> {
        Arc::clone(&self.0.lock().left_out)
    }

    /// Reports the position of the source.
    pub fn tell(&self, position: Position) {
        self.0.lock().position = Some(position);
    }

    /// Returns the position, or `None` if the source does not play media, or has not begun.
    pub fn position(&self) -> Option<Position> {
        self.0.lock().position
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_for_the_end_are_read_as_they_are_written() {
        let transport = Transport::default();
        assert_eq!(transport.at_end(), EndBehavior::Loop);
        for (word, at_end) in EndBehavior::ALL {
            assert_eq!(word.parse(), Ok(at_end));
            transport.set_at_end(at_end);
            assert_eq!(transport.clone().at_end(), at_end);
        }
        assert!("once".parse::<EndBehavior>().unwrap_err().to_string().contains("clear"));
    }

    #[test]
    fn a_file_with_others_after_it_does_not_loop() {
        let transport = Transport::default();
        assert!(transport.goes_around() && transport.then().is_empty());
        transport.set_then(&["/b.mp4".into()]);
        assert!(!transport.goes_around());
        assert_eq!(transport.then(), [PathBuf::from("/b.mp4")]);
        let changes = transport.then_changes();
        transport.set_then(&["/b.mp4".into()]);
        assert_eq!(transport.then_changes(), changes, "the same ones");
        transport.set_then(&[]);
        assert_ne!(transport.then_changes(), changes);
        transport.set_at_end(EndBehavior::Hold);
        assert!(!transport.goes_around());
    }

    #[test]
    fn skipped_files_are_reported_until_none_is_skipped() {
        let transport = Transport::default();
        assert!(transport.left_out().is_empty());
        let files = [SkippedFile { path: "/b.png".into(), reason: "it is not there".into() }];
        transport.tell_left_out(&files);
        let skipped = transport.left_out();
        assert_eq!(*skipped, files);
        transport.tell_left_out(&files);
        assert!(Arc::ptr_eq(&skipped, &transport.left_out()), "nothing is new");
        transport.tell_left_out(&[]);
        assert!(transport.left_out().is_empty());
    }

    #[test]
    fn transport_commands_come_in_order_and_are_bounded() {
        let (one, other) = (Transport::default(), Transport::default());
        assert!(one == one.clone() && one != other);
        assert_eq!((one.take(), one.position()), (None, None));
        for second in 0..20 {
            one.clone().ask(TransportCommand::To(Duration::from_secs(second)));
        }
        one.ask(TransportCommand::Pause);
        assert_eq!(one.peek(), Some(TransportCommand::To(Duration::from_secs(5))));
        assert_eq!(
            one.take(),
            Some(TransportCommand::To(Duration::from_secs(5))),
            "the newest count"
        );
        let rest: Vec<TransportCommand> = std::iter::from_fn(|| one.take()).collect();
        assert_eq!((rest.len(), rest.last()), (15, Some(&TransportCommand::Pause)));
        let position = Position { paused: true, ..Position::default() };
        one.tell(position);
        assert_eq!(one.position(), Some(position));
    }
}
