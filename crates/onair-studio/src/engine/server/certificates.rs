//! The certificate of the built-in server's HTTPS: from files, from an authority, or the one that onair makes.

use std::time::Instant;

use crate::net::Identity;
use crate::net::tls::acme::{AcmeConfig, AcmeEvent};
use crate::server::{self, Listen};
use crate::studio::engine::server::BuiltIn;
use crate::studio::notices::message::StudioMessage;
use crate::studio::settings::own_identity;
use crate::text::Problem;

impl BuiltIn {
    /// Returns the given certificate, the kept one of the authority, or the server's own, whose fingerprint is shown.
    pub(super) fn https_identity(&mut self, listen: Listen) -> Result<Identity, Problem> {
        self.https_pin = None;
        let kept = || self.authority().and_then(AcmeConfig::kept);
        if let Some(identity) = self.given_identity().cloned().or_else(kept) {
            return Ok(identity);
        }
        let mut names = self.names.hosts.clone();
        names.extend(server::own_local_name());
        let (identity, pin) = own_identity(names, listen.address.ip())?;
        self.https_pin = Some(pin);
        Ok(identity)
    }

    /// Uses the given certificate again if its files have changed. Fails with the reason why it cannot be used; the server
    /// then keeps the earlier one.
    pub fn poll_certificate(&mut self, now: Instant) -> Result<(), Problem> {
        let Some(files) = &mut self.certificate_files else { return Ok(()) };
        let Some(read) = files.poll(now) else { return Ok(()) };
        let identity = read?;
        if let Some(server) = &self.server {
            server.set_identity(identity.clone());
        }
        self.renew_identity(identity);
        Ok(())
    }

    /// Asks the authority for a certificate. Until there is one, the server has the kept one, or its own.
    pub(super) fn use_authority(&self, config: &mut server::Config) {
        let Some(acme) = self.authority().filter(|_| config.https.is_some()).cloned() else {
            return;
        };
        config.use_authority(acme);
    }

    /// Returns what the authority did since the last call. Programs trust its certificate, so no fingerprint is shown.
    pub fn certificate_news(&mut self) -> Vec<StudioMessage> {
        let (Some(server), Some(acme)) = (&self.server, self.authority()) else {
            return Vec::new();
        };
        let domains = || acme.domains.join(", ");
        let mut is_issued = false;
        let message = |event| match event {
            AcmeEvent::Issued { .. } => {
                is_issued = true;
                StudioMessage::CertificateIssued { domains: domains() }
            }
            AcmeEvent::Failed { reason, retry_in } => StudioMessage::CertificateFailed {
                domains: domains(),
                next: retry_in.as_secs().div_ceil(60).to_string(),
                reason: Problem::words(reason),
            },
        };
        let news = std::iter::from_fn(|| server.next_certificate()).map(message).collect();
        if is_issued {
            self.https_pin = None;
        }
        news
    }
}
