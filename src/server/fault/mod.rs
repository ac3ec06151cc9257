//! The fault lab: what the built-in server does wrong on request, so that publishers can be tried
//! against it. `spec` is what a fault is and how it is written, `plan` decides what it does to one
//! connection, `lab` keeps what is switched on. Pure, no thread; `connection` acts.

mod lab;
mod plan;
mod spec;

pub(super) use lab::Lab;
pub use lab::StruckFault;
pub(super) use plan::{Plan, Strike, Verdict};
pub use spec::{BadFault, Fault, FaultKind, Phase, Span};
