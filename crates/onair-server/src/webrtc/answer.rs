//! Answers the offers of viewers and publishers. str0m does the negotiation.

use std::net::SocketAddr;
use std::time::Instant;

use str0m::change::SdpOffer;
use str0m::net::TcpType;
use str0m::{Candidate, IceCreds, Output, Rtc, RtcConfig};

use crate::net::webrtc::panics::contain;
use crate::net::webrtc::{Certificate, crypto};

/// Local parameters of a negotiation.
#[derive(Debug)]
pub(super) struct Local<'a> {
    pub ufrag: &'a str,
    pub password: &'a str,
    /// Addresses at which the peer reaches the server.
    pub addresses: &'a [SocketAddr],
    /// True if these addresses accept TCP connections too.
    pub has_tcp: bool,
    pub certificate: &'a Certificate,
}

/// Returns the config of every connection.
pub(super) fn config(local: &Local<'_>) -> RtcConfig {
    let credentials = IceCreds { ufrag: local.ufrag.to_owned(), pass: local.password.to_owned() };
    Rtc::builder()
        .set_crypto_provider(crypto())
        .set_dtls_cert(local.certificate.for_dtls())
        .set_local_ice_credentials(credentials)
        .set_ice_lite(true)
}

/// Creates a connection, and the answer to an offer.
///
/// # Errors
/// Fails with a text for developers if the offer is unusable.
pub(super) fn accept(
    config: RtcConfig,
    local: &Local<'_>,
    offer: &str,
    now: Instant,
) -> Result<(Rtc, String), String> {
    let mut rtc = config.build(now);
    for address in local.addresses {
        let candidate = Candidate::host(*address, "udp").map_err(|error| error.to_string())?;
        rtc.add_local_candidate(candidate);
        if local.has_tcp {
            let candidate = Candidate::builder().tcp().host(*address).tcptype(TcpType::Passive);
            rtc.add_local_candidate(candidate.build().map_err(|error| error.to_string())?);
        }
    }
    let parsed = SdpOffer::from_sdp_string(offer).map_err(|error| error.to_string())?;
    // str0m 0.25 panics on some offers that contradict themselves. The connection is dropped then.
    let answer = contain(|| rtc.sdp_api().accept_offer(parsed))
        .ok_or("it contradicts itself")?
        .map_err(|error| error.to_string())?;
    // The connection is idle, but str0m must be polled once.
    while !matches!(rtc.poll_output().map_err(|error| error.to_string())?, Output::Timeout(_)) {}
    Ok((rtc, answer.to_sdp_string()))
}
