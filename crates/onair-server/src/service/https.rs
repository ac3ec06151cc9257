//! The certificate of the server, and the port of HTTPS, which can open, move and close while the server runs.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::net::Identity;
use crate::net::tls::acme::AcmeEvent;
use crate::server::registry::config::Listen;
use crate::server::service::listen::{Error, bind};
use crate::server::service::{Server, serve_http};

impl Server {
    /// Serves HTTPS with this certificate at this address, or no longer. Clients of this computer stay, and those of
    /// other computers are disconnected. This function must not be called within the runtime.
    ///
    /// # Errors
    /// Fails if the server cannot listen there. HTTPS stays closed then.
    pub fn set_https(&mut self, https: Option<(Identity, Listen)>) -> Result<(), Error> {
        if let Some(port) = self.ports.https.take() {
            self.runtime.block_on(port.close());
            port.disconnect_others(&self.registry);
        }
        self.addresses.https = None;
        let Some((identity, listen)) = https else { return Ok(()) };
        let listener = bind(&self.runtime, "HTTPS", listen)?;
        self.addresses.https = Some(listener.local_addr());
        self.set_identity(identity.clone());
        let used = self.identity.get_or_insert_with(|| Arc::new(Mutex::new(identity)));
        let used = Some(Arc::clone(used));
        self.ports.https = Some(serve_http(&self.runtime, &self.registry, listener, used));
        Ok(())
    }
    /// Returns the next change of a certificate from an authority, which the server uses already.
    pub fn next_certificate(&self) -> Option<AcmeEvent> {
        self.certificates.as_ref()?.try_recv().ok()
    }

    /// Replaces the certificate for new clients of RTMPS and HTTPS. Connected clients stay. Without a TLS address, does
    /// nothing.
    pub fn set_identity(&self, identity: Identity) {
        if let Some(current) = &self.identity {
            *current.lock() = identity;
        }
    }
}
