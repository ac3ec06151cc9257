//! Everything that takes the packets of a published stream and makes something of them: segments, renditions and
//! recordings.

pub(crate) mod aac;
pub(crate) mod hls;
pub(crate) mod playlist_makers;
pub(crate) mod recordings;
pub(crate) mod renditions;
pub(crate) mod viewers;
