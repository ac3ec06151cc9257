//! A broadcast from *Go Live* to its end: encoders, outputs, adaptation, recording, viewer monitor.

pub(in crate::studio) mod adaptation;
pub(in crate::studio) mod dropped_frames;
pub mod monitor;
pub(in crate::studio) mod on_air;
pub(in crate::studio) mod outputs;
pub(in crate::studio) mod passthrough;
pub mod recording;
pub(in crate::studio) mod second_rendition;
pub(in crate::studio) mod series;
pub mod stream_delay;
pub mod target_events;
pub mod view;
