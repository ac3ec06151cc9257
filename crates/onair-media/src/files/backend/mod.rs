//! Reads data about a disk from the operating system.

pub mod locks;
pub mod space;
