//! The playback of a recording on a connection.

use std::sync::Arc;
use std::time::Duration;

use crate::base::Timestamp;
use crate::server::access::grant;
use crate::server::event::{Ended, Event, NoRoom, Peer, Protocol, Refusal};
use crate::server::outputs::recordings::playback::{Playback, PlaybackStep};
use crate::server::recordings::opened::OpenError;
use crate::server::registry::Registry;
use crate::server::rtmp::connection::{Connection, Error};
use crate::server::rtmp::error_status::end_play;
use crate::server::stream::message::Batch;
use crate::server::stream::sink::Sink;
use crate::text::Problem;
use crate::wire::rtmp::server::Session;
use crate::wire::rtmp::status::code;

/// A client that plays a recording.
pub(super) struct Watching {
    registry: Arc<Registry>,
    connection: Arc<Connection>,
    playback: Playback,
    since: Timestamp,
    sent_before: u64,
    /// Number of times that all viewers had to leave before the client was admitted.
    expelled: u64,
    /// True if the client was accepted.
    accepted: bool,
}

impl Watching {
    /// Begins to play the recording of this name, from this time on. `expelled` is the value of
    /// [`Registry::expulsions`] when the client was admitted.
    pub fn new(
        registry: &Arc<Registry>,
        connection: &Arc<Connection>,
        (name, start): (String, f64),
        expelled: u64,
    ) -> Self {
        Self {
            registry: Arc::clone(registry),
            connection: Arc::clone(connection),
            playback: Playback::new(registry, name, start),
            since: registry.clock.now(),
            sent_before: connection.sent(),
            expelled,
            accepted: false,
        }
    }

    /// Waits for the next step of the playback.
    pub async fn next(&mut self) -> PlaybackStep {
        let connection = &self.connection;
        self.playback.set_wanted(connection.io.lock().wanted);
        self.playback.next(|| connection.backlog()).await
    }

    /// Handles a step of the playback. Returns false if the recording cannot be played.
    pub fn handle(&mut self, step: PlaybackStep) -> Result<bool, Error> {
        let connection = &self.connection;
        match step {
            PlaybackStep::Opened => {
                if let Err(why) = self.join() {
                    connection.send_error(Session::reject_play, code::PLAY_FAILED, why.problem());
                    return Ok(false);
                }
                self.accepted = true;
                if self.expelled != self.registry.expulsions() {
                    connection.dismiss(grant::expelled());
                }
                connection.with_session(Session::accept_recorded)?;
            }
            PlaybackStep::Media(messages) => connection.deliver(&Batch::pieces(&messages)),
            PlaybackStep::Ended(lasted) => connection.complete_play(lasted.as_secs_f64()),
            PlaybackStep::Failed(error) => {
                let (code, text) = match &error {
                    OpenError::Missing => (code::PLAY_NOT_FOUND, "There is no such recording."),
                    _ => (code::PLAY_FAILED, "The recording cannot be read."),
                };
                tracing::debug!(%error, "the playback of a recording ends");
                match self.accepted {
                    true => connection.send_error(end_play, code, text),
                    false => connection.send_error(Session::reject_play, code, text),
                }
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Adds the client to the viewers of the recording, and reports that. Fails if the recording has too many viewers.
    fn join(&self) -> Result<(), NoRoom> {
        let Some((peer, recording)) = self.peer().zip(self.playback.recording()) else {
            return Ok(());
        };
        let (registry, file) = (&self.registry, recording.file_name().into_owned());
        let viewers = &registry.recording_viewers;
        let most = registry.max_viewers(&recording.stream.app);
        let others = viewers.count_downloads(&file) + recording.viewers.lock().len();
        let sink = Arc::<Connection>::clone(&self.connection);
        viewers.join((peer.clone(), self.since), file, sink, (most, others)).inspect_err(
            |why| {
                let client = (peer.address.ip(), Some(peer.protocol));
                let refusal = Refusal::of_viewer(client, (&peer.app, &peer.stream), *why);
                registry.reporter.refuse(refusal);
            },
        )?;
        registry.tell(Event::Join(peer));
        Ok(())
    }

    /// Pauses or continues.
    pub fn set_paused(&mut self, paused: bool) {
        self.playback.set_paused(paused);
    }

    /// Continues at another time.
    pub fn seek(&mut self, millis: u32) {
        self.playback.seek(Duration::from_millis(millis.into()));
        self.connection.accept_seek();
    }

    /// Ends the playback, because the client no longer plays the recording.
    pub fn end(&self, reason: Problem) {
        let Some(peer) = self.peer().filter(|_| self.accepted) else { return };
        self.registry.recording_viewers.leave(peer.id);
        let after = self.registry.clock.now().since(self.since);
        let bytes = self.connection.sent().saturating_sub(self.sent_before);
        let ended = Ended { reason, after, bytes };
        self.registry.tell(Event::Leave(peer, ended));
    }

    fn peer(&self) -> Option<Peer> {
        let recording = self.playback.recording()?;
        Some(recording.peer(self.connection.peer, self.connection.id(), Protocol::Rtmp))
    }
}
