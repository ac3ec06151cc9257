//! Data that waits for decoding or presentation: packet and sample queues, time shift, distance
//! from the live edge.

pub(crate) mod decode_lag;
pub(crate) mod dvr_window;
pub(crate) mod live_edge;
pub mod pace;
pub(crate) mod packets;
pub(crate) mod reception;
pub(crate) mod samples;
pub mod time_shift;
