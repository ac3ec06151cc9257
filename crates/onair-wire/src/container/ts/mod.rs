//! MPEG-2 transport streams (ISO/IEC 13818-1): the first video and the first audio stream of the
//! first program. H.264 is converted to AVCC with a separate configuration, AAC loses its ADTS
//! headers, and MPEG audio is split into frames. This module has no I/O. The demuxer continues
//! after any invalid input, and buffers at most one frame.

mod audio;
mod audio_form;
mod demuxer;
mod event;
mod pes;
mod section;
mod stream_writer;
mod video;
mod writer;

pub use demuxer::{Demuxer, PACKET_BYTES, PackedAudio, packed_audio};
pub use event::{Codec, Event, StreamEvents, TICKS_PER_SECOND, ticks};
pub use stream_writer::{StreamWriter, null_packet};
pub use writer::Writer;
