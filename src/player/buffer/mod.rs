//! Data that waits for decoding or presentation: packet and sample queues, time shift, distance
//! from the live edge.

pub(in crate::player) mod decode_lag;
pub(in crate::player) mod dvr_window;
pub(in crate::player) mod live_edge;
pub mod pace;
pub(in crate::player) mod packets;
pub(in crate::player) mod reception;
pub(in crate::player) mod samples;
pub mod time_shift;
