//! Matroska (RFC 9559) over EBML (RFC 8794): files that can be read while they are written, and
//! reading of any. Pure.
//!
//! A file being written is the EBML head, a `Segment` of unknown size with `SeekHead`, `Info`,
//! `Tracks`, room for chapters, then whole clusters of about a second each. Its end appends the
//! `Cues` and puts sizes, duration and places in.

mod codecs;
mod decode_order;
pub mod ebml;
mod header;
mod incremental;
pub mod index;
mod lacing;
pub mod writer;

pub use incremental::IncrementalReader;
pub use index::{index, index_to_play};
pub use writer::Writer;
