//! The limits of the server.

use std::time::Duration;

use crate::net::listener::descriptors;

/// Default limit of connections, if the system allows as many descriptors.
pub const DEFAULT_MAX_CONNECTIONS: usize = 4_096;

/// The limits of the server.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Maximum number of connections of every kind.
    pub connections: usize,
    /// Maximum number of connections per address, except loopback; for IPv6, per 64-bit network.
    pub per_address: usize,
    /// Maximum number of viewers per stream.
    pub viewers: usize,
    /// Maximum number of published streams. Viewers may wait for the same number of other streams.
    pub streams: usize,
    /// Maximum number of streams without a publisher for which viewers of one address may wait.
    pub waiting_names: usize,
    /// How long a viewer may wait for a publisher.
    pub waiting_viewer: Duration,
    /// Maximum number of bytes that new viewers get at the start. A larger GOP is not cached.
    pub group_bytes: usize,
    /// Maximum number of bytes that may wait for one viewer before frames are dropped.
    pub queue_bytes: usize,
    /// Maximum number of files recorded at the same time.
    pub files: usize,
    /// Time limit of an HTTP request from its first byte to the first byte of its response. For the
    /// first request, it starts with the connection.
    pub request: Duration,
    /// A viewer that accepts nothing for this long is disconnected.
    pub stalled_viewer: Duration,
    /// A publisher that sends nothing for this long is disconnected.
    pub silent_publisher: Duration,
    /// How long a message may wait for the next ones if a stream has 500 viewers or more. Each
    /// viewer then gets several of the publisher's 47 bursts per second with one system call.
    pub hold: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: descriptors::for_connections(DEFAULT_MAX_CONNECTIONS),
            per_address: 1_024,
            viewers: 4_096,
            streams: 256,
            waiting_names: 32,
            waiting_viewer: Duration::from_mins(30),
            group_bytes: 8 << 20,
            queue_bytes: 8 << 20,
            files: 64,
            request: Duration::from_secs(10),
            stalled_viewer: Duration::from_secs(20),
            silent_publisher: Duration::from_secs(20),
            hold: Duration::from_millis(45),
        }
    }
}
