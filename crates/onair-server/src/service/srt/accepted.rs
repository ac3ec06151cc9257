//! A caller that was accepted.

use std::net::SocketAddr;

use crate::net::srt::SrtSocket;
use crate::server::access::grant::Grant;
use crate::server::registry::{ConnectionSlot, PublishRight, Registry};
use crate::server::service::srt::port::Entry;
use crate::wire::rtmp::stream_name::StreamName;

/// A connection that was accepted.
pub(super) struct Accepted {
    pub id: u64,
    pub peer: SocketAddr,
    pub name: StreamName,
    pub grant: Grant,
    pub socket: SrtSocket,
    pub slot: ConnectionSlot,
    pub entry: Entry,
}

/// Returns the right of a publisher with this grant.
pub(super) fn right(registry: &Registry, grant: &Grant) -> PublishRight {
    let proven = grant.proven || registry.is_login_limited();
    PublishRight { proven, relayed: false, limits: grant.limits }
}
