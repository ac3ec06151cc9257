//! Raw MPEG transport streams over TCP and UDP, as ffmpeg, VLC and hardware decoders take them:
//! `tcp://host:port` and `udp://host:port?pkt_size=1316&ttl=1&localaddr=IP`. There is no handshake,
//! no name of a stream and no key: whatever connects or arrives is the stream.

mod address;
pub(super) mod muxer;
mod pacer;
mod tcp;
mod udp;

use std::any::Any;

use futures_util::future::BoxFuture;

use crate::base::Secret;
use crate::broadcast::hub::sequence_headers::SequenceHeaders;
use crate::broadcast::protocol::address::{
    AddressError, ProtocolAddress, Request, TargetAddress, TargetProtocol,
};
use crate::broadcast::protocol::link::Link;
use crate::broadcast::protocol::ts::address::{TsAddress, TsTransport};
use crate::broadcast::protocol::ts::tcp::TcpLink;
use crate::broadcast::protocol::ts::udp::UdpLink;
use crate::net::connect::datagrams::DatagramSender;
use crate::net::{ConnectStage, Endpoint, Error};
use crate::wire::rtmp::url::authority;

/// The protocol.
pub(super) struct Ts;

impl TargetProtocol for Ts {
    fn schemes(&self) -> &'static [&'static str] {
        &["tcp", "udp"]
    }

    fn needs_key(&self) -> bool {
        false
    }

    /// A key stays unused: the user may have typed it for another address.
    fn parse(&self, text: &str, _key: Option<&Secret>) -> Result<TargetAddress, AddressError> {
        TsAddress::parse(text).map(TargetAddress::new).map_err(AddressError::Address)
    }
}

impl TsAddress {
    fn endpoint(&self) -> Endpoint {
        Endpoint { host: self.host.clone(), port: self.port, tls: false }
    }

    async fn open(&self, request: &Request<'_>) -> Result<Box<dyn Link>, Error> {
        let (endpoint, net) = (self.endpoint(), &request.options.net);
        Ok(match &self.transport {
            TsTransport::Tcp => {
                // The address has a port, so the ports to try do not apply.
                let stream = crate::net::connect(&endpoint, net, request.on_step).await?;
                Box::new(TcpLink::new(stream, endpoint.to_string()))
            }
            TsTransport::Udp { packet_bytes, options } => {
                let sender = DatagramSender::open(&endpoint, options, net, request.on_step).await?;
                Box::new(UdpLink::new(sender, *packet_bytes, request.bitrate, request.clock))
            }
        })
    }
}

impl ProtocolAddress for TsAddress {
    fn scheme(&self) -> &'static str {
        match self.transport {
            TsTransport::Tcp => "tcp",
            TsTransport::Udp { .. } => "udp",
        }
    }

    fn host(&self) -> &str {
        &self.host
    }

    fn port(&self) -> u16 {
        self.port
    }

    fn authority(&self) -> String {
        authority(&self.host, self.port)
    }

    fn is_secure(&self) -> bool {
        false
    }

    fn shown(&self) -> String {
        self.to_string()
    }

    fn has_secret(&self) -> bool {
        false
    }

    fn saved(&self) -> Option<String> {
        Some(self.to_string())
    }

    fn stages(&self) -> &'static [ConnectStage] {
        match self.transport {
            TsTransport::Tcp => &[ConnectStage::Dns, ConnectStage::Tcp, ConnectStage::Media],
            TsTransport::Udp { .. } => &[ConnectStage::Dns, ConnectStage::Media],
        }
    }

    fn refuses_by_closing(&self) -> bool {
        false
    }

    fn uncarried(&self, head: &SequenceHeaders) -> Vec<String> {
        muxer::uncarried(head)
    }

    fn connect<'a>(&'a self, request: Request<'a>) -> BoxFuture<'a, Result<Box<dyn Link>, Error>> {
        Box::pin(async move { self.open(&request).await })
    }

    fn check<'a>(&'a self, request: Request<'a>) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move { self.open(&request).await.map(|_| ()) })
    }

    fn is_same(&self, other: &dyn ProtocolAddress) -> bool {
        other.as_any().downcast_ref() == Some(self)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
