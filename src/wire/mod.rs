//! (room)

pub mod aac;
pub mod bits;
pub mod h264;
