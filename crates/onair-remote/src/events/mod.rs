//! Events: the differences between two snapshots. So a change is reported no matter who made it: a
//! client, the window, a hotkey, or the network.

mod changes;
mod event;
mod inputs;
mod outputs;
mod scenes;

pub use changes::changes;
pub use event::Event;
pub use inputs::meters;
pub use scenes::{
    TRANSITION_STARTED, transition_duration_to_program as transition_duration, transition_ends,
};
