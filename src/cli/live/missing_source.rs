//! A main source of the run, which may never deliver.

use crate::cli::output::exit::Exit;
use crate::media::source_status::SourceState;
use crate::studio::event::Source;
use crate::text::Problem;

/// The state of a main source: whether it has delivered data, and its last failure.
#[derive(Debug, Default)]
pub(super) struct Missing {
    delivered: bool,
    /// The kind of the source, if the source has failed.
    kind: Option<&'static str>,
    /// The reason for the last failure.
    reason: Problem,
}

impl Missing {
    pub fn note(&mut self, source: &Source) {
        match source.report.state {
            SourceState::Open => self.delivered = true,
            SourceState::Stalled | SourceState::Lost | SourceState::Failed => {
                self.kind = Some(source.kind);
                self.reason.clone_from(&source.report.reason);
            }
            SourceState::Opening => {}
        }
    }

    /// Returns the exit code and the reason for a requested source that never delivered.
    pub fn failure(&self) -> Option<(Exit, Option<&Problem>)> {
        let exit = match self.kind.filter(|_| !self.delivered)? {
            "camera" | "mic" | "system" | "app" | "screen" | "window" => Exit::Device,
            "stream" => Exit::Unreachable,
            _ => Exit::File,
        };
        Some((exit, Some(&self.reason).filter(|reason| !reason.is_empty())))
    }
}
