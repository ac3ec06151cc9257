//! The media keys of Windows, which onair does not receive yet.

use std::sync::Arc;

use crate::app::media_keys::shared::Shared;
use crate::base::Stop;
use crate::platform::NotOnThisSystem;

/// Reports that there are none.
pub(in crate::app::media_keys) fn serve(_shared: &Arc<Shared>, _stop: &Stop) {
    tracing::debug!("{}", NotOnThisSystem("media keys"));
}
