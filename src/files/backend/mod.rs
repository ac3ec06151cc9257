//! The system's data about a disk.

pub mod space;
