//! Matroska (RFC 9559) over EBML (RFC 8794): writes files that are readable during recording, and
//! reads any file. This module has no I/O.
//!
//! A file in progress has the EBML header, a `Segment` of unknown size with `SeekHead`, `Info`,
//! `Tracks` and reserved space for chapters, then whole clusters of about one second. If the
//! chapters exceed their space, they follow the newest cluster instead. At the end of the
//! recording, the writer appends `Cues` and fills in sizes, duration and positions.

mod codecs;
mod compression;
mod decode_order;
pub mod ebml;
mod header;
pub mod index;
mod lacing;
mod outline;
mod reader;
pub mod writer;

pub use compression::Compression;
pub use index::{index, index_to_play};
pub use outline::Outline;
pub use reader::Reader;
pub use writer::Writer;
