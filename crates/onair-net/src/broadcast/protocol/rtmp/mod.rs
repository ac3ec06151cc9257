//! RTMP, also over TLS and HTTP.

mod codecs;
mod link;
mod sent_configs;

use std::any::Any;

use futures_util::future::BoxFuture;

use crate::base::Secret;
use crate::broadcast::protocol::address::{
    AddressError, ProtocolAddress, Request, TargetAddress, TargetProtocol,
};
use crate::broadcast::protocol::link::Link;
use crate::broadcast::protocol::rtmp::link::RtmpLink;
use crate::net::rtmp::{Client, Options};
use crate::net::{ConnectStage, Error};
use crate::problems::ToProblem;
use crate::wire::rtmp::client::Purpose;
use crate::wire::rtmp::url::{Error as UrlError, Url};

/// The protocol.
pub(super) struct Rtmp;

impl TargetProtocol for Rtmp {
    fn schemes(&self) -> &'static [&'static str] {
        &["rtmp", "rtmps", "rtmpt", "rtmpts"]
    }

    fn needs_key(&self) -> bool {
        true
    }

    fn parse(&self, text: &str, key: Option<&Secret>) -> Result<TargetAddress, AddressError> {
        let url = match key {
            Some(key) => Url::with_key(text, key.expose()),
            None => Url::parse(text),
        };
        url.and_then(Url::require_stream).map(TargetAddress::from).map_err(|error| {
            let problem = error.to_problem();
            match error {
                UrlError::NoApp => AddressError::NoApplication(problem),
                UrlError::NoStream => AddressError::NoKey(problem),
                UrlError::KeySpace | UrlError::KeyCharacter | UrlError::KeyTooLong => {
                    AddressError::Key(problem)
                }
                _ => AddressError::Address(problem),
            }
        })
    }
}

impl From<Url> for TargetAddress {
    fn from(url: Url) -> Self {
        Self::new(url)
    }
}

impl TargetAddress {
    /// Returns the URL, if the protocol is RTMP.
    pub fn as_rtmp(&self) -> Option<&Url> {
        self.get()
    }
}

impl ProtocolAddress for Url {
    fn scheme(&self) -> &'static str {
        self.scheme.as_str()
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
        self.scheme.is_secure()
    }

    fn shown(&self) -> String {
        self.to_string()
    }

    fn shown_with_name(&self) -> String {
        self.display_with_name()
    }

    fn has_secret(&self) -> bool {
        true
    }

    fn saved(&self) -> Option<String> {
        None
    }

    fn with_query(&self, query: &str) -> Option<TargetAddress> {
        let name = self.stream.expose();
        let joint = if name.contains('?') { '&' } else { '?' };
        self.with_stream(&format!("{name}{joint}{query}"))
    }

    fn with_stream(&self, name: &str) -> Option<TargetAddress> {
        Some(Self { stream: Secret::new(name), ..self.clone() }.into())
    }

    fn stages(&self) -> &'static [ConnectStage] {
        use ConnectStage::{Connect, Dns, Handshake, Media, Publish, Tcp, Tls};
        match self.scheme.is_secure() {
            true => &[Dns, Tcp, Tls, Handshake, Connect, Publish, Media],
            false => &[Dns, Tcp, Handshake, Connect, Publish, Media],
        }
    }

    fn refuses_by_closing(&self) -> bool {
        true
    }

    fn connect<'a>(&'a self, request: Request<'a>) -> BoxFuture<'a, Result<Box<dyn Link>, Error>> {
        Box::pin(async move {
            let options = options(&request);
            let Request { home, clock, on_step, .. } = request;
            let client = Client::connect(self, Purpose::Publish, &options, clock, on_step).await?;
            let home = home.as_rtmp().unwrap_or(self).clone();
            Ok(Box::new(RtmpLink::new(client, home, self.clone())) as Box<dyn Link>)
        })
    }

    fn check<'a>(&'a self, request: Request<'a>) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            let options = options(&request);
            Client::check(self, &options, request.clock, request.on_step).await.map(|_| ())
        })
    }

    fn is_same(&self, other: &dyn ProtocolAddress) -> bool {
        other.as_any().downcast_ref() == Some(self)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

fn options(request: &Request<'_>) -> Options {
    let its = request.options;
    Options {
        net: its.net.clone(),
        handshake_limit: its.handshake_limit,
        command_limit: its.command_limit,
        bitrate: request.bitrate,
        ..Options::default()
    }
}
