//! Error statuses for the client: its request is refused, or its playback ends.

use crate::server::rtmp::connection::Connection;
use crate::wire::rtmp::server::Session;
use crate::wire::rtmp::status::{Level, Status};

impl Connection {
    /// Sends an error status by this function of the session.
    pub fn send_error(
        &self,
        send: impl FnOnce(&mut Session, &Status),
        code: &str,
        text: impl Into<String>,
    ) {
        let status = Status::new(Level::Error, code, text);
        self.with_session(|session| send(session, &status));
    }
}

/// Ends a playback that has begun.
pub(super) fn end_play(session: &mut Session, status: &Status) {
    session.send_status(status);
    session.close();
}
