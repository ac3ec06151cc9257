//! The end of a connection: its deadlines, its last messages, and the end of its publication or playback.

use std::future::poll_fn;
use std::time::Duration;

use crate::base::Timestamp;
use crate::server::event::Ended;
use crate::server::relay::pulls;
use crate::server::rtmp::connection::Error;
use crate::server::rtmp::error_status::end_play;
use crate::server::rtmp::{CHECK_INTERVAL, Role, Task};
use crate::server::stream::sink::Sink;
use crate::text::Problem;
use crate::wire::rtmp::command::Connect;
use crate::wire::rtmp::server::Session;
use crate::wire::rtmp::status::code;

/// Time limit for sending the last message.
const LAST_MESSAGE_TIMEOUT: Duration = Duration::from_secs(1);

impl Task {
    /// Sends the last message, and waits until the client closes too. An evicted connection does not
    /// wait, because other clients need its slot.
    pub(super) async fn send_last_word(&mut self) {
        let last = poll_fn(|cx| self.connection.poll_last_word(cx));
        tokio::select! {
            biased;
            _ = tokio::time::timeout(LAST_MESSAGE_TIMEOUT, last) => {}
            () = self.place.evicted() => {}
        }
    }

    pub(super) fn check_deadlines(&mut self, now: Timestamp) -> Result<(), Error> {
        if self.flush_at.is_some_and(|at| now >= at) {
            self.flush_at = None;
            if let Role::Publishing(publication) = &self.role {
                publication.stream.flush();
            }
        }
        if now >= self.check_at {
            self.check_at = now + CHECK_INTERVAL;
            match self.role {
                Role::Publishing(_) => {
                    // A client is not silent while faults keep the server from reading.
                    if self.connection.reads_late(now) {
                        self.last_received = now;
                    }
                    if now.since(self.last_received) >= self.registry.config.limits.silent_publisher
                    {
                        return Err(Error::Silent);
                    }
                }
                // Sending detects a dead peer, which is enough while media is sent.
                Role::Playing { ref stream, .. } => {
                    self.waiting_since =
                        (!stream.is_published()).then(|| self.waiting_since.unwrap_or(now));
                    let limit = self.registry.config.limits.waiting_viewer;
                    if self.waiting_since.is_some_and(|since| now.since(since) >= limit) {
                        let text = "Nobody publishes this stream.";
                        self.connection.send_error(end_play, code::PLAY_NOT_FOUND, text);
                        return Ok(());
                    }
                    self.ping(now);
                }
                Role::Watching(_) => self.ping(now),
                Role::Idle => {}
            }
        }
        self.connection.check(now)
    }

    /// Sends what the stream's other viewers have not received yet.
    pub(super) async fn send_rest(&mut self) {
        if let Role::Publishing(publication) = &self.role {
            publication.stream.send_rest(&self.registry.admission, self.registry.clock.now()).await;
        }
    }

    /// Accepts the connection. The decision may have taken long: the deadline for the next command
    /// counts from now on, not from the last input.
    pub(super) fn accept_connect(&self) -> Result<(), Error> {
        self.connection.check(self.registry.clock.now())?;
        Ok(self.connection.with_session(Session::accept_connect)?)
    }

    /// Pings a client that receives no data, to learn whether the client is still connected.
    fn ping(&mut self, now: Timestamp) {
        if self.connection.sent() == self.sent {
            self.connection.with_session(|session| session.ping(now.as_millis() as u32));
        }
        self.sent = self.connection.sent();
    }

    pub(super) fn end_role(&mut self, reason: Problem) {
        self.pass_on();
        self.flush_at = None;
        let (id, peer) = (self.connection.id(), self.connection.peer);
        self.waiting_since = None;
        self.registry.admission.unsettle(self.place.spot());
        match std::mem::replace(&mut self.role, Role::Idle) {
            Role::Idle => {}
            Role::Publishing(publication) => {
                self.registry.unpublish(&publication, id, peer, reason);
                pulls::resume(&self.registry, &publication.stream);
            }
            Role::Watching(watching) => watching.end(reason),
            Role::Playing { stream, since, sent_before } => {
                let after = self.registry.clock.now().since(since);
                let bytes = self.connection.sent().saturating_sub(sent_before);
                let ended = Ended { reason, after, bytes };
                self.registry.leave(&stream, id, peer, ended);
            }
        }
        self.done = None;
        // A pause ends with its playback: the client may play another stream.
        self.connection.set_paused(false);
        self.connection.set_wanted(Some(true), Some(true));
    }

    /// Requests a reconnect from a client that supports it, to the successor if there is one.
    /// Returns `false` for other clients, and for those that neither publish nor play.
    pub(super) fn ask_to_reconnect(&self, why: &str) -> bool {
        if matches!(self.role, Role::Idle) {
            return false;
        }
        self.connection.with_session(|session| {
            let asked = session.reconnects_on_request();
            if asked {
                let successor = self.successor(session.connect());
                session.request_reconnect(successor.as_deref(), why);
            }
            asked
        })
    }

    /// Returns the URL of the successor for a client. `{app}` stands for the client's application.
    pub(super) fn successor(&self, connect: &Connect) -> Option<String> {
        let successor = self.registry.successor.lock().clone()?;
        // The query can contain the answer to a challenge of this server.
        let app = connect.app.split('?').next().unwrap_or_default();
        Some(successor.replace("{app}", app.trim_matches('/')))
    }

    /// Sends the reason for the end.
    pub(super) fn say_goodbye(&self, reason: &str) {
        match self.role {
            Role::Publishing(_) => {
                self.connection.send_error(Session::send_status, code::PUBLISH_REJECTED, reason);
            }
            Role::Playing { .. } | Role::Watching(_) => self.connection.end(),
            Role::Idle => {}
        }
    }
}
