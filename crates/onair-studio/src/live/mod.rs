//! A broadcast from *Go Live* to its end: encoders, outputs, adaptation, recording, viewer monitor.

pub(crate) mod adaptation;
pub(crate) mod dropped_frames;
pub mod monitor;
pub(crate) mod on_air;
pub(crate) mod outputs;
pub(crate) mod passthrough;
pub mod recording;
pub mod second_canvas;
pub(crate) mod second_rendition;
pub(crate) mod series;
pub mod source_recordings;
pub mod stream_delay;
pub mod target_events;
pub mod view;
