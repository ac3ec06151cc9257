//! What only the backends of Windows need; Linux has services of the desktop for it.

pub mod messages;
pub mod power;
