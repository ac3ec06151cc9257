//! What the system knows of a disk.

pub mod space;
