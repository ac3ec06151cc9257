//! SRT with an MPEG transport stream inside: `srt://host:port?streamid=…&latency=120`. The
//! passphrase is the key. The connection itself is in `net::srt`.

mod link;

use std::any::Any;

use futures_util::future::BoxFuture;

use crate::base::Secret;
use crate::broadcast::hub::sequence_headers::SequenceHeaders;
use crate::broadcast::protocol::address::{
    AddressError, ProtocolAddress, Request, TargetAddress, TargetProtocol,
};
use crate::broadcast::protocol::link::Link;
use crate::broadcast::protocol::srt::link::SrtLink;
use crate::broadcast::protocol::ts::muxer;
use crate::net::srt::{SrtSocket, SrtUrl, UrlError};
use crate::net::{ConnectStage, Error, srt};
use crate::text::Problem;
use crate::text::problem::problem;

/// The protocol.
pub(super) struct Srt;

impl TargetProtocol for Srt {
    fn schemes(&self) -> &'static [&'static str] {
        &["srt"]
    }

    fn needs_key(&self) -> bool {
        true
    }

    fn requires_key(&self) -> bool {
        false
    }

    fn parse(&self, text: &str, key: Option<&Secret>) -> Result<TargetAddress, AddressError> {
        SrtUrl::parse(text, key).map(TargetAddress::new).map_err(|error| match error {
            UrlError::Passphrase(problem) => AddressError::Key(problem),
            UrlError::Address(problem) => AddressError::Address(problem),
        })
    }
}

async fn connect(url: &SrtUrl, request: &Request<'_>) -> Result<SrtSocket, Error> {
    let request = srt::handshake::Request {
        net: &request.options.net,
        limit: request.options.handshake_limit,
        bitrate: request.bitrate.map(|rate| rate.0.into()),
        clock: request.clock,
        on_step: request.on_step,
    };
    srt::connect(url, &request).await
}

impl ProtocolAddress for SrtUrl {
    fn scheme(&self) -> &'static str {
        "srt"
    }

    fn host(&self) -> &str {
        &self.host
    }

    fn port(&self) -> u16 {
        self.port
    }

    fn authority(&self) -> String {
        self.authority()
    }

    fn is_secure(&self) -> bool {
        self.passphrase.is_some()
    }

    fn shown(&self) -> String {
        self.to_string()
    }

    fn has_secret(&self) -> bool {
        self.stream_id.is_some() || self.passphrase.is_some()
    }

    fn saved(&self) -> Option<String> {
        Some(self.without_passphrase(false))
    }

    fn remark(&self) -> Option<Problem> {
        let millis = self.latency.as_millis();
        self.is_in_micros.then(|| problem!("url-srt-micros", millis = millis.to_string()))
    }

    fn play_address(&self) -> Option<Secret> {
        self.play_address()
    }

    fn stages(&self) -> &'static [ConnectStage] {
        &[ConnectStage::Dns, ConnectStage::Handshake, ConnectStage::Media]
    }

    fn refuses_by_closing(&self) -> bool {
        true
    }

    fn uncarried(&self, head: &SequenceHeaders) -> Vec<String> {
        muxer::uncarried(head)
    }

    fn connect<'a>(&'a self, request: Request<'a>) -> BoxFuture<'a, Result<Box<dyn Link>, Error>> {
        Box::pin(async move {
            let socket = connect(self, &request).await?;
            Ok(Box::new(SrtLink::new(socket, self.authority(), request.clock)) as Box<dyn Link>)
        })
    }

    fn check<'a>(&'a self, request: Request<'a>) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            connect(self, &request).await?.close(request.options.command_limit).await;
            Ok(())
        })
    }

    fn is_same(&self, other: &dyn ProtocolAddress) -> bool {
        other.as_any().downcast_ref() == Some(self)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
