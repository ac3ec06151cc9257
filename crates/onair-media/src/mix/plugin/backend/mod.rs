//! The processes of plugins: onair's side (`supervisor`, `scan`), the memory between both (`ring`),
//! and the process itself (`host`).

mod connection;
mod host;
pub(super) mod ring;
pub(super) mod scan;
pub(super) mod supervisor;

pub use host::run;
