//! Notifications and the tray icon of Windows, which onair does not have yet.

use std::sync::Arc;

use crate::app::desktop::state::Shared;
use crate::base::Stop;
use crate::platform::NotOnThisSystem;

/// Reports that there are none.
pub(in crate::app::desktop) fn serve(_shared: &Arc<Shared>, _bus: Option<&str>, _stop: &Stop) {
    tracing::debug!("{}", NotOnThisSystem("notifications and the tray icon"));
}
