//! The address to which a stream is published. The scheme determines the protocol; the rest of
//! onair uses only the parts that all protocols have.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::base::{Clock, Secret};
use crate::broadcast::hub::sequence_headers::SequenceHeaders;
use crate::broadcast::protocol::link::{Link, Options};
use crate::media::BitsPerSecond;
use crate::net::{ConnectStage, Error, Step};
use crate::text::Problem;
use crate::text::problem::problem_error;
use crate::wire::rtmp::url::authority;

/// A protocol by which streams are published.
pub trait TargetProtocol: Sync {
    /// Returns the schemes of its addresses, in lowercase.
    fn schemes(&self) -> &'static [&'static str];

    /// Returns true if its addresses can have a stream key or a passphrase.
    fn needs_key(&self) -> bool;

    /// Returns true if an address of the protocol is of no use without a stream key.
    fn requires_key(&self) -> bool {
        self.needs_key()
    }

    /// Parses an address of one of the schemes, and its key, if the key is separate.
    ///
    /// # Errors
    /// Fails with the problem for the user, which never contains the key.
    fn parse(&self, text: &str, key: Option<&Secret>) -> Result<TargetAddress, AddressError>;
}

/// The reason why a text is not an address. The part that the user must edit is known, and the
/// problem never contains the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AddressError {
    /// The address has no application.
    NoApplication(Problem),
    /// The stream key is missing.
    NoKey(Problem),
    /// The separate stream key is not valid.
    Key(Problem),
    /// Another part of the address is not valid.
    Address(Problem),
}

impl From<&AddressError> for Problem {
    fn from(error: &AddressError) -> Self {
        let (AddressError::NoApplication(problem)
        | AddressError::NoKey(problem)
        | AddressError::Key(problem)
        | AddressError::Address(problem)) = error;
        problem.clone()
    }
}

problem_error!(AddressError);

/// A callback for the steps of a connection.
pub type Listener<'a> = dyn Fn(Step<'_>) + Send + Sync + 'a;

/// A request for a connection.
#[derive(Copy, Clone)]
pub struct Request<'a> {
    /// The user's address, which differs from the address of the connection after a redirect.
    pub home: &'a TargetAddress,
    /// The headers of the stream, if one is to be sent.
    pub head: Option<&'a SequenceHeaders>,
    pub options: &'a Options,
    /// The bitrate of the stream, if known.
    pub bitrate: Option<BitsPerSecond>,
    /// The number of sizes in which the video is to be sent at once, if the protocol can.
    pub layers: u8,
    pub clock: Clock,
    /// Called at the beginning of each stage.
    pub on_step: &'a Listener<'a>,
}

impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").field("home", self.home).finish_non_exhaustive()
    }
}

/// An address of one protocol. `Debug` must not show the key.
pub trait ProtocolAddress: fmt::Debug + Send + Sync + 'static {
    /// Returns the scheme, as the name of the protocol in events.
    fn scheme(&self) -> &'static str;

    /// Returns the name or address of the server, without the brackets of IPv6.
    fn host(&self) -> &str;

    /// Returns the server's port.
    fn port(&self) -> u16;

    /// Returns the host, and the port unless it is the scheme's default. IPv6 addresses are in
    /// brackets.
    fn authority(&self) -> String;

    /// Returns true if the connection is encrypted.
    fn is_secure(&self) -> bool;

    /// Returns the address without the key.
    fn shown(&self) -> String;

    /// Returns the address with the name of the stream, for servers whose stream names are not
    /// secret.
    fn shown_with_name(&self) -> String {
        self.shown()
    }

    /// Returns true if the address contains a secret.
    fn has_secret(&self) -> bool;

    /// Returns the address for the settings file, without secrets; `None` if the protocol leaves
    /// this to the settings.
    fn saved(&self) -> Option<String>;

    /// Returns what the user should know about an address that is valid.
    fn remark(&self) -> Option<Problem> {
        None
    }

    /// Returns the address at which others probably play the stream, with its secrets, if the address
    /// says so and the protocol is one that onair plays. RTMP has no other address for that.
    fn play_address(&self) -> Option<Secret> {
        None
    }

    /// Returns the address of the same stream with this query added, if the protocol has queries.
    fn with_query(&self, _query: &str) -> Option<TargetAddress> {
        None
    }

    /// Returns the address of another stream at the same place, if the protocol has names.
    fn with_stream(&self, _name: &str) -> Option<TargetAddress> {
        None
    }

    /// Returns the stages of a connection, in order.
    fn stages(&self) -> &'static [ConnectStage];

    /// Returns true if servers of this protocol also refuse a stream by closing the connection soon
    /// after its beginning.
    fn refuses_by_closing(&self) -> bool;

    /// Returns the names of the stream's codecs that the protocol cannot carry to any server.
    fn uncarried(&self, _head: &SequenceHeaders) -> Vec<String> {
        Vec::new()
    }

    /// Returns true if the protocol can carry the video in several sizes at once.
    fn has_layers(&self) -> bool {
        false
    }

    /// Returns false if the protocol has no decoding times, and so no B-frames.
    fn has_b_frames(&self) -> bool {
        true
    }

    /// Connects until media can be sent. This function is cancel-safe: dropping its future leaves
    /// nothing behind.
    fn connect<'a>(&'a self, request: Request<'a>) -> BoxFuture<'a, Result<Box<dyn Link>, Error>>;

    /// Connects as far as possible without publishing, and disconnects.
    fn check<'a>(&'a self, request: Request<'a>) -> BoxFuture<'a, Result<(), Error>>;

    /// Returns true if the other address is the same, with the same key.
    fn is_same(&self, other: &dyn ProtocolAddress) -> bool;

    /// Returns the address for [`TargetAddress::get`].
    fn as_any(&self) -> &dyn Any;
}

/// An address to publish to. Neither `Display` nor `Debug` shows the key.
#[derive(Clone)]
pub struct TargetAddress(Arc<dyn ProtocolAddress>);

impl TargetAddress {
    /// Wraps the address of a protocol.
    pub fn new(address: impl ProtocolAddress) -> Self {
        Self(Arc::new(address))
    }

    /// Returns the address of this protocol, for features that only this protocol has.
    pub fn get<T: 'static>(&self) -> Option<&T> {
        self.0.as_any().downcast_ref()
    }

    /// Returns the host and the port, even if the address does not contain the port. IPv6 addresses
    /// are in brackets.
    pub fn host_and_port(&self) -> String {
        authority(self.host(), self.port())
    }
}

impl PartialEq for TargetAddress {
    fn eq(&self, other: &Self) -> bool {
        self.is_same(&**other)
    }
}

impl Eq for TargetAddress {}

impl std::ops::Deref for TargetAddress {
    type Target = dyn ProtocolAddress;

    fn deref(&self) -> &Self::Target {
        &*self.0
    }
}

impl fmt::Display for TargetAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown())
    }
}

impl fmt::Debug for TargetAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TargetAddress({self})")
    }
}
