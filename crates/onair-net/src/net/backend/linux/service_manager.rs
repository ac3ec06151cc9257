//! Messages to the service manager (systemd's `sd_notify(3)`). Without a service manager, nothing is sent.

use std::io;

use sd_notify::{NotifyState, notify};

/// Reports that the service is ready.
pub(in crate::net) fn ready() -> io::Result<()> {
    notify(&[NotifyState::Ready])
}

/// Reports that the service is stopping.
pub(in crate::net) fn stopping() -> io::Result<()> {
    notify(&[NotifyState::Stopping])
}
