//! Request to the encoder of the studio's own stream.

use std::fmt;

/// A function that requests a keyframe from the encoder of the own stream. It must return
/// immediately, because the tasks of viewers call it.
pub struct KeyframeRequest(pub Box<dyn Fn() + Send + Sync>);

impl fmt::Debug for KeyframeRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyframeRequest")
    }
}
