//! The fault lab: simulated faults of the built-in server, for testing publishers. `spec` defines
//! and parses faults, `plan` applies them to one connection, and `lab` holds the active ones. These
//! modules are pure and have no thread; `connection` carries out the actions.

mod lab;
mod plan;
mod spec;

pub(super) use lab::Lab;
pub use lab::TriggeredFault;
pub(super) use plan::{FAULT_TEXT, FaultAction, Plan, Verdict};
pub use spec::{BadFault, Fault, FaultKind, Phase, Span};
