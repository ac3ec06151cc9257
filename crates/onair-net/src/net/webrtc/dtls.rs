//! DTLS for str0m, implemented with dimpl.

use std::sync::Arc;
use std::time::Instant;

use str0m::config::{DtlsCert, DtlsVersion};
use str0m::crypto::CryptoError;
use str0m::crypto::dtls::{DtlsImplError, DtlsInstance, DtlsOutput, DtlsProvider, ProtocolVersion};

use crate::net::webrtc::certificate::Certificate;

#[derive(Debug)]
pub(super) struct Provider;

impl DtlsProvider for Provider {
    fn generate_certificate(&self) -> Option<DtlsCert> {
        Certificate::generate().ok().map(|certificate| certificate.for_dtls())
    }

    fn new_dtls(
        &self,
        cert: &DtlsCert,
        now: Instant,
        dtls_version: DtlsVersion,
        mtu: Option<usize>,
    ) -> Result<Box<dyn DtlsInstance>, CryptoError> {
        // A cookie would verify the address, which ICE has already done.
        let mut builder = dimpl::Config::builder().use_server_cookie(false);
        if let Some(mtu) = mtu {
            builder = builder.mtu(mtu);
        }
        let config =
            Arc::new(builder.build().map_err(|error| CryptoError::Other(error.to_string()))?);
        let cert = cert.clone();
        let dtls = match dtls_version {
            DtlsVersion::Dtls12 => dimpl::Dtls::new_12(config, cert, now),
            DtlsVersion::Dtls13 => dimpl::Dtls::new_13(config, cert, now),
            DtlsVersion::Auto => dimpl::Dtls::new_auto(config, cert, now),
            other => return Err(CryptoError::Other(format!("{other} is not known here"))),
        };
        Ok(Box::new(Instance { dtls, idle_until: None }))
    }
}

/// A DTLS connection.
struct Instance {
    dtls: dimpl::Dtls,
    /// The time that the last poll returned, if nothing has happened since then. str0m polls before it sends each
    /// packet of media, and dimpl would look through its queues each time.
    idle_until: Option<Instant>,
}

impl Instance {
    /// Returns the connection for a change.
    fn change(&mut self) -> &mut dimpl::Dtls {
        self.idle_until = None;
        &mut self.dtls
    }
}

impl std::fmt::Debug for Instance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Instance").finish_non_exhaustive()
    }
}

impl DtlsInstance for Instance {
    fn set_active(&mut self, active: bool) {
        self.change().set_active(active);
    }

    fn handle_packet(&mut self, packet: &[u8]) -> Result<(), DtlsImplError> {
        self.change().handle_packet(packet)
    }

    fn poll_output<'a>(&mut self, buf: &'a mut [u8]) -> DtlsOutput<'a> {
        if let Some(until) = self.idle_until {
            return DtlsOutput::Timeout(until);
        }
        let output = self.dtls.poll_output(buf);
        if let DtlsOutput::Timeout(until) = output {
            self.idle_until = Some(until);
        }
        output
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), DtlsImplError> {
        self.change().handle_timeout(now)
    }

    fn send_application_data(&mut self, data: &[u8]) -> Result<usize, DtlsImplError> {
        self.change().send_application_data(data)
    }

    fn is_active(&self) -> bool {
        self.dtls.is_active()
    }

    fn protocol_version(&self) -> Option<ProtocolVersion> {
        self.dtls.protocol_version()
    }

    fn is_closing(&self) -> bool {
        self.dtls.is_closing()
    }

    fn is_closed(&self) -> bool {
        self.dtls.is_closed()
    }

    fn close(&mut self) -> Result<(), DtlsImplError> {
        self.change().close()
    }
}
