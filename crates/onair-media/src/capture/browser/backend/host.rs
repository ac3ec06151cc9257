//! What the process of a page needs from outside.

use std::time::Duration;

/// Time limit for sending. onair reads at once, unless it hangs.
pub(super) const SEND_TIMEOUT: Duration = Duration::from_secs(10);

/// What a page needs from other rooms: the proxy through which it reaches the network, and the sink of
/// its audio.
pub trait PageHost {
    /// Returns the port on this computer.
    fn port(&self) -> u16;
    /// Sets whether all local addresses are allowed, and the host and port that is always allowed.
    fn allow(&self, local: bool, chosen: &str);
    /// Returns an address that was refused since the last call.
    fn refused(&self) -> Option<String>;
    /// Creates a sink for the page's audio, which lasts as long as this value. Returns false if the
    /// audio server has none: the page is then silent.
    fn create_sink(&mut self, name: &str) -> bool;
}
