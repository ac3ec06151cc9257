//! The input of a viewer's session: datagrams, and restarts of ICE.

use std::sync::Arc;
use std::time::Instant;

use str0m::net::Receive;
use str0m::{IceCreds, Input};

use crate::net::random_hex;
use crate::net::webrtc::panics::contain;
use crate::server::registry::Registry;
use crate::server::whep::mailbox::{IceNames, Restart};
use crate::server::whep::path::Path;
use crate::server::whep::session::address_checks::MAX_ADDRESSES;
use crate::server::whep::session::{Session, UFRAG_LENGTH};
use crate::text::problem::{Problem, problem};
use crate::wire::webrtc::stun;

/// Maximum number of source addresses during a session, in which a phone may change its network many times.
const MAX_SOURCES: usize = 128;

impl Session {
    /// Handles a datagram. An unreadable datagram may come from anyone, and does not end the
    /// session.
    pub(super) fn receive(
        &mut self,
        registry: &Registry,
        datagram: &[u8],
        path: &Path,
    ) -> Result<(), Problem> {
        if stun::answered(datagram).is_some() {
            let request = self.checks.answer(datagram, path, Instant::now());
            return request.map_or(Ok(()), |request| self.accept(registry, &request, path));
        }
        // str0m sends no requests, so it needs no error responses. It also ignores indications.
        if stun::is_stun(datagram) && !stun::is_request(datagram) {
            return Ok(());
        }
        let Some(input) = self.input(datagram, path) else { return Ok(()) };
        if !self.rtc.accepts(&input) {
            return Ok(());
        }
        let from = path.peer();
        if stun::is_stun(datagram) {
            if self.sources.len() >= MAX_SOURCES && !self.sources.contains(&from) {
                return Ok(());
            }
            let checked = self.checks.request(datagram, path, Instant::now());
            if let Some(check) = checked.check {
                self.send_check(registry, &check, path);
            }
            if !checked.is_proven {
                return Ok(());
            }
        }
        self.accept(registry, datagram, path)
    }

    /// Converts a datagram for str0m, if possible.
    fn input<'a>(&self, datagram: &'a [u8], path: &Path) -> Option<Input<'a>> {
        let from = path.peer();
        let local = self.local.iter().find(|local| local.is_ipv4() == from.is_ipv4())?;
        let receive = Receive::new(path.protocol(), from, *local, datagram).ok()?;
        Some(Input::Receive(Instant::now(), receive))
    }

    /// Sends a check to an address.
    fn send_check(&mut self, registry: &Registry, check: &[u8], path: &Path) {
        let sent = match path {
            Path::Udp(to) => self.outgoing.send_now(check, *to),
            Path::Tcp(link) => link.send(check),
        };
        self.count(registry, sent);
    }

    /// Passes on a datagram from an address that has answered a check.
    fn accept(&mut self, registry: &Registry, datagram: &[u8], path: &Path) -> Result<(), Problem> {
        if stun::is_stun(datagram) {
            self.note_path(registry, path);
        }
        let Some(input) = self.input(datagram, path) else { return Ok(()) };
        match contain(|| self.rtc.handle_input(input)) {
            Some(Ok(())) => {}
            Some(Err(error)) => {
                tracing::debug!(from = %path.peer(), %error, "invalid datagram");
            }
            None => {
                self.is_broken = true;
                return Err(problem!("left-unreadable"));
            }
        }
        if self.rtc.is_alive() { Ok(()) } else { Err(problem!("left-closed")) }
    }

    /// Remembers a path to the viewer.
    pub(super) fn note_path(&mut self, registry: &Registry, path: &Path) {
        let from = path.peer();
        self.sources.insert(from);
        match path {
            Path::Tcp(link) => {
                if !self.tcp.iter().any(|known| Arc::ptr_eq(known, link)) {
                    // A new connection replaces an ended one, or one from the same address.
                    self.tcp.retain(|known| known.peer != from && !known.is_over());
                    self.tcp.push(Arc::clone(link));
                }
            }
            Path::Udp(path) => {
                if let Some(known) = self.paths.iter_mut().find(|known| known.peer == from) {
                    // The server answers from the address that the viewer used last.
                    known.local = path.local;
                    return;
                }
                if self.paths.len() >= MAX_ADDRESSES {
                    let oldest = self.paths.remove(0);
                    registry.whep.routes.forget(&self.mailbox, oldest.peer);
                }
                self.paths.push(*path);
                registry.whep.routes.learn(&self.mailbox, from);
            }
        }
    }

    /// Restarts ICE with new credentials of both sides. Media continues over the current path until a request
    /// with the new credentials arrives over another path.
    pub(super) fn restart_ice(&mut self, registry: &Registry, restart: Restart) {
        let (Some(ufrag), Some(pass)) = (random_hex(), random_hex()) else { return };
        let ufrag: String = ufrag.chars().take(UFRAG_LENGTH).collect();
        let fragment = format!(
            "a=ice-lite\r\n{}a=ice-ufrag:{ufrag}\r\na=ice-pwd:{pass}\r\na=end-of-candidates\r\n",
            self.candidates
        );
        let ice = IceNames { local: ufrag.clone(), remote: restart.ufrag.clone() };
        registry.whep.routes.rename(&self.mailbox, ice);
        self.checks.restart(&ufrag, (&restart.ufrag, &restart.password));
        let remote = IceCreds { ufrag: restart.ufrag, pass: restart.password };
        let mut direct = self.rtc.direct_api();
        direct.set_local_ice_credentials(IceCreds { ufrag, pass });
        direct.set_remote_ice_credentials(remote);
        // The request may be over.
        let _ = restart.answer.send(fragment);
    }
}
