//! Floor 1: the media types. This room contains frames, audio, encoded packets, their configs, and
//! the feeds of sources. These are plain values without devices, threads or clocks.

pub mod audio_tracks;
pub mod codec_config;
pub mod feed;
pub mod filter_settings;
pub mod frame;
pub mod frame_grid;
pub mod markers;
pub mod packet;
pub mod playback_control;
pub mod samples;
pub mod scale;
pub mod similarity;
pub mod source_status;
pub mod stream_event;

pub use audio_tracks::{ExtraTrack, ExtraTracks, MAX_TRACKS};
pub use codec_config::{
    AudioCodec, AudioConfig, BitsPerSecond, Codec, PixelAspect, StreamConfig, VideoCodec,
    VideoConfig,
};
pub use feed::clip_frames::ClipFrames;
pub use feed::{AudioFeed, ClipFeed, Moment, Pulled, VideoFeed};
pub use filter_settings::{FilterParameter, FilterSlot, NumericSettings, ParameterUnit};
pub use frame::Color;
pub use frame::{Nv12, Planes, PlanesPool, Rotation, Size, Surface, VideoFrame};
pub use frame_grid::{FrameGrid, FrameRate};
pub use packet::{
    EncodedPacket, ExtraRendition, Priority, ProgramId, Rendition, RenditionId, Track,
};
pub use playback_control::Transport;
pub use samples::SampleBlock;
pub use stream_event::{Chapter, Metadata, StreamEvent, TrackConfig, TrackKind, UnsupportedTrack};
