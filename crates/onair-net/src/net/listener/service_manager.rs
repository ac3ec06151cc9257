//! Messages to the service manager (systemd's `sd_notify(3)`). Without a service manager, nothing
//! is sent.

/// A state of the service.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum ServiceState {
    /// The server is listening.
    Ready,
    /// The server is stopping.
    Stopping,
}

/// Tells the service manager about this state.
pub fn notify(state: ServiceState) {
    let state = match state {
        ServiceState::Ready => sd_notify::NotifyState::Ready,
        ServiceState::Stopping => sd_notify::NotifyState::Stopping,
    };
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::debug!(%error, "a message to the service manager failed");
    }
}
