//! Several files that are played one after the other, each by a player of its own.

use std::path::PathBuf;

use super::{AGAIN, Keeper};
use crate::base::Stop;
use crate::media::transport::{AtEnd, Go};
use crate::player::{Player, Source, State};

impl Keeper {
    /// All files that are played one after the other; none of a stream.
    pub(super) fn files(&self) -> Vec<PathBuf> {
        match &self.config.source {
            Source::File(first) => {
                std::iter::once(first.clone()).chain(self.transport.then()).collect()
            }
            Source::Url(_) => Vec::new(),
        }
    }

    /// How many there are; the one that plays is found again where others came or went.
    pub(super) fn count(&self) -> usize {
        let files = self.files();
        let file = self.file.borrow();
        if files.get(self.at.get()) != Some(&*file)
            && let Some(at) = files.iter().position(|it| *it == *file)
        {
            self.at.set(at);
        }
        files.len()
    }

    /// Which of several files this asks for, where that is another one.
    pub(super) fn other(&self, go: Go) -> Option<usize> {
        let count = self.count();
        let at = self.at.get();
        match go {
            _ if count < 2 => None,
            Go::Next => Some((at + 1) % count),
            Go::Previous => Some((at + count - 1) % count),
            Go::Restart if at > 0 => Some(0),
            _ => None,
        }
    }

    /// After the end of one of several files: the next one, or the one that was wanted. `Some(None)`:
    /// none follows; `None`: nobody wants any.
    pub(super) fn follow(&self, ended: &State, stop: &Stop) -> Option<Option<Player>> {
        let mut wanted = self.wanted.take();
        if wanted.is_some() {
            self.shared.sound.clear();
        }
        let mut failed = match ended {
            State::Failed(failure) => Some(failure.clone()),
            _ => None,
        };
        loop {
            let count = self.count();
            if count < 2 {
                return Some(None);
            }
            if let Some(failure) = failed.take() {
                self.tell(&State::Failed(failure));
                if stop.wait(AGAIN) {
                    return None;
                }
            }
            let next = wanted.take().unwrap_or_else(|| self.at.get() + 1);
            let around = self.transport.at_end() == AtEnd::Loop;
            if next >= count && !around {
                return Some(None);
            }
            self.at.set(if next < count { next } else { 0 });
            match self.start(None) {
                Ok(player) => return Some(Some(player)),
                Err(failure) => failed = Some(failure),
            }
        }
    }
}
