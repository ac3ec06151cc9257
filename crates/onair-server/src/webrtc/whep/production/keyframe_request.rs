//! Request to the encoder of the studio's own stream.

use std::fmt;
use std::sync::Arc;

/// A function that requests a keyframe from the encoder of the own stream. It must return
/// immediately, because the tasks of viewers call it. Only clones of one request are equal.
#[derive(Clone)]
pub struct KeyframeRequest(pub Arc<dyn Fn() + Send + Sync>);

impl PartialEq for KeyframeRequest {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl fmt::Debug for KeyframeRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyframeRequest")
    }
}
