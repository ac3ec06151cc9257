//! Reads data about a disk from the operating system.

pub mod space;
