//! What borrows across threads.

mod crew;

pub use crew::Crew;
