//! Floor 1: what flows down the street. Pictures, sound, encoded packets, the parameters that
//! describe them, and the feeds through which a source hands them over. Plain values: no devices,
//! no threads, no clocks.

pub mod color;
pub mod feed;
pub mod frame;
pub mod grid;
pub mod likeness;
pub mod markers;
pub mod packet;
pub mod parameters;
pub mod reel;
pub mod resize;
pub mod samples;
pub mod source;
pub mod tracks;
pub mod transport;
pub mod unpack;

pub use color::Color;
pub use feed::{AudioFeed, ClipFeed, Moment, Pulled, VideoFeed};
pub use frame::{Planes, Size, VideoFrame};
pub use grid::{FrameGrid, FrameRate};
pub use packet::{EncodedPacket, Priority, Rendition, Rung, Track};
pub use parameters::{
    AudioCodec, AudioParameters, BitsPerSecond, StreamParameters, VideoCodec, VideoParameters,
};
pub use reel::Reel;
pub use samples::Samples;
pub use tracks::{ExtraTrack, ExtraTracks, MOST_TRACKS};
pub use transport::Transport;
