//! Floor 3: sockets. This room contains the tokio runtime, TCP and TLS streams, the code that
//! connects in named stages with limits, and the driver of an RTMP client session on a socket. No
//! other room uses sockets.

mod backend;
pub mod connect;
pub mod error;
pub mod listener;
pub mod network_changes;
pub mod random;
pub mod rtmp;
pub mod runtime;
pub mod srt;
pub mod stream;
pub mod subscriber;
pub mod tls;
pub mod web;
pub mod webrtc;

pub use connect::bind::Bind;
pub use connect::proxy::Proxy;
pub use connect::{Endpoint, Options, connect, forget_lookups};
pub use error::trouble::Trouble;
pub use error::{
    Cause, CertificateProblem, Class, ConnectStage, Error, FailedAttempt, NotRtmp, ProxyProblem,
    Refusal, Step, WebProblem,
};
pub use listener::own_addresses::{OwnAddress, main_address, own_addresses, reached_at};
pub use listener::page_guard::PageGuard;
pub use listener::{Listener, all_addresses};
pub use network_changes::{NetworkChange, NetworkChanges};
pub use random::{random_bytes, random_hex};
pub use runtime::Runtime;
pub use stream::{Stream, send_to_all};
pub use tls::certificate_pin::CertificatePin;
pub use tls::{Challenges, HttpVersion, Identity, IdentityError, OwnCertificate, Trust};
