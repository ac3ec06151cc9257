//! Messages to the service manager. Without a service manager, nothing is sent.

use crate::net::backend::service_manager;

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
    let notified = match state {
        ServiceState::Ready => service_manager::ready(),
        ServiceState::Stopping => service_manager::stopping(),
    };
    if let Err(error) = notified {
        tracing::debug!(%error, "a message to the service manager failed");
    }
}
