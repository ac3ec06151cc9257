//! What the command line says about the built-in server, instead of the settings.

use std::net::SocketAddr;

use crate::base::Secret;
use crate::net::Identity;

/// The flags of the built-in server. `None` means that the settings decide.
#[derive(Clone, Debug, Default)]
pub struct ServerFlags {
    /// The address of HTTPS.
    pub https: Option<SocketAddr>,
    /// The certificate of HTTPS, instead of the one that onair makes. Its files are read again when they change.
    pub identity: Option<Identity>,
    /// The address of SRT.
    pub srt: Option<SocketAddr>,
    /// The passphrase that all SRT clients need.
    pub srt_passphrase: Option<Secret>,
}
