//! A restart of ICE (RFC 8445 §2.4): new sockets and credentials look for another path, while DTLS
//! and the media go on. The owner of the connection exchanges the descriptions with the server.

use std::time::Instant;

use str0m::Candidate;

use crate::net::webrtc::client::sockets::{Restart, Sockets};
use crate::net::webrtc::client::{Peer, PeerError, contradiction, invalid};
use crate::net::webrtc::panics::contain;
use crate::wire::webrtc::sdp;

impl Peer {
    /// Begins a restart, and returns the credentials and candidates for the server as an SDP
    /// fragment (RFC 8840).
    ///
    /// # Errors
    /// Fails if no socket opens.
    pub fn begin_restart(&mut self) -> Result<String, PeerError> {
        let sockets = Sockets::open(self.bind.as_ref(), self.is_own)?;
        let made = contain(|| {
            let mut changes = self.rtc.sdp_api();
            changes.ice_restart(false);
            changes.apply()
        });
        let (offer, pending) = made.flatten().ok_or_else(contradiction)?;
        let mut lines = Vec::new();
        for address in sockets.addresses() {
            lines.push(Candidate::host(address, "udp").map_err(invalid)?.to_sdp_string());
        }
        let fragment = sdp::restart_fragment(&offer.to_sdp_string(), &lines);
        self.restart = Some(Restart { pending, sockets });
        Ok(fragment)
    }

    /// Takes the server's fragment, and looks for a path with it. Does nothing without a restart.
    ///
    /// # Errors
    /// Fails if the fragment has no new credentials.
    pub fn finish_restart(&mut self, fragment: &str) -> Result<(), PeerError> {
        let Some(Restart { pending, sockets }) = self.restart.take() else { return Ok(()) };
        let answer = sdp::restarted_answer(&self.answer, fragment);
        let answer = answer
            .ok_or_else(|| PeerError::Invalid("the restart has no new credentials".to_owned()))?;
        self.take_answer(pending, &answer)?;
        self.answer = answer;
        self.sockets = sockets;
        self.path = None;
        for address in self.sockets.addresses() {
            let candidate = Candidate::host(address, "udp").map_err(invalid)?;
            self.rtc.add_local_candidate(candidate);
        }
        (self.heard_at, self.written_when_heard) = (Instant::now(), self.written);
        self.is_changed = true;
        Ok(())
    }
}
