//! What only the system knows.

pub(super) mod clock;
