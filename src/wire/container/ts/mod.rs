//! MPEG-2 transport streams (ISO/IEC 13818-1): the first program's first frame and first audio.
//! H.264 comes out as AVCC with its configuration beside it, AAC without ADTS, MPEG audio frame by
//! frame. Pure; nothing it is given can stop it, and it holds no more than one frame.

mod audio;
mod demuxer;
mod event;
mod pes;
mod section;
mod video;

pub use demuxer::{Demuxer, PACKET, PackedAudio, packed_audio};
pub use event::{CLOCK, Codec, Event, StreamEvents, ticks};
