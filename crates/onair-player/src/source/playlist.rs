//! The continuation after the end of a file: another file of a list, the same file again, or
//! nothing for now. A file that follows without a gap plays in the same player; other files have a
//! separate player each.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{PLAYER_LEAD, POLL_INTERVAL, RETRY_INTERVAL, SourceThread};
use crate::base::{FileStamp, Stop};
use crate::media::playback_control::{EndBehavior, Position, TransportCommand};
use crate::player::handle::Player;
use crate::player::session::config::Source;
use crate::player::state::{Failure, FailureKind, State};
use crate::text::problem::problem;

/// The continuation.
enum Continuation {
    Plays(Player),
    /// Nothing plays. If the last file could not be played, this is the kind of its failure.
    Stands(Option<FailureKind>),
}

/// The step that a command requests of a stopped source.
enum WantedStep {
    /// Play everything from the beginning.
    All,
    /// Play the last file from this position, or, if `None`, from its original start.
    Same(Option<Duration>),
    /// Play the file with this index.
    File(usize),
}

impl SourceThread {
    /// Records the current file of a list, and sets its gapless next file.
    pub(super) fn lead_on(&self, player: &Player) {
        let Some(sequel) = &self.config.sequel else { return };
        if let Some((path, failure)) = sequel.take_failed() {
            self.left_out.borrow_mut().add(&path, &failure.problem);
        }
        if let Some((path, whole)) = sequel.advance(player.position()) {
            if let Some(whole) = whole {
                player.set_duration(whole);
            }
            // The planned next file, in case the list contains the same file twice.
            let next = self.candidate();
            let mut list = self.list.borrow_mut();
            let next = next.filter(|index| list.at(*index) == Some(&*path));
            if let Some(index) = next.or_else(|| list.find(&path)) {
                list.go_to(index);
            }
        }
        if player.state() == State::Playing
            && let Some(file) = self.list.borrow().file()
        {
            self.left_out.borrow_mut().plays(file);
        }
        self.tell_left_out();
        let next = self.candidate();
        let next = next.and_then(|it| self.list.borrow().at(it).map(Path::to_owned));
        if sequel.want(next) {
            // The file that was read ahead is no longer the next one.
            self.seek(player, self.at(player));
        }
    }

    fn tell_left_out(&self) {
        let list = self.list.borrow();
        let mut left_out = self.left_out.borrow_mut();
        if left_out.is_empty() && self.transport.left_out().is_empty() {
            return;
        }
        left_out.update(self.clock.now(), |path| list.find(path).is_some());
        self.transport.tell_left_out(&left_out.files());
    }

    /// Returns the index of the next playable file in a list.
    fn candidate(&self) -> Option<usize> {
        let list = self.list.borrow();
        if list.is_alone() {
            return None;
        }
        let left_out = self.left_out.borrow();
        let around = self.transport.at_end() == EndBehavior::Loop;
        let first = list.next();
        let behind = first.into_iter().flat_map(|next| next..list.count());
        let before = 0..first.unwrap_or(list.count());
        let all = behind.chain(before.filter(|_| around));
        let mut all = all.filter(|index| list.at(*index).is_some_and(|it| !left_out.skips(it)));
        all.next()
    }

    /// Returns all files in order; empty for a stream.
    fn files(&self) -> Vec<PathBuf> {
        match &self.config.source {
            Source::File(first) => {
                std::iter::once(first.clone()).chain(self.transport.then()).collect()
            }
            Source::Url(_) => Vec::new(),
        }
    }

    /// Applies changes of the list.
    pub(super) fn follow_list(&self) {
        let changes = Some(self.transport.then_changes());
        if self.followed.replace(changes) == changes {
            return;
        }
        self.list.borrow_mut().follow(self.files());
    }

    /// Returns the index of the current file, and the number of files.
    pub(super) fn item(&self) -> Option<(usize, usize)> {
        let list = self.list.borrow();
        (!list.is_alone() && list.count() > 0).then(|| (list.index(), list.count()))
    }

    /// Returns the file that this command requests, if it is not the current one.
    pub(super) fn other(&self, go: TransportCommand) -> Option<usize> {
        let list = self.list.borrow();
        match go {
            _ if list.is_alone() || list.count() == 0 => None,
            TransportCommand::Next => Some(list.next().unwrap_or(0)),
            TransportCommand::Previous => Some(list.previous()),
            TransportCommand::Restart if list.is_beyond_first() => Some(0),
            _ => None,
        }
    }

    /// Returns the continuation after this final state, or `None` if the source is no longer
    /// needed.
    pub(super) fn again(
        &self,
        ended: &State,
        paused: &mut bool,
        stop: &Stop,
    ) -> Option<Result<Player, Failure>> {
        if matches!(self.config.source, Source::Url(_)) {
            // The state is reported repeatedly.
            self.tell(ended);
            if stop.wait(RETRY_INTERVAL) {
                return None;
            }
            self.shared.audio.clear();
            return Some(self.start(None));
        }
        match self.follow(ended, *paused, stop)? {
            Continuation::Plays(player) => Some(Ok(player)),
            Continuation::Stands(failed) => {
                *paused &= failed.is_some();
                self.stand(failed, paused, stop)
            }
        }
    }

    /// Returns the state after the end of a player. A looping file ends only if a pass through it
    /// cannot be read.
    pub(super) fn ended(&self) -> State {
        match &self.config.sequel {
            Some(sequel) if !self.ends.get().once => {
                let unread = || Failure::new(FailureKind::File, problem!("play-empty-file"));
                State::Failed(sequel.take_damage().unwrap_or_else(unread))
            }
            _ => State::Ended,
        }
    }

    /// Returns the continuation after a file of a list: the next file, or the requested one.
    /// Returns `None` if the source is no longer needed.
    fn follow(&self, ended: &State, paused: bool, stop: &Stop) -> Option<Continuation> {
        let mut wanted = self.wanted.take();
        if wanted.is_some() {
            self.shared.audio.clear();
        }
        let mut failed = match ended {
            State::Failed(failure) => Some(failure.clone()),
            _ => None,
        };
        loop {
            self.follow_list();
            if let Some(failure) = &failed {
                let file = self.list.borrow().file().map(Path::to_owned);
                let file = file.filter(|_| !self.list.borrow().is_alone());
                // While other files of the list play, the failed file is only skipped.
                if let Some(file) = file {
                    self.left_out.borrow_mut().add(&file, &failure.problem);
                    self.tell_left_out();
                }
                if self.candidate().is_none() {
                    self.tell(&State::Failed(failure.clone()));
                }
            }
            // In a pause, a requested file shows its first frame and plays nothing.
            let place = wanted.filter(|_| paused || self.pauses_next()).map(|_| Duration::ZERO);
            let Some(next) = wanted.take().or_else(|| self.next()) else {
                return Some(Continuation::Stands(failed.map(|failure| failure.kind)));
            };
            // All other files have been tried: wait.
            if failed.is_some() && self.candidate().is_none() && stop.wait(RETRY_INTERVAL) {
                return None;
            }
            self.go_to(next);
            match self.start(place) {
                Ok(player) => return Some(Continuation::Plays(player)),
                Err(failure) => failed = Some(failure),
            }
        }
    }

    /// Goes to a file of the list, and starts with the first reopen wait.
    fn go_to(&self, index: usize) {
        self.list.borrow_mut().go_to(index);
        self.reopen_wait.take();
    }

    /// Returns the index of the next file to play, if any.
    fn next(&self) -> Option<usize> {
        if let Some(next) = self.candidate() {
            return Some(next);
        }
        let list = self.list.borrow();
        let around = self.transport.at_end() == EndBehavior::Loop && !list.is_alone();
        list.next().or((around && list.count() > 0).then_some(0))
    }

    /// Returns true if the next command pauses the source.
    pub(super) fn pauses_next(&self) -> bool {
        self.transport.peek() == Some(TransportCommand::Pause)
    }

    /// Stops after the last file until a request arrives. After a failure, the wait also ends if the file
    /// changes or another file becomes the next one. Returns `None` if the source is no longer needed.
    fn stand(
        &self,
        failed: Option<FailureKind>,
        paused: &mut bool,
        stop: &Stop,
    ) -> Option<Result<Player, Failure>> {
        let wanted = match failed {
            Some(failed) => self.mend(failed, paused, stop),
            None => self.rest(stop),
        };
        let place = match wanted? {
            WantedStep::All => {
                self.go_to(0);
                Some(Duration::ZERO)
            }
            WantedStep::Same(place) => place,
            WantedStep::File(index) => {
                self.go_to(index);
                None
            }
        };
        self.shared.audio.clear();
        Some(self.start(place))
    }

    /// Waits after a file was played to its end.
    fn rest(&self, stop: &Stop) -> Option<WantedStep> {
        let last = self.transport.position().unwrap_or_default();
        let at = last.whole.unwrap_or(last.at);
        // The last frames are still on their way.
        if stop.wait(PLAYER_LEAD) {
            return None;
        }
        loop {
            let at_end = self.transport.at_end();
            {
                let mut waiting = self.shared.waiting.lock();
                waiting.over = at_end == EndBehavior::Clear;
                if waiting.over {
                    // The frames were not read.
                    waiting.frames.clear();
                }
            }
            self.follow_list();
            let (paused, stopped, item) = (true, true, self.item());
            self.transport.tell(Position { paused, stopped, at, item, ..last });
            while let Some(go) = self.transport.take() {
                if let Some(wanted) = self.wanted_by(go) {
                    return Some(wanted);
                }
            }
            if at_end == EndBehavior::Loop {
                return Some(WantedStep::All);
            }
            if stop.wait(POLL_INTERVAL) {
                return None;
            }
        }
    }

    /// Waits after the last file failed. A looping file is reopened even if its stamp is the same:
    /// the player reads ahead, so the file may have been replaced and restored in the meantime.
    fn mend(&self, failed: FailureKind, paused: &mut bool, stop: &Stop) -> Option<WantedStep> {
        let began = self.clock.now();
        let mut looked = began;
        loop {
            self.follow_list();
            if let Some(item) = self.item() {
                let (paused, stopped, item) = (true, true, Some(item));
                self.transport.tell(Position { paused, stopped, item, ..Position::default() });
            }
            while let Some(go) = self.transport.take() {
                *paused = match go {
                    TransportCommand::Pause => true,
                    TransportCommand::Resume => false,
                    _ => *paused,
                };
                if let Some(wanted) = self.wanted_by(go) {
                    return Some(wanted);
                }
            }
            if let Some(next) = self.next() {
                return Some(WantedStep::File(next));
            }
            if stop.wait(POLL_INTERVAL) {
                return None;
            }
            let now = self.clock.now();
            if now.since(looked) >= RETRY_INTERVAL {
                looked = now;
                let wait = self.reopen_wait.get();
                let is_over = self.goes_around() && wait.is_over(failed, now.since(began));
                let is_changed = self.stamp() != self.opened.get();
                if is_over || is_changed {
                    self.reopen_wait.set(wait.after_attempt(is_changed));
                    return Some(WantedStep::Same(None));
                }
            }
        }
    }

    /// Returns the step that a command requests of a stopped source.
    fn wanted_by(&self, go: TransportCommand) -> Option<WantedStep> {
        match go {
            TransportCommand::Resume | TransportCommand::Restart => Some(WantedStep::All),
            // A position refers to the last shown file.
            TransportCommand::To(place) => Some(WantedStep::Same(Some(place))),
            go => self.other(go).map(WantedStep::File),
        }
    }

    /// Returns the stamp of the last file, to detect a change.
    pub(super) fn stamp(&self) -> Option<FileStamp> {
        self.list.borrow().file().and_then(FileStamp::at)
    }
}
